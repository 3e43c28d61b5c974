package bus

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/micro"

	"autopurchase/schemas"
	"autopurchase/worker"
)

// safe is a pool with one key and one error. It hands on what it was asked to change.
type safe struct {
	added   chan AddKey
	changed chan ChangeKey
	pools   chan ChangePool
	err     error
}

// keyChanges are the verbs that are about one key and need nothing but its name.
func keyChanges() []Verb[ChangeKey, KeyInfo] {
	return []Verb[ChangeKey, KeyInfo]{KeysEnable, KeysDisable, KeysBench, KeysRestore, KeysRotate, KeysRetire, KeysRemove, KeysReset}
}

func (s *safe) endpoints() []Endpoint {
	endpoints := []Endpoint{
		KeysAdd.Answer(func(_ context.Context, key AddKey) (KeyInfo, error) {
			s.added <- key
			return KeyInfo{AppKey: key.AppKey, Pool: key.Pool, State: "ready", Limit: 1000, Left: 1000}, s.err
		}),
		KeysList.Answer(func(_ context.Context, q ListKeys) ([]KeyInfo, error) {
			return []KeyInfo{{AppKey: "1000001", Pool: q.Pool}}, s.err
		}),
		KeysShow.Answer(func(_ context.Context, q ShowKey) (KeyInfo, error) {
			return KeyInfo{AppKey: q.AppKey, Pool: q.Pool}, s.err
		}),
		KeysLimit.Answer(func(_ context.Context, q LimitKey) (KeyInfo, error) {
			return KeyInfo{AppKey: q.AppKey, Pool: q.Pool, Limit: q.Limit}, s.err
		}),
		KeysSeal.Answer(func(_ context.Context, q SealKey) (KeyInfo, error) {
			return KeyInfo{AppKey: q.AppKey, Pool: q.Pool, Fingerprint: q.Fingerprint}, s.err
		}),
		KeysProbe.Answer(func(_ context.Context, q ChangeKey) (ProbedKey, error) {
			return ProbedKey{Passed: true, Key: KeyInfo{AppKey: q.AppKey}}, s.err
		}),
		KeysPool.Answer(func(_ context.Context, q ChangePool) (PoolSettings, error) {
			s.pools <- q
			return PoolSettings{Pool: q.Pool, Count: "lines", Width: 1}, s.err
		}),
		KeysStatement.Answer(func(_ context.Context, q AskStatement) (StatementPage, error) {
			return q.Page(worker.Statement{Pool: q.Pool, AppKey: q.AppKey}, 0), s.err
		}),
		KeysForecast.Answer(func(_ context.Context, q AskForecast) (worker.Forecast, error) {
			var nothing worker.Consumption
			return nothing.Forecast(q.Pool, time.Now(), nil, q.Outlook()), s.err
		}),
	}
	for _, verb := range keyChanges() {
		endpoints = append(endpoints, verb.Answer(func(_ context.Context, q ChangeKey) (KeyInfo, error) {
			s.changed <- q
			return KeyInfo{AppKey: q.AppKey, Pool: q.Pool, State: verb.Name()}, s.err
		}))
	}
	return endpoints
}

func administered(t *testing.T, err error) (*Bus, *safe) {
	t.Helper()
	b := connect(t, Config{URL: newServer(t)})
	s := &safe{added: make(chan AddKey, 100), changed: make(chan ChangeKey, 100), pools: make(chan ChangePool, 100), err: err}
	stop, err := b.AdminKeys(t.Context(), s.endpoints()...)
	must(t, err)
	t.Cleanup(stop)
	return b, s
}

func li() Change { return Change{By: "li", Why: "to see", Version: 3} }

func TestVerbs(t *testing.T) {
	t.Parallel()
	b, s := administered(t, nil)
	want := AddKey{Pool: "default", AppKey: "1000001", Limit: 500, Account: "buyer-1", Alipay: "none", Source: "own", Onboard: true, Change: li()}
	ask := want
	ask.Pool = ""
	info, err := KeysAdd.Ask(bounded(t), b, ask)
	if err != nil || info.State != "ready" || info.Left != 1000 || info.Pool != "default" {
		t.Errorf("%+v, %v", info, err)
	}
	got := receive(t, s.added)
	if want.ID = got.ID; got != want || got.ID == "" {
		t.Errorf("%+v, want %+v", got, want)
	}
	if infos, err := KeysList.Ask(bounded(t), b, ListKeys{Pool: "other"}); err != nil || len(infos) != 1 || infos[0].Pool != "other" {
		t.Errorf("%+v, %v", infos, err)
	}
	if reply, err := b.ask(bounded(t), "keypool.admin.list", nil); err != nil || !strings.Contains(string(reply), `"pool":"default"`) {
		t.Errorf("%s, %v", reply, err)
	}
	low, width, none := int64(0), 2, []string{}
	wish := ChangePool{Pool: "default", Count: "units", Width: &width, Low: &low, Strategy: "even", Recipients: &none, Change: li()}
	settings, err := KeysPool.Ask(bounded(t), b, wish)
	if err != nil || settings.Pool != "default" || settings.Width != 1 {
		t.Errorf("%+v, %v", settings, err)
	}
	had := receive(t, s.pools)
	if wish.ID = had.ID; had.ID == "" || !reflect.DeepEqual(had, wish) || had.Asks() {
		t.Errorf("%+v, want %+v", had, wish)
	}
	if _, err := KeysPool.Ask(bounded(t), b, ChangePool{}); err != nil || !receive(t, s.pools).Asks() {
		t.Error(err)
	}
	if info, err := KeysShow.Ask(bounded(t), b, ShowKey{AppKey: "1000001"}); err != nil || info.AppKey != "1000001" || info.Pool != "default" {
		t.Errorf("%+v, %v", info, err)
	}
	if info, err := KeysLimit.Ask(bounded(t), b, LimitKey{AppKey: "1000001", Limit: 7, Change: li()}); err != nil || info.Limit != 7 {
		t.Errorf("%+v, %v", info, err)
	}
	if probed, err := KeysProbe.Ask(bounded(t), b, ChangeKey{AppKey: "1000001", Change: li()}); err != nil || !probed.Passed || probed.Key.AppKey != "1000001" {
		t.Errorf("%+v, %v", probed, err)
	}
	for _, verb := range keyChanges() {
		info, err := verb.Ask(bounded(t), b, ChangeKey{AppKey: "1000001", Change: li()})
		got := receive(t, s.changed)
		if err != nil || info.State != verb.Name() || got.By != "li" || got.Why != "to see" || got.Version != 3 || got.ID == "" {
			t.Errorf("%s: %+v of %+v, %v", verb.Name(), info, got, err)
		}
	}
}

// TestAChangeHasTheMessagesID: it is the asker's, in the header, and every message has one of its own if the asker has none.
func TestAChangeHasTheMessagesID(t *testing.T) {
	t.Parallel()
	b, s := administered(t, nil)
	for range 2 {
		_, err := KeysRestore.Ask(bounded(t), b, ChangeKey{AppKey: "1000001", Change: Change{ID: "desk-3 / 17", By: "li"}})
		must(t, err)
		if got := receive(t, s.changed); got.ID != "desk-3 / 17" || got.By != "li" {
			t.Errorf("%+v", got)
		}
	}
	ids := map[string]bool{}
	for range 2 {
		_, err := KeysRestore.Ask(bounded(t), b, ChangeKey{AppKey: "1000001", Change: li()})
		must(t, err)
		ids[receive(t, s.changed).ID] = true
	}
	if len(ids) != 2 || ids[""] {
		t.Errorf("%v", ids)
	}
	body := []byte(`{"app_key":"1000001","by":"li"}`)
	_, err := b.ask(bounded(t), "keypool.admin.restore", body)
	must(t, err)
	if got := receive(t, s.changed); got.ID != "" {
		t.Errorf("%+v", got)
	}
	for _, id := range []string{strings.Repeat("x", 129), "a\tb", "a\u200bb"} {
		_, err := b.send(bounded(t), &nats.Msg{Subject: "keypool.admin.restore", Data: body, Header: nats.Header{nats.MsgIdHdr: {id}}})
		refusal, ok := errors.AsType[*AdminError](err)
		if !ok || refusal.Code != "invalid" || !strings.HasPrefix(refusal.Reason, "Nats-Msg-Id: must have at most 128") {
			t.Errorf("%q: %v", id, err)
		}
	}
}

// TestQuestionsAgreeWithTheirSchemas sends the samples of every request's schema, as any NATS client may.
func TestQuestionsAgreeWithTheirSchemas(t *testing.T) {
	t.Parallel()
	b, _ := administered(t, nil)
	for _, e := range endpointsOf(t, b) {
		name := e.Metadata["request_schema"]
		samples := 0
		for _, kind := range []string{"valid", "invalid"} {
			files, err := filepath.Glob(filepath.Join("..", "..", "schemas", "testdata", kind, name, "*.json"))
			must(t, err)
			for _, file := range files {
				samples++
				body, err := os.ReadFile(file)
				must(t, err)
				_, err = b.ask(bounded(t), e.Subject, body)
				refusal, refused := errors.AsType[*AdminError](err)
				if refused != (kind == "invalid") || refused && (refusal.Code != "invalid" || !strings.Contains(refusal.Reason, ": ")) {
					t.Errorf("%s: %s: %v", e.Subject, file, err)
				}
			}
		}
		if samples < 3 {
			t.Errorf("%s: %d samples of %s", e.Subject, samples, name)
		}
	}
}

// TestARefusalNamesTheField sends what breaks a rule.
func TestARefusalNamesTheField(t *testing.T) {
	t.Parallel()
	b, s := administered(t, nil)
	for body, reason := range map[string]string{
		`{`:                                  "body: ",
		`[]`:                                 "body: ",
		`null`:                               "body: must not be null",
		`{"app_key":"1","why":null}`:         "why: must not be null",
		``:                                   "app_key: must be",
		`{"app_key":"1"}{"app_key":"2"}`:     "body: ",
		`{"app_key":"1","app_key":"2"}`:      "app_key: is there more than once",
		`{"app_key":1000001}`:                "app_key: has the wrong type",
		`{"app_key":"1","limit":"many"}`:     "limit: has the wrong type",
		`{"app_key":"1","limit":-1}`:         "limit: must be",
		`{"app_key":"1","Limit":5}`:          "Limit: is not a field",
		`{"app_key":"1","id":"17"}`:          "id: is not a field",
		`{"app_key":"1","ID":"17"}`:          "ID: is not a field",
		`{"app_key":"1","Change":{}}`:        "Change: is not a field",
		`{"app_key":"1","secret":"hunter2"}`: "secret: is not a field",
		`{"app_key":"1","by":"li","alipay":"hunter2"}`: "alipay: must be",
		`{"app_key":"1","by":"li","pool":"a.b"}`:       "pool: must be",
		`{"app_key":"1","limit":1.5}`:                  "limit: has the wrong type",
		`{"app_key":"1","limit":1e3}`:                  "limit: has the wrong type",
		`{"app_key":"1","limit":99999999999999999999}`: "limit: has the wrong type",
		`{"app_key":"1"}`:                              "by: must say who",
		`{"app_key":"1","by":"li","version":-1}`:       "version: must be",
	} {
		_, err := b.ask(bounded(t), "keypool.admin.add", []byte(body))
		refusal, ok := errors.AsType[*AdminError](err)
		if !ok || refusal.Code != "invalid" || !strings.HasPrefix(refusal.Reason, reason) {
			t.Errorf("%s: %v, want %s", body, err, reason)
		} else if strings.Contains(refusal.Reason, "hunter2") {
			t.Errorf("%s repeats the value", refusal.Reason)
		}
	}
	if len(s.added) != 0 {
		t.Errorf("%d keys were added", len(s.added))
	}
}

func TestARefusalTellsTheCode(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		err          error
		code, reason string
	}{
		{&worker.Trouble{Code: worker.CodeRedisDown, Reason: "redis does not answer", Err: errors.New("dial 10.0.0.1")}, "redis_down", "redis does not answer"},
		{&worker.Trouble{Code: worker.CodeInvalid, Reason: "width: wrong\nlow: wrong"}, "invalid", "width: wrong; low: wrong"},
		{&worker.Denied{Code: worker.DenyStale, Field: "version", Reason: "the key has 4"}, "stale", "version: the key has 4"},
		{&worker.Invalid{Field: "app_key", Reason: "is not in the pool"}, "invalid", "app_key: is not in the pool"},
		{errors.New("password=hunter2"), "internal", "unexpected error; the worker's log has it"},
	} {
		b, _ := administered(t, c.err)
		_, err := KeysRestore.Ask(bounded(t), b, ChangeKey{AppKey: "1000001", Change: li()})
		refusal, ok := errors.AsType[*AdminError](err)
		if !ok || refusal.Code != c.code || refusal.Reason != c.reason || err.Error() != c.code+": "+c.reason {
			t.Errorf("%v: %v", c.err, err)
		}
	}
}

// TestAPanicEndsOneAnswer and not the worker that other messages rely on.
func TestAPanicEndsOneAnswer(t *testing.T) {
	t.Parallel()
	b := connect(t, Config{URL: newServer(t)})
	stop, err := b.AdminKeys(t.Context(), KeysShow.Answer(func(_ context.Context, q ShowKey) (KeyInfo, error) {
		if q.AppKey == "1000001" {
			panic("password=hunter2")
		}
		return KeyInfo{AppKey: q.AppKey}, nil
	}))
	must(t, err)
	t.Cleanup(stop)
	_, err = KeysShow.Ask(bounded(t), b, ShowKey{AppKey: "1000001"})
	if refusal, ok := errors.AsType[*AdminError](err); !ok || refusal.Code != "internal" || strings.Contains(refusal.Reason, "hunter2") {
		t.Errorf("%v", err)
	}
	if info, err := KeysShow.Ask(bounded(t), b, ShowKey{AppKey: "1000002"}); err != nil || info.AppKey != "1000002" {
		t.Errorf("%+v, %v", info, err)
	}
}

// TestAnAnswerThatDoesNotCome leaves it open whether a change was made, and says so; the same message finds out.
func TestAnAnswerThatDoesNotCome(t *testing.T) {
	t.Parallel()
	b := connect(t, Config{URL: newServer(t)})
	made, slow := make(chan string, 2), make(chan struct{})
	stop, err := b.AdminKeys(t.Context(), KeysReset.Answer(func(_ context.Context, q ChangeKey) (KeyInfo, error) {
		made <- q.ID
		<-slow
		return KeyInfo{AppKey: q.AppKey}, nil
	}))
	must(t, err)
	t.Cleanup(stop)
	impatient, cancel := context.WithTimeout(bounded(t), 100*time.Millisecond)
	defer cancel()
	q := ChangeKey{AppKey: "1000001", Change: Change{ID: "one", By: "li", Why: "to see"}}
	if _, err := KeysReset.Ask(impatient, b, q); err == nil || !strings.Contains(err.Error(), "whether it was done is not known") {
		t.Errorf("%v", err)
	}
	close(slow)
	if info, err := KeysReset.Ask(bounded(t), b, q); err != nil || info.AppKey != "1000001" {
		t.Errorf("%+v, %v", info, err)
	}
	if first, second := receive(t, made), receive(t, made); first != "one" || second != "one" {
		t.Errorf("%s, %s", first, second)
	}
}

// endpointsOf asks the service for what it answers, as any NATS client may.
func endpointsOf(t *testing.T, b *Bus) []micro.EndpointInfo {
	t.Helper()
	reply, err := b.conn.RequestWithContext(bounded(t), "$SRV.INFO.autopurchase-keypool", nil)
	must(t, err)
	var info micro.Info
	must(t, json.Unmarshal(reply.Data, &info))
	if info.Version != serviceVersion || len(info.Endpoints) == 0 {
		t.Errorf("%+v", info)
	}
	return info.Endpoints
}

func TestServicesAreFoundByDiscoveryAndEnd(t *testing.T) {
	t.Parallel()
	b := connect(t, Config{URL: newServer(t)})
	stop, err := b.AdminKeys(t.Context(), (&safe{}).endpoints()...)
	must(t, err)
	for _, e := range endpointsOf(t, b) {
		for _, of := range []string{"request_schema", "reply_schema"} {
			if !slices.Contains(schemas.Names(), e.Metadata[of]) {
				t.Errorf("%s: %s %q", e.Subject, of, e.Metadata[of])
			}
		}
		if e.Subject != "keypool.admin."+e.Name {
			t.Errorf("%s is named %s", e.Subject, e.Name)
		}
	}
	for _, verb := range []string{"PING", "STATS"} {
		if reply, err := b.conn.RequestWithContext(bounded(t), "$SRV."+verb+".autopurchase-keypool", nil); err != nil || !strings.Contains(string(reply.Data), serviceVersion) {
			t.Errorf("%s: %v", verb, err)
		}
	}
	stop()
	if _, err := KeysList.Ask(bounded(t), b, ListKeys{}); err == nil || !strings.Contains(err.Error(), "nobody answers on keypool.admin.list") {
		t.Errorf("after stop: %v", err)
	}
}
