package main

import (
	"fmt"
	"os"
	"os/user"

	"autopurchase/internal/bus"
)

// signature is who asks for a change, and why, for the journal.
type signature struct{ by, why string }

func (g *signature) bind(s *settings) {
	s.text(&g.by, "by", "", "who asks for it, for the journal; your login name and this machine's if left out")
	s.text(&g.why, "why", "", "why, for the journal")
}

func (g *signature) change() bus.Change {
	if g.by == "" {
		g.by = whoami()
	}
	return bus.Change{By: g.by, Why: g.why}
}

// maxBy is how many characters the name may have that signs a change.
const maxBy = 64

// whoami names who runs this program, and where.
func whoami() string {
	name := fmt.Sprint("uid-", os.Getuid())
	if u, err := user.Current(); err == nil && u.Username != "" {
		name = u.Username
	}
	if host, err := os.Hostname(); err == nil {
		name += "@" + host
	}
	letters := []rune(printable(name))
	return string(letters[:min(len(letters), maxBy)])
}
