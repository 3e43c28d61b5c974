package relay

import (
	"errors"
	"fmt"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"autopurchase/internal/alibaba"
	"autopurchase/internal/seal"
	"autopurchase/worker"
)

const maxKeysFile = 16 << 20 // bytes

// LoadKeys reads the keys file, {"keys":[{"app_key","secret","access_token","refresh_token","account","api"}]}. Whitespace
// around a secret or token is dropped: it comes from pasting. It returns an error if the file can be read by anybody but
// its owner, has a field that is unknown or given twice, or if checkKeys finds fault. No error repeats a value.
func LoadKeys(path string) ([]Key, error) {
	body, err := seal.ReadPrivate(path, maxKeysFile)
	if err != nil {
		return nil, err
	}
	keys, err := parseKeys(body)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return keys, nil
}

func parseKeys(body []byte) ([]Key, error) {
	var file struct {
		Keys []Key `json:"keys"`
	}
	if err := json.Unmarshal(body, &file, json.RejectUnknownMembers(true)); err != nil {
		return nil, whereWrong(err)
	}
	for i := range file.Keys {
		for _, value := range file.Keys[i].values() {
			*value.text = strings.TrimSpace(*value.text)
		}
	}
	return file.Keys, checkKeys(file.Keys)
}

// whereWrong says where the file is wrong and not what stands there, which may be a secret.
func whereWrong(err error) error {
	if semantic, ok := errors.AsType[*json.SemanticError](err); ok {
		if errors.Is(err, json.ErrUnknownName) {
			return fmt.Errorf("%s: is no field of the keys file", semantic.JSONPointer)
		}
		return fmt.Errorf("%s: has the wrong type", semantic.JSONPointer)
	}
	if syntax, ok := errors.AsType[*jsontext.SyntacticError](err); ok {
		if errors.Is(err, jsontext.ErrDuplicateName) {
			return fmt.Errorf("%s: is given twice", syntax.JSONPointer)
		}
		return fmt.Errorf("is not JSON at byte %d", syntax.ByteOffset)
	}
	return errors.New("cannot be read as JSON")
}

type namedText struct {
	name string
	text *string
}

func (k *Key) values() []namedText {
	return []namedText{{"app_key", &k.AppKey}, {"secret", &k.Secret}, {"access_token", &k.AccessToken}, {"refresh_token", &k.RefreshToken}}
}

// checkKeys reports every key that is wrong: without or with a repeated app key, with an unknown api, or with a value that
// has anything but printable ASCII in it, such as a zero-width space from pasting; it says where, and not what.
func checkKeys(keys []Key) error {
	var problems []error
	bad := func(i int, format string, args ...any) {
		problems = append(problems, fmt.Errorf("keys[%d].%s", i, fmt.Sprintf(format, args...)))
	}
	first := map[string]int{}
	for i, key := range keys {
		if at, repeated := first[key.AppKey]; repeated {
			bad(i, "app_key: is that of keys[%d] too", at)
		} else {
			first[key.AppKey] = i
		}
		if err := worker.CheckName(key.AppKey); err != nil {
			bad(i, "app_key: %v", err)
		}
		for _, value := range key.values()[1:] {
			if at := seal.OddCharacter(*value.text); at > 0 {
				bad(i, "%s: character %d is not printable ASCII", value.name, at)
			}
		}
		if key.API != "" && key.API != alibaba.Fast && key.API != alibaba.Cross {
			bad(i, "api: must be %q or %q", alibaba.Fast, alibaba.Cross)
		}
	}
	return errors.Join(problems...)
}
