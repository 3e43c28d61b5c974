package seal

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"filippo.io/age"
)

const maxIdentityFile = 1 << 20 // bytes

// Keyring holds identities, any of which may open what was sealed. It prints without them. The zero value opens nothing.
type Keyring struct{ identities []*age.X25519Identity }

// String leaves the identities out.
func (k Keyring) String() string { return fmt.Sprintf("%d identities (withheld)", len(k.identities)) }

// GoString leaves the identities out.
func (k Keyring) GoString() string { return k.String() }

// Recipients are those that the keyring opens for, in the order of its identities.
func (k Keyring) Recipients() []string {
	var recipients []string
	for _, identity := range k.identities {
		recipients = append(recipients, identity.Recipient().String())
	}
	return recipients
}

// NewIdentity makes an identity, writes it to a new file in age's format with mode 0600, and gives its recipient, which is no
// secret. A file that is there is left alone: os.ErrExist.
func NewIdentity(path string) (recipient string, err error) {
	identity, err := age.GenerateX25519Identity()
	if err != nil {
		return "", err
	}
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return "", err
	}
	recipient = identity.Recipient().String()
	_, err = fmt.Fprintf(file, "# created: %s\n# public key: %s\n%s\n", time.Now().Format(time.RFC3339), recipient, identity)
	if err = errors.Join(err, file.Sync(), file.Close()); err != nil {
		return "", errors.Join(err, os.Remove(path))
	}
	return recipient, nil
}

// LoadIdentities reads files of age identities, one identity a line. It returns an error that names the file and no value if
// one cannot be read, can be read by others than its owner, has a line that is no X25519 identity, or has none.
func LoadIdentities(paths ...string) (Keyring, error) {
	var all Keyring
	var wrong []error
	for _, path := range paths {
		some, err := loadFile(path)
		if err != nil {
			wrong = append(wrong, err)
		}
		all.identities = append(all.identities, some...)
	}
	if len(wrong) > 0 {
		return Keyring{}, errors.Join(wrong...)
	}
	return all, nil
}

func loadFile(path string) ([]*age.X25519Identity, error) {
	body, err := ReadPrivate(path, maxIdentityFile)
	if err != nil {
		return nil, err
	}
	identities, err := parseIdentities(bytes.NewReader(body))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return identities, nil
}

func parseIdentities(from io.Reader) (identities []*age.X25519Identity, err error) {
	lines := bufio.NewScanner(from)
	for n := 1; lines.Scan(); n++ {
		line := strings.TrimSpace(lines.Text())
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		identity, err := age.ParseX25519Identity(line)
		if err != nil { // its words may repeat the line
			return nil, fmt.Errorf("line %d is no X25519 identity of age, which begins with AGE-SECRET-KEY-1", n)
		}
		identities = append(identities, identity)
	}
	if lines.Err() != nil {
		return nil, errors.New("has a line that is too long for an identity")
	}
	if len(identities) == 0 {
		return nil, errors.New("has no identity")
	}
	return identities, nil
}
