package relay

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

func keysFile(t *testing.T, body string, mode os.FileMode) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "keys.json")
	if err := os.WriteFile(path, []byte(body), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path, mode); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestLoadKeys(t *testing.T) {
	path := keysFile(t, `{"keys":[
		{"app_key":"1000001","secret":" MARKER-s\n","access_token":"a","refresh_token":"r\t","account":"买家 1","api":"cross"},
		{"app_key":"1000002"}]}`, 0o600)
	keys, err := LoadKeys(path)
	want := []Key{
		{AppKey: "1000001", Secret: "MARKER-s", AccessToken: "a", RefreshToken: "r", Account: "买家 1", API: "cross"},
		{AppKey: "1000002"},
	}
	if err != nil || !reflect.DeepEqual(keys, want) {
		t.Errorf("got %v, %v", keys, err)
	}
}

func TestLoadKeysRefuses(t *testing.T) {
	const good = `{"keys":[{"app_key":"1","secret":"MARKER"}]}`
	for name, c := range map[string]struct {
		body string
		mode os.FileMode
		says string
	}{
		"readable by the group":       {good, 0o640, "0640"},
		"readable by others":          {good, 0o604, "chmod 600"},
		"field that is unknown":       {`{"keys":[{"app_key":"1","Secret":"MARKER"}]}`, 0o600, "/keys/0/Secret"},
		"field given twice":           {`{"keys":[{"app_key":"1","secret":"MARKER","secret":"MARKER2"}]}`, 0o600, "/keys/0/secret: is given twice"},
		"wrong type":                  {`{"keys":[{"app_key":"1","secret":123456789}]}`, 0o600, "/keys/0/secret: has the wrong type"},
		"not JSON":                    {`{"keys":[{"app_key":"1","secret":MARKER}]}`, 0o600, "not JSON at byte 33"},
		"more behind it":              {good + `MARKER`, 0o600, "not JSON"},
		"empty":                       {``, 0o600, "JSON"},
		"no app key":                  {`{"keys":[{"secret":"MARKER"}]}`, 0o600, "keys[0].app_key: must be"},
		"app key that is no word":     {`{"keys":[{"app_key":"../1","secret":"MARKER"}]}`, 0o600, "keys[0].app_key: must be"},
		"app key twice":               {`{"keys":[{"app_key":"1"},{"app_key":"2"},{"app_key":" 1"}]}`, 0o600, "keys[2].app_key: is that of keys[0] too"},
		"zero-width space in it":      {`{"keys":[{"app_key":"1","secret":"MARK\u200bER"}]}`, 0o600, "keys[0].secret: character 5 is not printable ASCII"},
		"zero-width space behind it":  {`{"keys":[{"app_key":"1","refresh_token":"MARKER\u200b"}]}`, 0o600, "keys[0].refresh_token: character 7"},
		"blank in a token":            {`{"keys":[{"app_key":"1","access_token":"MAR KER"}]}`, 0o600, "keys[0].access_token: character 4"},
		"create call that is unknown": {`{"keys":[{"app_key":"1","api":"slow"}]}`, 0o600, "keys[0].api: must be"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := LoadKeys(keysFile(t, c.body, c.mode))
			if err == nil || !strings.Contains(err.Error(), c.says) {
				t.Fatalf("got %v", err)
			}
			if strings.Contains(err.Error(), "MARK") || strings.Contains(err.Error(), "123456789") {
				t.Errorf("the secret is in %v", err)
			}
		})
	}
	if _, err := LoadKeys(filepath.Join(t.TempDir(), "none.json")); !os.IsNotExist(err) {
		t.Errorf("got %v", err)
	}
}

func TestEveryFaultOfTheSettingsIsReported(t *testing.T) {
	_, err := New(Config{Messages: "ws://127.0.0.1:1", PerKey: -1, Keys: []Key{{}, {AppKey: "1", API: "x"}}})
	if err == nil {
		t.Fatal("was taken")
	}
	for _, part := range []string{"messages", "per-key", "keys[0].app_key", "keys[1].api"} {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("%s is missing in %v", part, err)
		}
	}
	if _, err := New(Config{Gateway: "nowhere"}); err == nil {
		t.Error("a gateway without a scheme was taken")
	}
}

func TestKeysPrintWithoutSecrets(t *testing.T) {
	config := Config{Keys: []Key{{AppKey: "1", Secret: "MARKER", AccessToken: "MARKER", RefreshToken: "MARKER"}}}
	holder := newKeyholder(config.Keys[0], nil, config)
	written, err := json.Marshal(config.Keys)
	said := fmt.Sprintf("%v %+v %#v %v %+v", config, config, config.Keys, holder, holder.Key) + string(written)
	if err != nil || strings.Contains(said, "MARKER") {
		t.Errorf("%s, %v", said, err)
	}
}
