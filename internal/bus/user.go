package bus

import (
	"bytes"
	"errors"
	"fmt"
	"strings"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nkeys"
)

// User is a NATS user that proves itself with an NKey: it signs what the server asks it to, and its seed never leaves the
// process. It prints without the seed.
type User struct {
	public string
	pair   nkeys.KeyPair
	inbox  string
}

// defaultInbox is the client library's.
var defaultInbox = strings.TrimSuffix(nats.InboxPrefix, ".")

// inboxMark begins the line of a seed file that says where the user's replies come in: nobody else may listen there.
const inboxMark = "# inbox: "

// ReadUser reads a seed file: a user's seed (SU…) on a line of its own, comments (#), and among them the prefix of the user's
// inbox. The error does not repeat anything.
func ReadUser(file []byte) (*User, error) {
	u := &User{inbox: defaultInbox}
	for line := range bytes.Lines(file) {
		line = bytes.TrimSpace(line)
		if inbox, found := bytes.CutPrefix(line, []byte(inboxMark)); found {
			u.inbox = string(bytes.TrimSpace(inbox))
		}
	}
	pair, err := nkeys.ParseDecoratedNKey(file)
	if err != nil {
		return nil, errors.New("has no seed of a NATS user: a line that begins with SU")
	}
	if u.public, err = pair.PublicKey(); err != nil || !nkeys.IsValidPublicUserKey(u.public) {
		return nil, errors.New("has a seed, but not a user's, which begins with SU")
	}
	u.pair = pair
	return u, nil
}

// Public is the user's public key, which the server knows it by.
func (u *User) Public() string { return u.public }

// Inbox is the prefix of the subjects on which its replies come in.
func (u *User) Inbox() string { return u.inbox }

// String leaves the seed out.
func (u *User) String() string { return "NATS user " + u.public }

// GoString leaves the seed out.
func (u *User) GoString() string { return u.String() }

func (u *User) option() nats.Option { return nats.Nkey(u.public, u.pair.Sign) }

// SeedFile is the file of the user for ReadUser, with words for people.
func (u *User) SeedFile(role Role) ([]byte, error) {
	seed, err := u.pair.Seed()
	if err != nil {
		return nil, err
	}
	return fmt.Appendf(nil, "# NATS user of autopurchase: %s. Whoever has this file is that user: keep it secret.\n%s%s\n%s\n",
		role.Name, inboxMark, u.inbox, seed), nil
}
