package main

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/nats-io/nats.go/micro"
	"go.yaml.in/yaml/v3"

	"autopurchase/schemas"
)

// document is what the tests read of the AsyncAPI document.
type document struct {
	Channels map[string]struct {
		Address  string
		Messages map[string]ref
	}
	Operations map[string]struct {
		Action   string
		Channel  ref
		Messages []ref
		Reply    *struct{ Messages []ref }
	}
	Components struct {
		Messages map[string]struct {
			Payload struct{ Schema ref }
		}
	}
}

type ref struct {
	Ref string `yaml:"$ref"`
}

// name is the last part of what it refers to.
func (r ref) name() string { return r.Ref[strings.LastIndexByte(r.Ref, '/')+1:] }

func readDocument(t *testing.T) (d document) {
	t.Helper()
	text, err := schemas.FS.ReadFile("asyncapi.yaml")
	must(t, err)
	must(t, yaml.Unmarshal(text, &d))
	return d
}

// schema is the schema of the only message that is referred to; "" if it has no body.
func (d document) schema(messages []ref) string {
	if len(messages) != 1 {
		return "not one message"
	}
	return strings.TrimSuffix(d.Components.Messages[messages[0].name()].Payload.Schema.name(), ".schema.json")
}

// pattern is an address as NATS has it: {…} is one token of any kind.
func pattern(address string) string {
	tokens := strings.Split(address, ".")
	for i, token := range tokens {
		if strings.HasPrefix(token, "{") {
			tokens[i] = "*"
		}
	}
	return strings.Join(tokens, ".")
}

// TestTheContractIsWhatRuns compares the AsyncAPI document with a system that is up: every verb that answers is there with the
// schemas that it names, every stream's subjects are, each channel with an address has one operation, and there is nothing more.
func TestTheContractIsWhatRuns(t *testing.T) {
	t.Parallel()
	conn := dialled(t, newHouse(t, "in-process").where["nats"])
	d := readDocument(t)
	answered, sent := map[string]string{}, map[string]string{} // by pattern: schemas, or the name of the operation
	for name, operation := range d.Operations {
		at := pattern(d.Channels[operation.Channel.name()].Address)
		if answered[at] != "" || sent[at] != "" {
			t.Errorf("%s has two operations", at)
		}
		if operation.Reply == nil {
			sent[at] = name
			continue
		}
		answered[at] = d.schema(operation.Messages) + " → " + d.schema(operation.Reply.Messages)
	}
	for name, channel := range d.Channels {
		if at := pattern(channel.Address); channel.Address != "" && answered[at] == "" && sent[at] == "" {
			t.Errorf("%s, %s, has no operation", name, channel.Address)
		}
	}
	for _, e := range endpoints(t, conn) {
		for at, schemas := range answered {
			if covers(at, e.Subject) {
				if want := e.Metadata["request_schema"] + " → " + e.Metadata["reply_schema"]; schemas != want {
					t.Errorf("%s: the document has %s, it answers %s", e.Subject, schemas, want)
				}
				delete(answered, at)
				e.Subject = ""
			}
		}
		if e.Subject != "" {
			t.Errorf("%s answers and is not in the document", e.Subject)
		}
	}
	for at := range answered {
		t.Errorf("%s is in the document and nobody answers", at)
	}
	checkStreams(t, conn, sent)
}

// checkStreams compares what is sent with what the streams take; only the beats are in none.
func checkStreams(t *testing.T, conn *nats.Conn, sent map[string]string) {
	t.Helper()
	js, err := jetstream.New(conn)
	must(t, err)
	for info := range js.ListStreams(t.Context()).Info() {
		found := false
		for at := range sent {
			if slices.ContainsFunc(info.Config.Subjects, func(subject string) bool { return covers(subject, at) }) {
				found = true
				delete(sent, at)
			}
		}
		if !found {
			t.Errorf("stream %s is not in the document", info.Config.Name)
		}
	}
	delete(sent, "purchase.queue.status.*")
	for at := range sent {
		t.Errorf("%s is in the document and in no stream", at)
	}
}

// covers says whether a subject, or a narrower pattern, is within a pattern.
func covers(pattern, subject string) bool {
	p, s := strings.Split(pattern, "."), strings.Split(subject, ".")
	for i, token := range p {
		if token == ">" {
			return len(s) > i
		}
		if i >= len(s) || token != "*" && token != s[i] {
			return false
		}
	}
	return len(p) == len(s)
}

func dialled(t *testing.T, url string) *nats.Conn {
	t.Helper()
	conn, err := nats.Connect(url)
	must(t, err)
	t.Cleanup(conn.Close)
	return conn
}

// endpoints are all that any service of the system answers, as discovery tells.
func endpoints(t *testing.T, conn *nats.Conn) (all []micro.EndpointInfo) {
	t.Helper()
	inbox := conn.NewInbox()
	answers, err := conn.SubscribeSync(inbox)
	must(t, err)
	must(t, conn.PublishRequest("$SRV.INFO", inbox, nil))
	for wait := patience; ; wait = time.Second {
		msg, err := answers.NextMsg(wait)
		if err != nil {
			return all
		}
		var info micro.Info
		must(t, json.Unmarshal(msg.Data, &info))
		all = append(all, info.Endpoints...)
	}
}

// TestTheREADMEsNATSLines does what each line of the README that begins with nats does. It reads the lines itself, for the nats
// command is no dependency: pub, req, sub and micro info with -H and --count, as its help describes them. Where there is a nats
// command, the lines are run.
func TestTheREADMEsNATSLines(t *testing.T) {
	t.Parallel()
	h := newHouse(t, "in-process")
	conn := dialled(t, h.where["nats"])
	var waiting []*nats.Subscription
	lines := natsLines(t)
	if len(lines) < 6 {
		t.Fatalf("only %q", lines)
	}
	for _, line := range lines {
		args := words(t, line)[1:]
		headers, args := flags(t, args)
		switch verb := args[0]; verb {
		case "sub", "subscribe":
			sub, err := conn.SubscribeSync(args[1])
			must(t, err)
			waiting = append(waiting, sub)
		case "req", "request":
			msg := &nats.Msg{Subject: args[1], Data: []byte(args[2]), Header: headers}
			reply, err := conn.RequestMsg(msg, patience)
			if err != nil || !json.Valid(reply.Data) || reply.Header.Get(micro.ErrorCodeHeader) != "" || strings.Contains(string(reply.Data), `"error":`) {
				t.Errorf("%s: %v, %+v", line, err, reply)
			}
		case "micro":
			reply, err := conn.Request("$SRV.INFO."+args[2], nil, patience)
			if args[1] != "info" || err != nil || !json.Valid(reply.Data) {
				t.Errorf("%s: %v", line, err)
			}
		default:
			t.Errorf("%s: what does %s do?", line, verb)
		}
	}
	for _, sub := range waiting {
		if msg, err := sub.NextMsg(patience); err != nil || !json.Valid(msg.Data) {
			t.Errorf("nothing came on %s: %v", sub.Subject, err)
		}
	}
	runNATS(t, h, lines)
}

// runNATS runs the lines where there is a nats command; what listens does so for a moment.
func runNATS(t *testing.T, h *house, lines []string) {
	t.Helper()
	if _, err := exec.LookPath("nats"); err != nil {
		t.Log("there is no nats command: the lines were read, not run")
		return
	}
	for _, line := range lines {
		line = strings.Replace(strings.Replace(line, "PR-7", "PR-8", 2), "nats sub", "timeout 2 nats sub", 1)
		cmd := exec.CommandContext(t.Context(), "sh", "-c", line)
		cmd.Env = append(os.Environ(), "NATS_URL="+h.where["nats"])
		if out, err := cmd.CombinedOutput(); err != nil && !strings.HasPrefix(line, "timeout") {
			t.Errorf("%s: %v: %s", line, err, out)
		}
	}
}

// natsLines are the lines of the README's code that begin with nats.
func natsLines(t *testing.T) (lines []string) {
	t.Helper()
	for line := range strings.Lines(read(t, filepath.Join("..", "..", "README.md"))) {
		if strings.HasPrefix(line, "nats ") {
			lines = append(lines, strings.TrimSpace(line))
		}
	}
	return lines
}

// words splits a line as a shell does, as far as single quotes go.
func words(t *testing.T, line string) (all []string) {
	t.Helper()
	for i, part := range strings.Split(line, "'") {
		if i%2 == 1 {
			all = append(all, part)
		} else {
			all = append(all, strings.Fields(part)...)
		}
	}
	if strings.Count(line, "'")%2 != 0 || strings.ContainsAny(line, `"$\`) && !strings.Contains(line, "'") {
		t.Errorf("%s: is more than this test reads", line)
	}
	return all
}

// flags takes the flags out of a line.
func flags(t *testing.T, args []string) (headers nats.Header, rest []string) {
	t.Helper()
	headers = nats.Header{}
	for i := 0; i < len(args); i++ {
		switch args[i] {
		case "-H":
			i++
			name, value, _ := strings.Cut(args[i], ":")
			headers.Set(name, value)
		case "--count":
			i++
		default:
			if strings.HasPrefix(args[i], "-") {
				t.Errorf("%v: what is %s?", args, args[i])
			}
			rest = append(rest, args[i])
		}
	}
	return headers, slices.Clip(rest)
}
