package bus

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go/micro"

	"autopurchase/worker"
)

// safe is a pool with one key and one error.
type safe struct {
	added chan AddKey
	err   error
}

func (s *safe) Add(_ context.Context, key AddKey) (KeyInfo, error) {
	s.added <- key
	return KeyInfo{AppKey: key.AppKey, Pool: key.Pool, State: "ready", Limit: 1000, Left: 1000}, s.err
}

func (s *safe) List(_ context.Context, pool string) ([]KeyInfo, error) {
	if pool == "empty" {
		return nil, s.err
	}
	return []KeyInfo{{AppKey: "1000001", Pool: pool}}, s.err
}

func (s *safe) Restore(_ context.Context, key RestoreKey) (KeyInfo, error) {
	return KeyInfo{AppKey: key.AppKey, Pool: key.Pool, Account: key.By}, s.err
}

func (s *safe) Pool(_ context.Context, settings PoolSettings) (PoolSettings, error) {
	return settings, s.err
}

func administered(t *testing.T, err error) (*Bus, *safe) {
	t.Helper()
	b := connect(t, Config{URL: newServer(t)})
	s := &safe{added: make(chan AddKey, 10), err: err}
	stop, err := b.Admin(t.Context(), s)
	must(t, err)
	t.Cleanup(stop)
	return b, s
}

func TestAdminPool(t *testing.T) {
	t.Parallel()
	b, _ := administered(t, nil)
	low := int64(0)
	got, err := b.Pool(bounded(t), PoolSettings{Count: "units", Width: 2, Low: &low})
	if err != nil || got.Pool != "default" || got.Count != "units" || got.Width != 2 || got.Low == nil || *got.Low != 0 {
		t.Errorf("%+v, %v", got, err)
	}
	low = -1
	for field, wrong := range map[string]PoolSettings{"count": {Count: "boxes"}, "width": {Width: -1}, "low": {Low: &low}, "pool": {Pool: "a b"}} {
		_, err := b.Pool(bounded(t), wrong)
		refusal, ok := errors.AsType[*AdminError](err)
		if !ok || refusal.Code != string(worker.CodeInvalid) || !strings.HasPrefix(refusal.Reason, field+": ") {
			t.Errorf("%s: %v", field, err)
		}
	}
}

func TestAdminKeys(t *testing.T) {
	t.Parallel()
	b, s := administered(t, nil)
	want := AddKey{Pool: "default", AppKey: "1000001", Limit: 500, Account: "buyer-1", Alipay: "none"}
	info, err := b.AddKey(bounded(t), AddKey{AppKey: "1000001", Limit: 500, Account: "buyer-1", Alipay: "none"})
	if err != nil || info.State != "ready" || info.Left != 1000 {
		t.Errorf("%+v, %v", info, err)
	}
	if got := receive(t, s.added); got != want {
		t.Errorf("%+v, want %+v", got, want)
	}
	if infos, err := b.ListKeys(bounded(t), "other"); err != nil || len(infos) != 1 || infos[0].Pool != "other" {
		t.Errorf("%+v, %v", infos, err)
	}
	if reply, err := b.ask(bounded(t), SubjectKeysList, []byte(`{"pool":"empty"}`)); err != nil || string(reply) != "[]" {
		t.Errorf("%s, %v", reply, err)
	}
	if infos, err := b.ListKeys(bounded(t), ""); err != nil || infos[0].Pool != "default" {
		t.Errorf("%+v, %v", infos, err)
	}
	if info, err := b.RestoreKey(bounded(t), "default", "1000001", "li"); err != nil || info.Account != "li" {
		t.Errorf("%+v, %v", info, err)
	}
}

// TestAdminNamesTheField sends what breaks a rule, as any NATS client may.
func TestAdminNamesTheField(t *testing.T) {
	t.Parallel()
	b, s := administered(t, nil)
	for body, reason := range map[string]string{
		`{`:                                    "body: ",
		`[]`:                                   "body: ",
		`null`:                                 "app_key: must be given",
		``:                                     "app_key: must be given",
		`{"app_key":"1"}{"app_key":"2"}`:       "body: ",
		`{"app_key":"1","app_key":"2"}`:        "body: ",
		`{"app_key":1000001}`:                  "app_key: has the wrong type",
		`{"app_key":"1","limit":"many"}`:       "limit: has the wrong type",
		`{"app_key":"1","limit":-1}`:           "limit: must be",
		`{"app_key":"1","Limit":5}`:            "Limit: is not a field",
		`{"app_key":"1","secret":"hunter2"}`:   "secret: is not a field",
		`{"app_key":"1","alipay":"corporate"}`: "alipay: must be",
		`{"app_key":"1","pool":"a.b"}`:         "pool: must be",
		`{"app_key":"1","limit":1.5}`:          "limit: has the wrong type",
		`{"app_key":"1","limit":1e3}`:          "limit: has the wrong type",
		`{"app_key":"1","limit":99999999999999999999}`: "limit: has the wrong type",
	} {
		_, err := b.ask(bounded(t), SubjectKeysAdd, []byte(body))
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

func TestAdminTellsTheCode(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		err          error
		code, reason string
	}{
		{&worker.Trouble{Code: worker.CodeRedisDown, Reason: "redis does not answer", Err: errors.New("dial 10.0.0.1")}, "redis_down", "redis does not answer"},
		{&worker.Invalid{Field: "app_key", Reason: "is not in the pool"}, "invalid", "app_key: is not in the pool"},
		{errors.New("password=hunter2"), "internal", "unexpected error; the worker's log has it"},
	} {
		b, _ := administered(t, c.err)
		_, err := b.RestoreKey(bounded(t), "default", "1000001", "")
		refusal, ok := errors.AsType[*AdminError](err)
		if !ok || refusal.Code != c.code || refusal.Reason != c.reason || err.Error() != c.code+": "+c.reason {
			t.Errorf("%v: %v", c.err, err)
		}
	}
}

func TestAdminIsFoundByDiscoveryAndEnds(t *testing.T) {
	t.Parallel()
	b := connect(t, Config{URL: newServer(t)})
	stop, err := b.Admin(t.Context(), &safe{})
	must(t, err)
	reply, err := b.conn.RequestWithContext(bounded(t), "$SRV.INFO."+serviceKeys, nil)
	must(t, err)
	var info micro.Info
	must(t, json.Unmarshal(reply.Data, &info))
	if len(info.Endpoints) != 4 || info.Version != serviceVersion {
		t.Errorf("%+v", info)
	}
	stop()
	if _, err := b.ListKeys(bounded(t), "default"); err == nil || !strings.Contains(err.Error(), "nobody answers on keypool.admin.list") {
		t.Errorf("after stop: %v", err)
	}
}

func TestServeStatus(t *testing.T) {
	t.Parallel()
	b := connect(t, Config{URL: newServer(t)})
	if _, err := b.QueueStatus(bounded(t)); err == nil || !strings.Contains(err.Error(), "nobody answers") {
		t.Errorf("%v", err)
	}
	beats := make(chan string)
	ready, listened := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(listened)
		for instance, body := range b.Beats(bounded(t), func() { close(ready) }) {
			beats <- instance + " " + string(body)
			break
		}
	}()
	receive(t, ready)
	if _, err := b.ServeStatus(t.Context(), "a.b", time.Hour, nil); err == nil {
		t.Error("an instance that is no subject token")
	}
	stop, err := b.ServeStatus(t.Context(), "w1", time.Millisecond, func(context.Context) any { return map[string]int{"waiting": 7} })
	must(t, err)
	if got := receive(t, beats); got != `w1 {"waiting":7}` {
		t.Errorf("beat %s", got)
	}
	receive(t, listened)
	if status, err := b.QueueStatus(bounded(t)); err != nil || string(status) != `{"waiting":7}` {
		t.Errorf("%s, %v", status, err)
	}
	stop()
	if _, err := b.QueueStatus(bounded(t)); err == nil {
		t.Error("answers after stop")
	}
}

// TestCloseEndsServicesAndWatches leaves them all running; the leak check of the package is the other half of the test.
func TestCloseEndsServicesAndWatches(t *testing.T) {
	t.Parallel()
	b, _ := provisioned(t, Config{})
	_, err := b.Admin(t.Context(), &safe{})
	must(t, err)
	_, err = b.ServeStatus(t.Context(), "w1", time.Hour, func(context.Context) any { return 1 })
	must(t, err)
	ready, watched := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(watched)
		for message, err := range b.Watch(context.Background(), WatchOptions{Ready: func() { close(ready) }}) {
			t.Errorf("a message that nobody published: %+v, %v", message, err)
		}
	}()
	receive(t, ready)
	must(t, b.Close())
	receive(t, watched)
}
