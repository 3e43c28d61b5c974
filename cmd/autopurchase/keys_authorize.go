package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/url"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"autopurchase/internal/bus"
)

func newKeysAuthorize(term terminal) *cobra.Command {
	var k keySettings
	var redirect string
	var wait time.Duration
	return command(term, &cobra.Command{
		Use:   "authorize APPKEY",
		Short: "Let the buyer account authorize a key",
		Long: "Prints the address to open in a browser in which the buyer is signed in to 1688, and waits until the relay has the tokens: it\n" +
			"takes the code at its own address (relay --callback), or else from here: paste the code, or the address that the browser was\n" +
			"sent to. A code is good once, for two minutes. Neither tokens nor secrets pass here.",
		Example: "  autopurchase keys authorize 1000001\n  autopurchase keys authorize 1000001 --redirect-uri https://shop.example/back < code",
		Args:    cobra.ExactArgs(1),
	}, func(s *settings) {
		k.bind(s)
		s.text(&redirect, "redirect-uri", "", "where 1688 sends the browser, as the app's settings on 1688 have it; the relay's --callback if left out")
		s.duration(&wait, "wait", 15*time.Minute, time.Second, "how long to wait for the buyer")
	}, func(cmd *cobra.Command, args []string) error {
		return k.connected(cmd.Context(), func(b *bus.Bus) error {
			ctx, cancel := context.WithTimeout(cmd.Context(), wait)
			defer cancel()
			begin := bus.AuthorizeKey{Pool: k.pool, AppKey: args[0], RedirectURI: redirect, Change: k.change()}
			begun, err := bus.KeysAuthorize.Ask(ctx, b, begin)
			if err != nil {
				return err
			}
			fmt.Fprintf(term.err, "open as the buyer: %s\nwaiting; or paste the code, or the address that the browser was sent to:\n", begun.Address)
			got, err := (&consent{bus: b, set: &k, begun: begun}).wait(ctx, typed(ctx, term.in))
			if err != nil {
				return err
			}
			return k.showAuthorized(term.out, got)
		})
	})
}

func (k *keySettings) showAuthorized(out io.Writer, got bus.Authorization) error {
	if k.json {
		return json.NewEncoder(out).Encode(got)
	}
	ends := "is not known"
	if !got.EndsAt.IsZero() {
		ends = got.EndsAt.Format(time.DateOnly)
	}
	_, err := fmt.Fprintf(out, "key %s is authorized by %s; its refresh token ends: %s\n", got.AppKey, oneLine(strings.Join(got.Accounts, " / ")), ends)
	return err
}

// consent waits for a buyer's.
type consent struct {
	bus   *bus.Bus
	set   *keySettings
	begun bus.Authorization
}

// wait ends when the relay has other tokens than at the beginning, which came over its own callback, or when a code was pasted.
func (c *consent) wait(ctx context.Context, pasted <-chan string) (bus.Authorization, error) {
	const first, longest = time.Second, 10 * time.Second
	pause := first
	timer := time.NewTimer(pause)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return bus.Authorization{}, errors.New("nobody has consented; begin again")
		case said, more := <-pasted:
			if !more {
				pasted = nil // what is left is the callback
				continue
			}
			if said != "" {
				return bus.KeysAuthorize.Ask(ctx, c.bus, returned(c.set.pool, c.begun.AppKey, said, c.begun.State, c.set.change()))
			}
		case <-timer.C:
			now, err := bus.KeysAuthorize.Ask(ctx, c.bus, bus.AuthorizeKey{
				Pool: c.set.pool, AppKey: c.begun.AppKey, State: c.begun.State, Change: c.set.change(),
			})
			if err == nil && now.Authorized && now.Fingerprint != c.begun.Fingerprint {
				return now, nil
			}
			pause = min(2*pause, longest)
			timer.Reset(pause)
		}
	}
}

// returned makes a question of what a person pasted: the code, or the whole address that the browser was sent to.
func returned(pool, appKey, said, state string, change bus.Change) bus.AuthorizeKey {
	q := bus.AuthorizeKey{Pool: pool, AppKey: appKey, Code: said, State: state, Change: change}
	if u, err := url.Parse(said); err == nil && u.Query().Get("code") != "" {
		q.Code = u.Query().Get("code")
		if came := u.Query().Get("state"); came != "" {
			q.State = came
		}
	}
	return q
}

// typed hands out what is typed until ctx ends. A terminal on which nothing is typed holds its reader up until the program ends.
func typed(ctx context.Context, in io.Reader) <-chan string {
	said := make(chan string)
	go func() {
		defer close(said)
		for scanner := bufio.NewScanner(in); scanner.Scan(); {
			select {
			case said <- strings.TrimSpace(scanner.Text()):
			case <-ctx.Done():
				return
			}
		}
	}()
	return said
}
