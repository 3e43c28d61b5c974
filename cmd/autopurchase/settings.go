package main

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// settings binds a command's flags and their environment variables (AUTOPURCHASE_ and the flag's name in capitals). A flag
// wins over its variable. Everything that is wrong is reported at once, named with its value.
type settings struct {
	cmd      *cobra.Command
	problems []error
	checks   []func(terminal) error // of what depends on several flags, or on the files that they name
	named    map[string]string      // where a flag's value came from: "--workers" or "AUTOPURCHASE_WORKERS"
}

// command makes a cobra command whose run starts only when every setting is right.
func command(term terminal, c *cobra.Command, bind func(*settings), run func(cmd *cobra.Command, args []string) error) *cobra.Command {
	s := &settings{cmd: c, named: map[string]string{}}
	bind(s)
	positional := c.Args
	c.Args = func(cmd *cobra.Command, args []string) error {
		if positional == nil {
			positional = cobra.NoArgs
		}
		if err := positional(cmd, args); err != nil {
			return usage(err)
		}
		return nil
	}
	c.RunE = func(cmd *cobra.Command, args []string) error {
		if err := s.settle(term); err != nil {
			return err
		}
		return run(cmd, args)
	}
	return c
}

// settle reads the variables of the flags that were not given and reports every problem at once.
func (s *settings) settle(term terminal) error {
	s.cmd.Flags().VisitAll(func(f *pflag.Flag) {
		if text, set := term.env(variable(f.Name)); set && text != "" && !f.Changed && f.Name != "help" {
			s.named[f.Name] = variable(f.Name)
			_ = f.Value.Set(text) // a Set of ours never fails: it notes the problem
		}
	})
	for _, check := range s.checks {
		if err := check(term); err != nil {
			s.problems = append(s.problems, err)
		}
	}
	if len(s.problems) == 0 {
		return nil
	}
	return usage(errors.Join(s.problems...))
}

// check is made once all flags are read. What it reads is ready when the command runs.
func (s *settings) check(check func(terminal) error) { s.checks = append(s.checks, check) }

func variable(flag string) string {
	return "AUTOPURCHASE_" + strings.ToUpper(strings.ReplaceAll(flag, "-", "_"))
}

// value is a flag that notes what is wrong with it instead of failing at the first problem.
type value[T any] struct {
	s      *settings
	name   string
	target *T
	parse  func(string) (T, error)
	show   func(T) string
	kind   string
}

func (v *value[T]) String() string {
	if v.target == nil {
		return ""
	}
	return v.show(*v.target)
}

func (v *value[T]) Type() string { return v.kind }

func (v *value[T]) Set(text string) error {
	parsed, err := v.parse(text)
	if err != nil {
		from, ok := v.s.named[v.name]
		if !ok {
			from = "--" + v.name
		}
		if _, secret := errors.AsType[hidden](err); secret {
			err = fmt.Errorf("%s: %w", from, err)
		} else {
			err = fmt.Errorf("%s %q: %w", from, text, err)
		}
		v.s.problems = append(v.s.problems, err)
		return nil
	}
	*v.target = parsed
	return nil
}

// hidden is what is wrong with a text that is not to be repeated: it may hold a password.
type hidden struct{ error }

func bind[T any](s *settings, v *value[T], help string) {
	v.s = s
	s.cmd.Flags().Var(v, v.name, help)
}

func (s *settings) text(target *string, name, preset, help string, checks ...func(string) error) {
	*target = preset
	parse := func(text string) (string, error) {
		for _, check := range checks {
			if err := check(text); err != nil {
				return "", err
			}
		}
		return text, nil
	}
	bind(s, &value[string]{name: name, target: target, parse: parse, show: func(t string) string { return t }, kind: "text"}, help)
}

// list is a text with commas between its items.
func (s *settings) list(target *[]string, name, help string) {
	parse := func(text string) ([]string, error) {
		return strings.FieldsFunc(text, func(c rune) bool { return c == ',' }), nil
	}
	show := func(items []string) string { return strings.Join(items, ",") }
	bind(s, &value[[]string]{name: name, target: target, parse: parse, show: show, kind: "texts"}, help)
}

func (s *settings) number(target *int, name string, preset, low, high int, help string) {
	*target = preset
	parse := func(text string) (int, error) {
		n, err := strconv.Atoi(text)
		if err != nil || n < low || n > high {
			return 0, fmt.Errorf("must be a whole number from %d to %d", low, high)
		}
		return n, nil
	}
	bind(s, &value[int]{name: name, target: target, parse: parse, show: strconv.Itoa, kind: "number"}, help)
}

func (s *settings) duration(target *time.Duration, name string, preset, low time.Duration, help string) {
	*target = preset
	parse := func(text string) (time.Duration, error) {
		d, err := time.ParseDuration(text)
		if err != nil || d < low {
			return 0, fmt.Errorf("must be a duration of at least %v, such as 30s or 5m", low)
		}
		return d, nil
	}
	bind(s, &value[time.Duration]{name: name, target: target, parse: parse, show: time.Duration.String, kind: "duration"}, help)
}

func (s *settings) flag(target *bool, name, help string) {
	parse := func(text string) (bool, error) {
		b, err := strconv.ParseBool(text)
		if err != nil {
			return false, errors.New("must be true or false")
		}
		return b, nil
	}
	bind(s, &value[bool]{name: name, target: target, parse: parse, show: strconv.FormatBool, kind: "bool"}, help)
	s.cmd.Flags().Lookup(name).NoOptDefVal = "true"
}

// preset gives a flag another default than the commands that share it.
func (s *settings) preset(name, text string) {
	f := s.cmd.Flags().Lookup(name)
	_ = f.Value.Set(text) // a Set of ours never fails: it notes the problem
	f.DefValue = text
}

// aURL checks that a text is a URL with one of the schemes.
func aURL(schemes ...string) func(string) error {
	return func(text string) error {
		u, err := url.Parse(text)
		if err != nil || !slices.Contains(schemes, u.Scheme) || u.Host == "" {
			err = fmt.Errorf("must be a URL beginning with %s://", strings.Join(schemes, ":// or "))
			if strings.Contains(text, "@") {
				return hidden{err}
			}
			return err
		}
		return nil
	}
}

// urls checks a list of URLs with commas between them, such as those of a cluster's servers.
func urls(schemes ...string) func(string) error {
	check := aURL(schemes...)
	return func(text string) error {
		for part := range strings.SplitSeq(text, ",") {
			if err := check(strings.TrimSpace(part)); err != nil {
				return fmt.Errorf("%w, or several with commas between them", err)
			}
		}
		return nil
	}
}

// anAddress checks that a text is host:port to listen on; the host may be left out for every interface.
func anAddress(text string) error {
	_, port, err := net.SplitHostPort(text)
	if _, wrong := strconv.ParseUint(port, 10, 16); err != nil || wrong != nil {
		return errors.New("must be host:port, such as 127.0.0.1:7700; port 0 takes a free one")
	}
	return nil
}

// orEmpty lets a check pass where nothing is given.
func orEmpty(check func(string) error) func(string) error {
	return func(text string) error {
		if text == "" {
			return nil
		}
		return check(text)
	}
}

func oneOf(choices ...string) func(string) error {
	return func(text string) error {
		if !slices.Contains(choices, text) {
			return fmt.Errorf("must be %s", strings.Join(choices, " or "))
		}
		return nil
	}
}
