package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"autopurchase/internal/bus"
	"autopurchase/internal/seal"
	"autopurchase/worker"
)

// interview goes through a key's onboarding with a person.
type interview struct {
	ctx    context.Context
	bus    *bus.Bus
	set    *onboardSettings
	appKey string
	term   terminal
	in     *bufio.Reader // what is typed
	out    io.Writer
}

// errStopped ends an interview that a person wants to go on with another time.
var errStopped = errors.New("stopped: what was said is kept, go on with the same command")

// run asks about every open step, round after round, until none is left, or a whole round has changed nothing.
func (i *interview) run() error {
	stands, err := i.look()
	if unknownKey(err) {
		stands, err = i.add()
	}
	for err == nil && !stands.Done {
		before := open(stands)
		if stands, err = i.round(stands); err == nil && open(stands) == before {
			err = fmt.Errorf("%d steps are open: go on with the same command", before)
		}
	}
	if stands.Key.AppKey != "" {
		_ = showOnboarding(i.out, stands)
	}
	return err
}

func open(o bus.Onboarding) (n int) {
	for _, s := range o.Steps {
		if s.Verdict == worker.StepOpen {
			n++
		}
	}
	return n
}

// round asks about each open step once, in the platform's order; but for the secret, which is asked for before the first step that
// 1688 proves, since it proves none without.
func (i *interview) round(stands bus.Onboarding) (bus.Onboarding, error) {
	asked := map[string]bool{}
	ask := func(name string) error {
		if asked[name] || byName(stands, name).Verdict != worker.StepOpen {
			return nil
		}
		asked[name] = true
		next, err := i.about(name, stands)
		if next.Key.AppKey != "" {
			i.told(stands, next)
			stands = next
		}
		return err
	}
	for _, s := range stands.Steps {
		if s.Machine {
			if err := ask("secret"); err != nil {
				return stands, err
			}
		}
		if s.Machine && byName(stands, "secret").Verdict == worker.StepOpen {
			continue
		}
		if err := ask(s.Step); err != nil {
			return stands, err
		}
	}
	return stands, nil
}

// about prints what a step is about, and asks about it.
func (i *interview) about(name string, stands bus.Onboarding) (bus.Onboarding, error) {
	for n, s := range stands.Steps {
		if s.Step == name {
			fmt.Fprintf(i.out, "\n[%d/%d] %s\n      %s\n", n+1, len(stands.Steps), s.Title, s.Do)
			return i.step(s, stands.Key.Source == "own")
		}
	}
	return bus.Onboarding{}, nil
}

func byName(o bus.Onboarding, name string) bus.OnboardingStep {
	for _, s := range o.Steps {
		if s.Step == name {
			return s
		}
	}
	return bus.OnboardingStep{}
}

// told prints what has passed since it was looked last.
func (i *interview) told(before, now bus.Onboarding) {
	for n, s := range now.Steps {
		if before.Steps[n].Verdict == worker.StepOpen && s.Verdict != worker.StepOpen {
			fmt.Fprintln(i.out, strings.TrimSuffix(fmt.Sprintf("      ✓ %s: %s by %s: %s", s.Step, s.Verdict, s.By, oneLine(s.Why)), ": "))
		}
	}
}

// step asks about one step until something is said, or it is left for later. What comes back is empty if nothing was asked of the
// pool.
func (i *interview) step(s bus.OnboardingStep, own bool) (stands bus.Onboarding, err error) {
	question, typed := i.question(s, own)
	for {
		if s.Machine {
			fmt.Fprintf(i.out, "      open: %s\n", oneLine(s.Why))
		}
		said, err := i.prompt(question)
		switch {
		case err != nil:
			return stands, err
		case said == "q":
			return stands, errStopped
		case said == "l":
			return stands, nil
		case said == "w":
			return i.waive(s, stands)
		case said == "d" && !s.Machine:
			return i.say(s.Step, worker.StepPassed, "")
		case !s.Machine:
			continue
		case said != "":
			if err := typed(said); err != nil {
				fmt.Fprintf(i.out, "      %v\n", err)
			}
		}
		if stands, err = i.look(); err != nil {
			return stands, err
		}
		if s = byName(stands, s.Step); s.Verdict != worker.StepOpen {
			return stands, nil
		}
	}
}

// question says what may be answered about a step, and takes what else is typed.
func (i *interview) question(s bus.OnboardingStep, own bool) (text string, typed func(string) error) {
	nothing := func(string) error { return nil }
	const rest = " · w: waive · l: later · q: stop"
	switch {
	case !s.Machine:
		return "d: done" + rest, nothing
	case s.Step == "secret" && own:
		return "s: give the secret · Enter: check again" + rest, i.seal
	case s.Step != "authorization":
		return "Enter: check again" + rest, nothing
	}
	state, err := i.begin()
	if err != nil {
		fmt.Fprintf(i.out, "      it cannot begin: %v\n", err)
		return "Enter: check again" + rest, nothing
	}
	return "once the page says so, Enter: check · or paste the code, or the address you were sent to" + rest, func(said string) error {
		err := i.finish(said, state)
		if err != nil { // the state is used up
			state, _ = i.begin()
		}
		return err
	}
}

func (i *interview) waive(s bus.OnboardingStep, stands bus.Onboarding) (bus.Onboarding, error) {
	why, err := i.prompt("why is it waived?")
	if err != nil || why == "" {
		return stands, err
	}
	return i.say(s.Step, worker.StepWaived, why)
}

// prompt asks one thing. The error is that nobody answers any more.
func (i *interview) prompt(question string) (string, error) {
	fmt.Fprintf(i.out, "      %s > ", question)
	line, err := i.in.ReadString('\n')
	if err != nil && line == "" {
		return "", errStopped
	}
	return strings.TrimSpace(line), nil
}

func (i *interview) look() (bus.Onboarding, error) {
	return bus.KeysOnboard.Ask(i.ctx, i.bus, bus.OnboardKey{Pool: i.set.pool, AppKey: i.appKey})
}

// say puts a person's word on record.
func (i *interview) say(step string, verdict worker.StepVerdict, why string) (bus.Onboarding, error) {
	q := bus.OnboardKey{Pool: i.set.pool, AppKey: i.appKey, Step: step, Verdict: verdict, Change: i.set.change()}
	q.Why = why
	return bus.KeysOnboard.Ask(i.ctx, i.bus, q)
}

// add puts a key into the pool that it does not have yet.
func (i *interview) add() (bus.Onboarding, error) {
	fmt.Fprintf(i.out, "Key %s is not in pool %s yet.\n", i.appKey, i.set.pool)
	said, err := i.prompt("add it? y/N")
	if err != nil || said != "y" {
		return bus.Onboarding{}, errors.Join(err, errNo)
	}
	add := i.set.add
	if add.Account == "" {
		if add.Account, err = i.prompt("which buyer account will authorize it, by the name that 1688 has for it? empty if there is only one"); err != nil {
			return bus.Onboarding{}, err
		}
	}
	add.Pool, add.AppKey, add.Limit, add.Onboard, add.Change = i.set.pool, i.appKey, int64(i.set.limit), true, i.set.change()
	if _, err := bus.KeysAdd.Ask(i.ctx, i.bus, add); err != nil {
		return bus.Onboarding{}, err
	}
	return i.look()
}

// seal takes the key's secret, where it is not shown if that is a terminal, and has it kept for the relays alone.
func (i *interview) seal(said string) error {
	if said != "s" {
		return fmt.Errorf("%d characters were typed: s first, then the secret", len(said))
	}
	typed, err := i.hidden("secret")
	if err != nil {
		return err
	}
	secret, err := seal.Clean(typed)
	if err != nil {
		return fmt.Errorf("secret: %w", err)
	}
	q := bus.SealKey{Pool: i.set.pool, AppKey: i.appKey, Change: i.set.change()}
	info, err := sealFor(i.ctx, i.bus, q, []string{"secret"}, []string{secret})
	if err == nil {
		fmt.Fprintf(i.out, "      sealed; its fingerprint is %s\n", info.Fingerprint)
	}
	return err
}

func (i *interview) hidden(name string) (string, error) {
	if file, ok := i.term.in.(*os.File); ok && isTerminal(file) {
		values, err := prompt(i.term, int(file.Fd()), []string{name})
		return strings.Join(values, ""), err
	}
	return i.prompt(name)
}

// begin prints the address at which the key is authorized, and gives the state that must come back.
func (i *interview) begin() (state string, err error) {
	begun, err := bus.KeysAuthorize.Ask(i.ctx, i.bus, bus.AuthorizeKey{
		Pool: i.set.pool, AppKey: i.appKey, RedirectURI: i.set.redirect, Change: i.set.change(),
	})
	if err == nil {
		fmt.Fprintf(i.out, "      open as the buyer: %s\n", begun.Address)
	}
	return begun.State, err
}

func (i *interview) finish(said, state string) error {
	_, err := bus.KeysAuthorize.Ask(i.ctx, i.bus, returned(i.set.pool, i.appKey, said, state, i.set.change()))
	return err
}
