package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"autopurchase/internal/seal"
)

// newKeysIdentity makes what opens sealed secrets. It asks nobody: an identity never leaves the relay's machine.
func newKeysIdentity(term terminal) *cobra.Command {
	identity := &cobra.Command{
		Use:   "identity",
		Short: "Make an identity for a relay, for which secrets are sealed",
		Long: "An identity opens what was sealed for its recipient. It stays on the relay's machine; the recipient is no secret.\n" +
			"To exchange an identity: make a new one, add its recipient to the pool, start the relays with both, reseal, take the old\n" +
			"recipient off the pool, reseal, and start the relays with the new one alone:\n" +
			"  autopurchase keys identity new --out new.identity\n" +
			"  autopurchase keys pool --recipients age1old…,age1new…\n" +
			"  autopurchase relay --identity old.identity,new.identity …\n" +
			"  autopurchase keys pool --recipients age1new…\n" +
			"  autopurchase keys reseal --identity old.identity,new.identity …\n" +
			"What the journal has from before is still open to the old identity: if that leaked, the secrets must be changed on 1688.",
		Example: "  autopurchase keys identity new --out relay.identity",
	}
	group(identity)
	identity.AddCommand(newKeysIdentityNew(term))
	return identity
}

func newKeysIdentityNew(term terminal) *cobra.Command {
	var out string
	var asJSON bool
	return command(term, &cobra.Command{
		Use:     "new",
		Short:   "Write a new identity to a file, mode 0600, and print its recipient",
		Example: "  autopurchase keys identity new --out relay.identity",
	}, func(s *settings) {
		s.text(&out, "out", "", "file to write, in age's format (required); one that is there is left alone")
		s.flag(&asJSON, "json", "print JSON")
	}, func(*cobra.Command, []string) error {
		if out == "" {
			return usage(errors.New("--out: is required: the file to write"))
		}
		recipient, err := seal.NewIdentity(out)
		if errors.Is(err, os.ErrExist) {
			return fmt.Errorf("--out %q: is there already; what was sealed for it would be lost", out)
		}
		if err != nil {
			return err
		}
		if asJSON {
			return json.NewEncoder(term.out).Encode(map[string]string{"file": out, "recipient": recipient})
		}
		_, err = fmt.Fprintln(term.out, recipient)
		return err
	})
}
