package main

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/redis/go-redis/v9"

	"autopurchase/internal/keypool"
)

// disguises are the forms in which a value may be hidden in a text: as it is, in hexadecimal, and in base64 at each of the places
// where it may begin, without what depends on its neighbours.
func disguises(mark string) []string {
	forms := []string{mark, hex.EncodeToString([]byte(mark)), url.QueryEscape(mark)}
	for before := range 3 {
		text := base64.StdEncoding.EncodeToString(append(make([]byte, before), mark...))
		first := (before*8 + 5) / 6
		forms = append(forms, text[first:len(strings.TrimRight(text, "="))-1])
	}
	return forms
}

func TestDisguisesAreSeen(t *testing.T) {
	for before := range 4 {
		text := base64.StdEncoding.EncodeToString([]byte(strings.Repeat("x", before) + markerSecret + "yz"))
		if !strings.Contains(text, disguises(markerSecret)[3]) && !strings.Contains(text, disguises(markerSecret)[4]) && !strings.Contains(text, disguises(markerSecret)[5]) {
			t.Errorf("not seen in %s", text)
		}
	}
}

// record keeps what commands and services said.
type record struct {
	t    *testing.T
	said bytes.Buffer
}

func (r *record) add(what string, code, want int, text string) {
	r.t.Helper()
	if code != want {
		r.t.Fatalf("%s: exit %d, want %d: %s", what, code, want, text)
	}
	fmt.Fprintf(&r.said, "%s: %s\n", what, text)
}

// commands runs keys commands, each with its standard input.
func (r *record) commands(nats string, list [][2]string, want int) {
	r.t.Helper()
	for _, c := range list {
		var out, errs output
		code := run(r.t.Context(), append([]string{"keys"}, append(strings.Fields(c[1]), "--nats", nats)...), terminal{
			in: strings.NewReader(c[0]), out: &out, err: &errs, env: func(string) (string, bool) { return "", false },
		})
		r.add(c[1], code, want, out.String()+errs.String())
	}
}

// unsealed hands plain values over, as a wrong client would.
func (r *record) unsealed(nats_, appKey string) {
	r.t.Helper()
	connection, err := nats.Connect(nats_)
	must(r.t, err)
	defer connection.Close()
	for _, verb := range []string{"seal", "add", "list"} {
		for _, body := range []string{
			`{"app_key":"` + appKey + `","secret":"` + markerSecret + `","fingerprint":"aaaa-bbbb-cccc-dddd","by":"li"}`,
			`{"app_key":"` + appKey + `","secret":` + markerSecret + `}`, `{"secret":["` + markerSecret + `"]}`, markerSecret,
		} {
			reply, err := connection.Request("keypool.admin."+verb, []byte(body), 10*time.Second)
			must(r.t, err)
			if reply.Header.Get("Nats-Service-Error-Code") == "" {
				r.t.Errorf("%s took %s", verb, body)
			}
			fmt.Fprintf(&r.said, "%v %s\n", reply.Header, reply.Data)
		}
	}
}

// callback sends a browser back to a relay with a code that nobody asked for.
func (r *record) callback(relay string) {
	r.t.Helper()
	r.t.Cleanup(http.DefaultClient.CloseIdleConnections)
	for _, query := range []string{"?code=" + markerCode + "&state=" + markerCode, "?code=" + markerCode, "?error=" + markerCode} {
		answer, err := http.Get(relay + "/oauth/callback" + query)
		must(r.t, err)
		body, err := io.ReadAll(answer.Body)
		must(r.t, err)
		_ = answer.Body.Close()
		fmt.Fprintf(&r.said, "%d %v %s\n", answer.StatusCode, answer.Header, body)
	}
}

// pages reads what is shown under an address, and what is counted there.
func (r *record) pages(address string, paths ...string) {
	r.t.Helper()
	for _, path := range paths {
		answer, err := http.Get(address + path)
		must(r.t, err)
		body, err := io.ReadAll(answer.Body)
		must(r.t, err)
		_ = answer.Body.Close()
		if answer.StatusCode != http.StatusOK || len(body) == 0 {
			r.t.Errorf("%s%s: %s, %d bytes", address, path, answer.Status, len(body))
		}
		fmt.Fprintf(&r.said, "%s %v %s\n", path, answer.Header, body)
	}
}

// shown runs commands that show something, as each of them is, and for machines.
func (r *record) shown(nats string, list ...string) {
	r.t.Helper()
	for _, c := range list {
		for _, more := range [][]string{nil, {"--json"}} {
			code, out, errs := execute(r.t, nil, append(append(strings.Fields(c), "--nats", nats), more...)...)
			r.add(c, code, exitOK, out+errs)
		}
	}
}

func (r *record) check() {
	r.t.Helper()
	if r.said.Len() < 1000 {
		r.t.Error("next to nothing was said: the search shows nothing")
	}
	mustNotTell(r.t, "an answer", r.said.Bytes(), markerSecret, markerToken, markerCode, markerPhone, markerName, markerStreet, "AGE-SECRET-KEY-")
}

// arguments are those that every program on the machine can read; of a process that has ended, those that it was given.
func arguments(t *testing.T, p *process) string {
	t.Helper()
	given := strings.Join(p.cmd.Args, "\n")
	seen, err := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", p.cmd.Process.Pid))
	if err != nil {
		return given
	}
	return given + "\n" + string(seen)
}

// dumped is everything in a Redis as DUMP gives it, without compression; it leaves a file of the same behind (RDB), and its log of
// commands written anew.
func dumped(t *testing.T, url string) []byte {
	t.Helper()
	must(t, keypool.CheckURL(url))
	options, err := redis.ParseURL(url)
	must(t, err)
	client := redis.NewClient(options)
	defer client.Close()
	must(t, client.ConfigSet(t.Context(), "rdbcompression", "no").Err())
	var all bytes.Buffer
	keys := client.Scan(t.Context(), 0, "*", 1000).Iterator()
	for keys.Next(t.Context()) {
		dump, err := client.Dump(t.Context(), keys.Val()).Result()
		if errors.Is(err, redis.Nil) {
			continue // who is still running has just emptied it
		}
		must(t, err)
		all.WriteString(keys.Val() + "\n" + dump + "\n")
	}
	must(t, keys.Err())
	must(t, client.Save(t.Context()).Err())
	return all.Bytes()
}

func readFile(t *testing.T, path string) []byte {
	t.Helper()
	body, err := os.ReadFile(path)
	must(t, err)
	return body
}
