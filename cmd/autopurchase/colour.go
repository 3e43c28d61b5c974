package main

import (
	"io"
)

// colour is how a line looks on a terminal, by the codes that every terminal knows.
type colour string

const (
	plain  colour = ""
	faint  colour = "\x1b[2m"
	green  colour = "\x1b[32m" // as it should be
	yellow colour = "\x1b[33m" // not all of it was bought
	red    colour = "\x1b[31m" // a person must look

	endOfColour = "\x1b[0m"
)

// of gives a text in the colour. The text must be printable: see printable.
func (c colour) of(text string) string {
	if c == plain {
		return text
	}
	return string(c) + text + endOfColour
}

// colours says when to use them.
type colours struct{ when string }

func (c *colours) bind(s *settings) {
	s.text(&c.when, "color", "auto", "auto | always | never: auto colours on a terminal, unless NO_COLOR is set", oneOf("auto", "always", "never"))
}

// on says whether to colour what is written there.
func (c *colours) on(out io.Writer, env func(string) (string, bool)) bool {
	if c.when != "auto" {
		return c.when == "always"
	}
	no, _ := env("NO_COLOR")
	kind, _ := env("TERM")
	return no == "" && kind != "dumb" && isTerminal(out)
}
