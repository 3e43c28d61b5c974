package main

import (
	"encoding/json"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"autopurchase/internal/bus"
	"autopurchase/internal/relay"
	"autopurchase/internal/sim1688"
	"autopurchase/worker"
)

// applicant is a person who makes an app key on the platform, with the program's prompts on the screen: what is written goes to the
// screen, and what is read is typed as soon as a prompt ends it.
type applicant struct {
	t      *testing.T
	screen strings.Builder
	keys   io.Writer // what is typed
	act    func(asked, screen string) string
}

var stepOnScreen = regexp.MustCompile(`\[\d+/\d+\] (.*)\n`)

func (a *applicant) Write(p []byte) (int, error) {
	a.screen.Write(p)
	if text := a.screen.String(); strings.HasSuffix(text, " > ") {
		before := strings.TrimSuffix(text, " > ")
		asked := before[max(strings.LastIndexByte(before, '\n'), strings.LastIndex(before, " > ")+2)+1:] // nothing echoes what is typed
		if titles := stepOnScreen.FindAllStringSubmatch(text, -1); titles != nil && !strings.Contains(asked, "?") && strings.TrimSpace(asked) != "secret" {
			asked = titles[len(titles)-1][1]
		}
		_, err := io.WriteString(a.keys, a.act(strings.TrimSpace(asked), text)+"\n")
		return len(p), err
	}
	return len(p), nil
}

// submit sends a form of the platform, which is the simulator's admin API.
func submit(t *testing.T, url, body string) {
	t.Helper()
	answer, err := http.Post(url, "application/json", strings.NewReader(body))
	must(t, err)
	defer answer.Body.Close()
	said, err := io.ReadAll(answer.Body)
	must(t, err)
	if answer.StatusCode != http.StatusOK {
		t.Fatalf("%s: %s", url, said)
	}
}

const managedKey = `{"keys":[{"app_key":"2000001","secret":"MARKER-secret"}]}`

// newcomer is up with whatever keys its relay's operator has, and a platform on which nobody has made one yet.
type newcomer struct {
	t     *testing.T
	sim   *sim1688.Sim
	args  []string
	dir   string
	up    *process
	where map[string]string
}

func newNewcomer(t *testing.T, keys string) *newcomer {
	t.Helper()
	sim, err := sim1688.Start(t.Context(), sim1688.Config{Resend: 100 * time.Millisecond})
	must(t, err)
	t.Cleanup(func() { must(t, sim.Close()) })
	n := &newcomer{t: t, sim: sim, dir: t.TempDir()}
	n.args = []string{"up", "--data", n.dir, "--redis", "server", "--gateway", sim.GatewayURL(), "--messages", sim.MessagesURL(),
		"--authorize-page", sim.GatewayURL() + "/oauth/authorize", "--grace", "1s"}
	if keys != "" {
		file := filepath.Join(t.TempDir(), "keys.json")
		must(t, os.WriteFile(file, []byte(keys), 0o600))
		n.args = append(n.args, "--keys-file", file)
	}
	n.start()
	addKeys(t, n.where["nats"], "1000001")
	return n
}

func (n *newcomer) start() {
	n.t.Helper()
	up := launch(n.t, n.args...)
	up.says("up", "nats")
	n.t.Cleanup(func() {
		if said := up.err.String(); strings.Contains(said, "MARKER") {
			n.t.Errorf("a secret is in the log: %s", said)
		}
	})
	n.up, n.where = up, readAddresses(n.t, n.dir)
}

// TestOnboardFromNothing makes a key on the platform and goes through every step with nothing but the command's own prompts.
func TestOnboardFromNothing(t *testing.T) {
	t.Parallel()
	n := newNewcomer(t, "")
	sim, where := n.sim, n.where
	const appKey = "2000001"
	in, keys := io.Pipe()
	defer keys.Close()
	typed := make(chan string, 16) // the screen does not wait for the keyboard
	go func() {
		for text := range typed {
			_, _ = io.WriteString(keys, text)
		}
	}()
	defer close(typed)
	allow := func(body string) {
		submit(t, sim.AdminURL()+"/admin/permissions", `{"app_key":"`+appKey+`",`+body+`}`)
	}
	tried := map[string]int{}
	a := &applicant{t: t, keys: writerFunc(func(text string) { typed <- text })}
	a.act = func(asked, screen string) string {
		if tried[asked]++; tried[asked] > 3 {
			return "q" // and the test fails
		}
		switch {
		case strings.HasPrefix(asked, "add it?"):
			return "y"
		case strings.HasPrefix(asked, "which buyer account"):
			return "buyer-1"
		case asked == "The test key is made":
			submit(t, sim.AdminURL()+"/admin/keys",
				`{"app_key":"`+appKey+`","secret":"MARKER-secret","member":"buyer-1","no_messages":true,"apis":["currentTime","alibaba.trade.pay.protocolPay.isopen"]}`)
			return "d"
		case asked == "secret":
			return " MARKER-secret "
		case asked == "Give the relay the key and its secret":
			return "s"
		case asked == "Choose the websocket for messages":
			allow(`"messages":true`)
			until(t, func() bool { return sim.Sessions(appKey) > 0 })
		case asked == "Tick all commands":
			if tried[asked] == 1 {
				return "l" // the test commands come first
			}
		case asked == "Send the test commands":
			sim.PushMock(appKey, "ORDER_BUYER_VIEW_ORDER_PAY", map[string]any{})
			until(t, func() bool { return len(sim.Unconfirmed(appKey)) == 0 })
		case asked == "Authorize the app as the buyer":
			visit(t, screen[strings.LastIndex(screen, "open as the buyer: ")+len("open as the buyer: "):])
		case asked == "The app may order":
			allow(`"apis":[]`)
		case asked == "Sign the agreement with Alipay":
			sim.SetAgreement("buyer-1", true)
		default:
			return "d"
		}
		return ""
	}
	code := run(t.Context(), []string{"keys", "onboard", appKey, "--by", "li", "--nats", where["nats"], "--redirect-uri", where["http"] + relay.CallbackPath},
		terminal{in: in, out: a, err: a, env: func(string) (string, bool) { return "", false }})
	if code != exitOK {
		t.Fatalf("exit %d:\n%s", code, a.screen.String())
	}
	if said := a.screen.String(); strings.Contains(said, "MARKER") || !strings.Contains(said, "key 2000001 of pool default is ready") {
		t.Errorf("said:\n%s", said)
	}
	code, out, errs := execute(t, nil, "keys", "onboard", appKey, "--json", "--nats", where["nats"])
	if code != exitOK {
		t.Fatalf("exit %d: %s", code, errs)
	}
	mustFit(t, "key-onboarding", []byte(out))
	var stands bus.Onboarding
	must(t, json.Unmarshal([]byte(out), &stands))
	for _, s := range stands.Steps {
		if by := map[bool]string{true: worker.ByMachine, false: "li"}[s.Machine]; s.Verdict != worker.StepPassed || s.By != by {
			t.Errorf("%+v", s)
		}
	}
	if stands.Key.State != "ready" || stands.Key.Account != "buyer-1" || stands.Key.Left != 1000 {
		t.Errorf("%+v", stands.Key)
	}
	event, _ := newAdmin(t, where["nats"]).last(worker.EventOnboarded)
	if event.AppKey != appKey || event.By != worker.ByMachine || event.Verdict != "passed" {
		t.Errorf("the last event is %+v", event)
	}
	stopped(t, n.up)
	n.start() // nobody is asked again
	reply, refused, reason := newAdmin(t, n.where["nats"]).ask("authorize", "", `{"app_key":"`+appKey+`","state":"none","by":"li"}`)
	var held bus.Authorization
	if refused != "" {
		t.Fatalf("%s: %s", refused, reason)
	}
	must(t, json.Unmarshal(reply, &held))
	if !held.Authorized || len(held.Accounts) == 0 || held.Accounts[0] != "buyer-1" || held.EndsAt.IsZero() {
		t.Errorf("after a restart: %+v", held)
	}
}

type writerFunc func(string)

func (w writerFunc) Write(p []byte) (int, error) {
	w(string(p))
	return len(p), nil
}

// visit opens a page as the buyer's browser does, and follows where it is sent.
func visit(t *testing.T, screen string) {
	t.Helper()
	address, _, _ := strings.Cut(screen, "\n")
	answer, err := http.Get(strings.TrimSpace(address))
	must(t, err)
	defer answer.Body.Close()
	page, err := io.ReadAll(answer.Body)
	must(t, err)
	if answer.StatusCode != http.StatusOK || !strings.Contains(string(page), "authorized by buyer-1") {
		t.Fatalf("%s: %s", answer.Status, page)
	}
}

// TestOnboardByScript takes answers from the command line, and a person's word only where 1688 proves nothing.
func TestOnboardByScript(t *testing.T) {
	t.Parallel()
	n := newNewcomer(t, managedKey)
	sim, where := n.sim, n.where
	nats := where["nats"]
	k, a := keyCommands{t, nats}, newAdmin(t, nats)
	k.key("add", "2000001", "--onboard", "--source", "managed")
	onboard := func(want int, flags ...string) (o bus.Onboarding) {
		t.Helper()
		code, out, errs := execute(t, nil, append([]string{"keys", "onboard", "2000001", "--json", "--by", "li", "--nats", nats}, flags...)...)
		if code != want {
			t.Fatalf("%v: exit %d: %s%s", flags, code, out, errs)
		}
		if out != "" {
			mustFit(t, "key-onboarding", []byte(out))
			must(t, json.Unmarshal([]byte(out), &o))
		}
		return o
	}
	if o := onboard(exitFailed); o.Done || o.Key.State != "onboarding" || !strings.Contains(byName(o, "secret").Why, "gw.AppKeyNotFound") {
		t.Errorf("before it is made: %+v", o)
	}
	onboard(exitUsage, "--answer", "luck=passed")
	onboard(exitUsage, "--answer", "role=perhaps")
	a.refused("onboard", "", `{"app_key":"2000001","step":"secret","verdict":"passed","by":"li"}`, "invalid", "verdict: must be waived or open")
	a.refused("onboard", "", `{"app_key":"2000001","step":"alipay","verdict":"waived","by":"li"}`, "invalid", "why: ")
	a.refused("onboard", "", `{"app_key":"2000001","step":"role","verdict":"passed","by":"machine"}`, "invalid", "by: ")
	a.refused("onboard", "", `{"app_key":"2000002","step":"role","verdict":"passed","by":"li"}`, "unknown_key", "app_key: ")
	submit(t, sim.AdminURL()+"/admin/keys", `{"app_key":"2000001","secret":"MARKER-secret"}`)
	if o := onboard(exitFailed, "--answer", "role=passed,form=open"); byName(o, "secret").Verdict != worker.StepPassed ||
		byName(o, "role").By != "li" || byName(o, "form").Verdict != worker.StepOpen {
		t.Errorf("once it is made: %+v", o)
	}
	var rest []string
	for _, s := range worker.StepNames() {
		if s != "role" && s != "secret" {
			rest = append(rest, s+"=waived")
		}
	}
	o := onboard(exitOK, "--answer", strings.Join(rest, ","), "--why", "made by another program")
	if s := byName(o, "alipay"); !o.Done || o.Key.State != "ready" || s.Verdict != worker.StepWaived || s.By != "li" || s.Why != "made by another program" {
		t.Errorf("waived: %+v", o)
	}
}

// TestAuthorizeCommand waits for the relay's callback, or takes what was pasted.
func TestAuthorizeCommand(t *testing.T) {
	t.Parallel()
	n := newNewcomer(t, managedKey)
	sim, where := n.sim, n.where
	nats := where["nats"]
	submit(t, sim.AdminURL()+"/admin/keys", `{"app_key":"2000001","secret":"MARKER-secret","member":"buyer-1"}`)
	keyCommands{t, nats}.key("add", "2000001", "--account", "buyer-1", "--source", "managed")
	authorize := func(consent func(address string) (typed string), flags ...string) (code int, out, said string) {
		t.Helper()
		in, keyboard := io.Pipe()
		var stdout, stderr output
		done := make(chan struct{})
		go func() {
			defer close(done)
			defer keyboard.Close()
			stderr.await(t, "the address", done, func(text string) bool { return strings.Contains(text, "waiting;") })
			_, address, _ := strings.Cut(stderr.String(), "open as the buyer: ")
			address, _, _ = strings.Cut(address, "\n")
			_, _ = io.WriteString(keyboard, consent(address))
		}()
		args := append([]string{"keys", "authorize", "2000001", "--by", "li", "--nats", nats, "--redirect-uri", where["http"] + relay.CallbackPath}, flags...)
		code = run(t.Context(), args, terminal{in: in, out: &stdout, err: &stderr, env: func(string) (string, bool) { return "", false }})
		<-done
		if all := stdout.String() + stderr.String(); strings.Contains(all, "MARKER") {
			t.Errorf("a secret was said: %s", all)
		}
		return code, stdout.String(), stderr.String()
	}
	code, out, said := authorize(func(address string) string { visit(t, address); return "" })
	if code != exitOK || !strings.HasPrefix(out, "key 2000001 is authorized by buyer-1 / 2000001; its refresh token ends: 20") {
		t.Errorf("callback: exit %d: %s%s", code, out, said)
	}
	code, out, said = authorize(func(address string) string { return sentBack(t, address) + "\n" }, "--json")
	if code != exitOK {
		t.Fatalf("pasted: exit %d: %s%s", code, out, said)
	}
	mustFit(t, "key-authorization", []byte(out))
	code, out, said = authorize(func(string) string { return "MARKER-code\n" })
	if code != exitFailed || out != "" || !strings.Contains(said, "401") {
		t.Errorf("a wrong code: exit %d: %s%s", code, out, said)
	}
	if code, _, said = authorize(func(string) string { return "" }, "--wait", "1s"); code != exitFailed || !strings.Contains(said, "nobody has consented") {
		t.Errorf("nobody: exit %d: %s", code, said)
	}
}

// sentBack is the address that the browser is sent to, of a redirect that nothing answers.
func sentBack(t *testing.T, address string) string {
	t.Helper()
	client := http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	answer, err := client.Get(address)
	must(t, err)
	answer.Body.Close()
	back, err := answer.Location()
	must(t, err)
	return back.String()
}
