package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/nats-io/nats.go/micro"
	"github.com/santhosh-tekuri/jsonschema/v6"
	"go.yaml.in/yaml/v3"

	"autopurchase/internal/bus"
	"autopurchase/schemas"
	"autopurchase/worker"
)

// admin is an administrator with nothing but a NATS client.
type admin struct {
	t       *testing.T
	conn    *nats.Conn
	journal jetstream.Stream
	verbs   map[string]micro.EndpointInfo // what the service says that it answers
}

func newAdmin(t *testing.T, url string) *admin {
	t.Helper()
	conn, err := nats.Connect(url)
	must(t, err)
	t.Cleanup(conn.Close)
	js, err := jetstream.New(conn)
	must(t, err)
	a := &admin{t: t, conn: conn, verbs: map[string]micro.EndpointInfo{}}
	a.journal, err = js.Stream(t.Context(), bus.StreamKeyPool)
	must(t, err)
	reply, err := conn.RequestWithContext(t.Context(), "$SRV.INFO.autopurchase-keypool", nil)
	must(t, err)
	var info micro.Info
	must(t, json.Unmarshal(reply.Data, &info))
	for _, e := range info.Endpoints {
		a.verbs[e.Name] = e
	}
	return a
}

// ask sends a message. The question and the answer, if it is one, must be as the schemas say that the service names.
func (a *admin) ask(verb, id, body string) (reply []byte, code, reason string) {
	a.t.Helper()
	msg := &nats.Msg{Subject: "keypool.admin." + verb, Data: []byte(body), Header: nats.Header{}}
	if id != "" {
		msg.Header.Set(nats.MsgIdHdr, id)
	}
	answer, err := a.conn.RequestMsgWithContext(a.t.Context(), msg)
	must(a.t, err)
	code, reason = answer.Header.Get(micro.ErrorCodeHeader), answer.Header.Get(micro.ErrorHeader)
	if code != "invalid" {
		mustFit(a.t, a.verbs[verb].Metadata["request_schema"], []byte(body))
	}
	if code == "" {
		mustFit(a.t, a.verbs[verb].Metadata["reply_schema"], answer.Data)
	}
	return answer.Data, code, reason
}

// key asks for what is answered with a key.
func (a *admin) key(verb, id, body string) (info bus.KeyInfo) {
	a.t.Helper()
	reply, code, reason := a.ask(verb, id, body)
	if code != "" {
		a.t.Fatalf("%s %s: %s: %s", verb, body, code, reason)
	}
	must(a.t, json.Unmarshal(reply, &info))
	return info
}

func (a *admin) refused(verb, id, body, code, reason string) {
	a.t.Helper()
	if _, gotCode, got := a.ask(verb, id, body); gotCode != code || !strings.HasPrefix(got, reason) {
		a.t.Errorf("%s %s: %s: %s, want %s: %s", verb, body, gotCode, got, code, reason)
	}
}

// last is the newest event of a kind, which the journal must have by now, and how many events there are.
func (a *admin) last(kind worker.EventKind) (event worker.PoolEvent, events uint64) {
	a.t.Helper()
	msg, err := a.journal.GetLastMsgForSubject(a.t.Context(), "keypool.event.default."+string(kind))
	must(a.t, err)
	event, err = schemas.DecodePoolEvent(msg.Data)
	must(a.t, err)
	info, err := a.journal.Info(a.t.Context())
	must(a.t, err)
	return event, info.State.LastSeq
}

// mustFit checks a message against its schema.
func mustFit(t *testing.T, name string, body []byte) {
	t.Helper()
	text, err := schemas.Schema(name)
	must(t, err)
	document, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	must(t, err)
	compiler := jsonschema.NewCompiler()
	must(t, compiler.AddResource(schemas.Base+name, document))
	schema, err := compiler.Compile(schemas.Base + name)
	must(t, err)
	value, err := jsonschema.UnmarshalJSON(bytes.NewReader(body))
	if err = errors.Join(err, schema.Validate(value)); err != nil {
		t.Errorf("%s is not as %s says: %v", body, name, err)
	}
}

// clientOnly are the commands that send the messages of others, or none.
var clientOnly = []string{"import", "identity", "reseal"}

// TestEveryVerbHasASchemaAPlaceInTheContractAndACommand, and nothing else has.
func TestEveryVerbHasASchemaAPlaceInTheContractAndACommand(t *testing.T) {
	t.Parallel()
	nats, _, _ := staffed(t)
	served := newAdmin(t, nats).verbs
	for name, e := range served {
		for _, which := range []string{"request_schema", "reply_schema"} {
			if _, err := schemas.Schema(e.Metadata[which]); err != nil {
				t.Errorf("%s has no %s: %v", name, which, err)
			}
		}
		if e.Subject != "keypool.admin."+name {
			t.Errorf("%s listens on %s", name, e.Subject)
		}
	}
	names := slices.Sorted(maps.Keys(served))
	if got := documented(t); !slices.Equal(got, names) {
		t.Errorf("the AsyncAPI document has %v, the service %v", got, names)
	}
	keys, _, err := newRoot(terminal{}).Find([]string{"keys"})
	must(t, err)
	var commands []string
	for _, c := range keys.Commands() {
		if !slices.Contains(clientOnly, c.Name()) {
			commands = append(commands, c.Name())
		}
	}
	if slices.Sort(commands); !slices.Equal(commands, names) {
		t.Errorf("the commands are %v, the service has %v", commands, names)
	}
}

// documented lists the verbs that the AsyncAPI document has.
func documented(t *testing.T) (verbs []string) {
	t.Helper()
	text, err := schemas.FS.ReadFile("asyncapi.yaml")
	must(t, err)
	var document struct {
		Channels map[string]struct{ Address string }
	}
	must(t, yaml.Unmarshal(text, &document))
	for _, channel := range document.Channels {
		if verb, ok := strings.CutPrefix(channel.Address, "keypool.admin."); ok {
			verbs = append(verbs, verb)
		}
	}
	slices.Sort(verbs)
	return verbs
}

// TestVerbsOverNATS goes through a key's life with plain messages. Each change is in the journal when it is answered, with who
// asked for it, why, by which message, and the key's version; the same message again changes nothing and has the same answer.
func TestVerbsOverNATS(t *testing.T) {
	t.Parallel()
	nats, _, _ := staffed(t)
	a := newAdmin(t, nats)
	a.key("add", "", `{"app_key":"1000001","limit":50,"account":"buyer-1","alipay":"business","source":"managed","by":"li"}`)
	a.key("add", "", `{"app_key":"1000002","by":"li"}`)
	for i, step := range []struct {
		verb, more string
		kind       worker.EventKind
		state      string
		limit      int64
	}{
		{"limit", `,"limit":60`, worker.EventChanged, "active", 60},
		{"rotate", "", worker.EventChanged, "ready", 60},
		{"disable", "", worker.EventDisabled, "disabled", 60},
		{"enable", "", worker.EventEnabled, "ready", 60},
		{"bench", "", worker.EventBenched, "benched", 60},
		{"restore", "", worker.EventRestored, "ready", 60},
		{"add", `,"limit":70,"source":"managed"`, worker.EventChanged, "ready", 70},
		{"retire", "", worker.EventRetired, "retired", 70},
		{"enable", "", worker.EventEnabled, "ready", 70},
		{"remove", "", worker.EventRemoved, "removed", 70},
		{"add", `,"limit":80,"source":"managed"`, worker.EventAdded, "ready", 80},
	} {
		id, version := fmt.Sprint("change-", i), int64(i+1)
		body := fmt.Sprintf(`{"app_key":"1000001","by":"li %d","why":"reason %d","version":%d%s}`, i, i, version, step.more)
		info := a.key(step.verb, id, body)
		event, events := a.last(step.kind)
		if info.State != step.state || info.Limit != step.limit || info.Version != version+1 || info.AppKey != "1000001" || info.Pool != "default" || info.Source != "managed" {
			t.Errorf("%s: %+v", step.verb, info)
		}
		if event.AppKey != "1000001" || event.By != fmt.Sprint("li ", i) || event.Why != fmt.Sprint("reason ", i) || event.Change != id || event.Version != info.Version {
			t.Errorf("%s: the journal has %+v", step.verb, event)
		}
		if again := a.key(step.verb, id, body); again != info {
			t.Errorf("%s again: %+v, at first %+v", step.verb, again, info)
		}
		if _, now := a.last(step.kind); now != events {
			t.Errorf("%s again: %d events more", step.verb, now-events)
		}
		if shown := a.key("show", "", `{"app_key":"1000001"}`); shown != info {
			t.Errorf("%s: shown as %+v, answered %+v", step.verb, shown, info)
		}
		if step.verb != "remove" {
			a.refused(step.verb, id+"-late", body, "stale", "version: ")
		}
	}
}

// TestRefusalsOverNATS: each kind has its code and names the field, and none leaves an event.
func TestRefusalsOverNATS(t *testing.T) {
	t.Parallel()
	nats, _, _ := staffed(t)
	a := newAdmin(t, nats)
	a.key("add", "first", `{"app_key":"1000001","by":"li"}`)
	_, before := a.last(worker.EventAdded)
	for _, verb := range []string{"limit", "enable", "disable", "bench", "restore", "retire", "remove", "reset", "rotate", "show", "probe"} {
		more := map[string]string{"limit": `,"by":"li","limit":5`, "show": ""}
		body, ok := more[verb]
		if !ok {
			body = `,"by":"li","why":"to see"`
		}
		a.refused(verb, "", `{"app_key":"1000009"`+body+`}`, "unknown_key", "app_key: ")
		a.refused(verb, "", `{"app_key":"1000001","pool":"other"`+body+`}`, "unknown_key", "app_key: ")
		a.refused(verb, "", `{"app_key":"1000001","secret":"hunter2"}`, "invalid", "secret: is not a field")
		if verb != "show" {
			a.refused(verb, strings.Repeat("x", 129), `{"app_key":"1000001"`+body+`}`, "invalid", "Nats-Msg-Id: ")
		}
	}
	for _, verb := range []string{"retire", "remove", "reset"} {
		a.refused(verb, "", `{"app_key":"1000001","by":"li"}`, "invalid", "why: ")
	}
	a.refused("rotate", "", `{"app_key":"1000001","by":"li"}`, "wrong_state", "app_key: ")
	a.refused("disable", "first", `{"app_key":"1000001","by":"li"}`, "reused", "Nats-Msg-Id: ")
	a.refused("probe", "", `{"app_key":"1000001","by":"li"}`, "channel_down", "")
	if _, now := a.last(worker.EventAdded); now != before {
		t.Errorf("%d events were left", now-before)
	}
}

// TestPoolSettingsOverNATS: what is left out stays, and who changes settings that somebody else has changed meanwhile hears of it.
func TestPoolSettingsOverNATS(t *testing.T) {
	t.Parallel()
	nats, _, _ := staffed(t)
	a := newAdmin(t, nats)
	pool := func(id, body string) (s bus.PoolSettings) {
		t.Helper()
		reply, code, reason := a.ask("pool", id, body)
		if code != "" {
			t.Fatalf("%s: %s: %s", body, code, reason)
		}
		must(t, json.Unmarshal(reply, &s))
		return s
	}
	if s := pool("", `{}`); s.Pool != "default" || s.Count != "lines" || s.Width != 1 || s.Low != 100 || s.Strategy != "first" || len(s.Recipients) != 0 || s.Version != 0 {
		t.Errorf("%+v", s)
	}
	first := pool("one", `{"width":2,"strategy":"even","by":"li","why":"more at once"}`)
	if first.Width != 2 || first.Strategy != "even" || first.Count != "lines" || first.Low != 100 || first.Version != 1 {
		t.Errorf("%+v", first)
	}
	event, _ := a.last(worker.EventPool)
	if event.By != "li" || event.Why != "more at once" || event.Change != "one" || event.Version != 1 || event.Width != 2 {
		t.Errorf("%+v", event)
	}
	const age = "age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p"
	second := pool("two", `{"low":0,"recipients":["`+age+`"],"by":"wang","version":1}`)
	if second.Width != 2 || second.Low != 0 || !slices.Equal(second.Recipients, []string{age}) || second.Version != 2 {
		t.Errorf("%+v", second)
	}
	_, events := a.last(worker.EventPool)
	if again := pool("two", `{"low":0,"recipients":["`+age+`"],"by":"wang","version":1}`); again.Version != 2 {
		t.Errorf("%+v", again)
	}
	if late := pool("one", `{"width":2,"strategy":"even","by":"li","why":"more at once"}`); !reflect.DeepEqual(late, second) {
		t.Errorf("the first message once more, after the second one: %+v", late)
	}
	a.refused("pool", "one", `{"width":3,"by":"li"}`, "reused", "Nats-Msg-Id: ")
	a.refused("pool", "", `{"low":7,"by":"li","version":1}`, "stale", "version: ")
	a.refused("pool", "", `{"low":7}`, "invalid", "by: ")
	if _, now := a.last(worker.EventPool); now != events {
		t.Errorf("%d events more", now-events)
	}
	shared := pool("three", `{"tenants":{"acme":3,"bolt":1},"sellers":{"shop-a":"business","shop-b":"any"},"by":"li","why":"only they pay"}`)
	if shared.Tenants["acme"] != 3 || len(shared.Tenants) != 2 || shared.Sellers["shop-a"] != "business" || len(shared.Sellers) != 1 || shared.Version != 3 {
		t.Errorf("%+v", shared)
	}
	if event, _ := a.last(worker.EventSeller); event.Seller != "shop-a" || event.Alipay != "business" || event.By != "li" {
		t.Errorf("%+v", event)
	}
	if s := pool("", `{"tenants":{},"sellers":{"shop-a":"any"},"by":"li"}`); len(s.Tenants) != 0 || len(s.Sellers) != 0 || s.Version != 4 {
		t.Errorf("%+v", s)
	}
	for _, alipay := range []string{"business", "any", "business"} { // messages without an id are never the same one again
		s := pool("", `{"sellers":{"shop-z":"`+alipay+`"},"by":"li"}`)
		if got, restricted := s.Sellers["shop-z"]; restricted != (alipay == "business") || restricted && got != alipay {
			t.Errorf("%s: %+v", alipay, s)
		}
	}
	if s := pool("", `{"recipients":[],"by":"li"}`); len(s.Recipients) != 0 || s.Version != 5 {
		t.Errorf("%+v", s)
	}
}
