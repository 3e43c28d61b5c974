package seal

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"strings"

	"filippo.io/age"
)

// MaxText is the length in bytes of the longest text that Open takes.
const MaxText = 64 << 10

// ErrNoIdentity is returned by Open for what was sealed for other recipients.
var ErrNoIdentity = errors.New("was sealed for other recipients than the identities at hand")

// ErrNotSealed is returned for a text that is not the base64 of an age file, or whose file was cut or changed.
var ErrNotSealed = errors.New("is not a sealed value: it must be base64 of an age file")

// CheckRecipient returns an error if the text is no X25519 recipient of age.
func CheckRecipient(text string) error {
	if _, err := age.ParseX25519Recipient(text); err != nil {
		return fmt.Errorf("%q is no X25519 recipient of age, which begins with age1", text)
	}
	return nil
}

// Seal seals a value so that each of the recipients' identities opens it: base64 of an age file. Sealing the same value again
// gives another text. It returns an error if there is no recipient or one is wrong.
func Seal(value string, recipients []string) (string, error) {
	if len(recipients) == 0 {
		return "", errors.New("there is no recipient to seal for")
	}
	var to []age.Recipient
	for _, text := range recipients {
		recipient, err := age.ParseX25519Recipient(text)
		if err != nil {
			return "", CheckRecipient(text)
		}
		to = append(to, recipient)
	}
	var sealed bytes.Buffer
	file, err := age.Encrypt(&sealed, to...)
	if err == nil {
		_, err = io.WriteString(file, value)
	}
	if err == nil {
		err = file.Close()
	}
	if err != nil {
		return "", fmt.Errorf("sealing: %w", err)
	}
	return base64.StdEncoding.EncodeToString(sealed.Bytes()), nil
}

// CheckSealed returns ErrNotSealed if the text cannot be what Seal gives. Whether it can be opened only an identity shows.
func CheckSealed(text string) error {
	if len(text) > MaxText || strings.ContainsAny(text, "\r\n") { // base64's decoder would pass over line ends
		return ErrNotSealed
	}
	file, err := base64.StdEncoding.Strict().DecodeString(text)
	if err != nil || !bytes.HasPrefix(file, []byte("age-encryption.org/v1\n")) {
		return ErrNotSealed
	}
	return nil
}

// Open gives the value of what Seal made. Errors: ErrNotSealed, ErrNoIdentity; none repeats anything of the value.
func (k Keyring) Open(text string) (string, error) {
	if err := CheckSealed(text); err != nil {
		return "", err
	}
	if len(k.identities) == 0 {
		return "", ErrNoIdentity
	}
	file, _ := base64.StdEncoding.DecodeString(text) // checked
	with := make([]age.Identity, len(k.identities))
	for i, identity := range k.identities {
		with[i] = identity
	}
	value, err := age.Decrypt(bytes.NewReader(file), with...)
	if _, none := errors.AsType[*age.NoIdentityMatchError](err); none {
		return "", ErrNoIdentity
	}
	if err != nil {
		return "", ErrNotSealed
	}
	plain, err := io.ReadAll(value)
	if err != nil {
		return "", ErrNotSealed
	}
	return string(plain), nil
}
