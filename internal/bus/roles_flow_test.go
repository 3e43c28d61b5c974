package bus

import (
	"context"
	"encoding/json"
	"errors"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"autopurchase/internal/workertest"
	"autopurchase/worker"
)

func submitAs(t *testing.T, b *Bus, tenant, id string) Receipt {
	t.Helper()
	receipt, err := b.Submit(bounded(t), tenant, id, requestBody(id, 1))
	must(t, err)
	return receipt
}

// TestEachRoleDoesItsWork plays a purchase with everybody in its role.
func TestEachRoleDoesItsWork(t *testing.T) {
	t.Parallel()
	c := newCast(t, "acme", "other")
	must(t, c.as(t, "provisioner").Provision(bounded(t)))
	c.play(t)
}

// TestEachRoleDoesItsWorkInACluster: what leads from account to account does so from server to server too.
func TestEachRoleDoesItsWorkInACluster(t *testing.T) {
	t.Parallel()
	c := &cast{users: map[string]*User{}, file: filepath.Join(t.TempDir(), "nats.conf")}
	cluster := workertest.NATSCluster(t, c.conf(t, "acme", "other"))
	operator := connect(t, Config{URL: cluster.URL, User: c.users["provisioner"], Replicas: 3})
	must(t, operator.Provision(bounded(t)))
	stream, err := operator.js.Stream(bounded(t), StreamRequests)
	must(t, err)
	leader := stream.CachedInfo().Cluster.Leader
	for name, node := range cluster.Nodes {
		if c.URL = node.URL; name != leader {
			break // all but the worker are not where the requests are
		}
	}
	c.at = map[string]string{"worker": cluster.Nodes[leader].URL}
	c.play(t)
}

func (c *cast) play(t *testing.T) {
	t.Helper()
	w := c.as(t, "worker")
	must(t, w.Provision(bounded(t))) // all is there: it only looks
	in := openInbox(t, w)
	stop, err := w.AdminKeys(t.Context(), KeysList.Answer(func(context.Context, ListKeys) ([]KeyInfo, error) {
		return []KeyInfo{{AppKey: "1000001"}}, nil
	}), KeysRestore.Answer(func(_ context.Context, k ChangeKey) (KeyInfo, error) { return KeyInfo{AppKey: k.AppKey}, nil }))
	must(t, err)
	t.Cleanup(stop)
	stopStatus, err := w.ServeStatus(t.Context(), speaker(w, "w1", time.Hour))
	must(t, err)
	t.Cleanup(stopStatus)

	telling(t, w)

	m := c.as(t, "monitor")
	seen, _ := watching(t, m, WatchOptions{})
	acme := c.as(t, "publisher-acme")
	heard, err := acme.conn.SubscribeSync("purchase.result.acme.>")
	must(t, err)
	must(t, acme.conn.Flush())
	must(t, acme.CheckQueue(bounded(t), "acme"))
	if r := submitAs(t, acme, "acme", "PR-1"); r.Fate != Accepted {
		t.Errorf("%+v", r)
	}
	if r := submitAs(t, acme, "acme", "PR-1"); r.Fate != Replay {
		t.Errorf("%+v", r)
	}
	if r, err := acme.Submit(bounded(t), "acme", "PR-1", requestBody("PR-1", 2)); err != nil || r.Fate != Conflict {
		t.Errorf("%+v, %v", r, err)
	}
	d := next(t, in)
	result := placed("PR-1", "11")
	must(t, w.Outbox().Publish(bounded(t), result))
	must(t, d.Receipt.Ack(bounded(t)))
	must(t, w.Journal().Record(bounded(t), poolEvent("default", 1, worker.EventAdded)))
	var subjects []string
	for range 3 {
		subjects = append(subjects, receive(t, seen).Subject)
	}
	slices.Sort(subjects) // between streams there is no order
	if !slices.Equal(subjects, []string{"keypool.event.default.added", "purchase.request.acme.PR-1", "purchase.result.acme.PR-1"}) {
		t.Errorf("the monitor saw %v", subjects)
	}
	if msg, err := heard.NextMsgWithContext(bounded(t)); err != nil || msg.Subject != "purchase.result.acme.PR-1" {
		t.Errorf("the publisher heard %v, %v", msg, err)
	}
	if got, found, err := acme.Result(bounded(t), "acme", "PR-1"); err != nil || !found || got.Outcome != result.Outcome {
		t.Errorf("%+v, %v, %v", got, found, err)
	}
	for _, who := range []*Bus{m, c.as(t, "admin")} {
		if keys, err := KeysList.Ask(bounded(t), who, ListKeys{}); err != nil || len(keys) != 1 {
			t.Errorf("%v, %v", keys, err)
		}
		if listing, err := who.ListOrders(bounded(t), ListOrders{}); err != nil || listing.Total != 7 {
			t.Errorf("%+v, %v", listing, err)
		}
		if life, err := who.ShowOrder(bounded(t), ShowOrder{OutOrderID: "acme.PR-1-1"}); err != nil || life.RequestID != "PR-1" {
			t.Errorf("%+v, %v", life, err)
		}
		if status, err := who.QueueStatus(bounded(t)); err != nil || status.Workers != 1 || status.Depth != 0 {
			t.Errorf("%+v, %v", status, err)
		}
		if i, err := who.Instance(bounded(t), "w1"); err != nil || i.Instance != "w1" {
			t.Errorf("%+v, %v", i, err)
		}
		var alone worker.QueueStatus
		if err := who.Measure(bounded(t), &alone); err == nil || alone.RateIn == 0 || alone.Dead != 0 {
			t.Errorf("%+v, %v", alone, err)
		}
	}
	for _, subject := range []string{"$SRV.PING", "$SRV.INFO." + serviceKeys, "$SRV.STATS." + serviceStatus} {
		if msg, err := m.conn.RequestWithContext(bounded(t), subject, nil); err != nil || !json.Valid(msg.Data) {
			t.Errorf("%s: %v, %v", subject, msg, err)
		}
	}
	cries := &crier{cries: make(chan worker.Alarm, 1)}
	must(t, w.QueueAlarms(t.Context(), cries.tell))
	must(t, w.Report(bounded(t), found(worker.AlarmDead, worker.AlarmRaised, 1)))
	if got := receive(t, cries.cries); got.Kind != worker.AlarmDead || receive(t, seen).Subject != "purchase.alarm.dead.all" {
		t.Errorf("%+v", got)
	}
	restore := ChangeKey{AppKey: "1000001", Change: Change{By: "li", Why: "tried"}}
	if key, err := KeysRestore.Ask(bounded(t), c.as(t, "admin"), restore); err != nil || key.AppKey != "1000001" {
		t.Errorf("%+v, %v", key, err)
	}
	if _, err := KeysRestore.Ask(bounded(t), m, restore); !errors.Is(err, ErrForbidden) {
		t.Errorf("a monitor restored a key: %v", err)
	}
}

// TestAPublisherHearsWhyNot: what is forbidden is told at once, for a single request and for many.
func TestAPublisherHearsWhyNot(t *testing.T) {
	t.Parallel()
	c := newCast(t, "acme", "other")
	must(t, c.as(t, "provisioner").Provision(bounded(t)))
	acme := c.as(t, "publisher-acme")
	if _, err := acme.Submit(bounded(t), "other", "PR-1", requestBody("PR-1", 1)); !errors.Is(err, ErrForbidden) || !strings.Contains(err.Error(), "purchase.request.other.PR-1") {
		t.Error(err)
	}
	if err := acme.CheckQueue(bounded(t), "other"); !errors.Is(err, ErrForbidden) {
		t.Error(err)
	}
	told := 0
	must(t, acme.SubmitAll(bounded(t), "other", func(yield func(Submission) bool) {
		for _, id := range numbered(300) {
			if !yield(Submission{ID: id, Body: requestBody(id, 1)}) {
				return
			}
		}
	}, func(o Outcome) {
		if told++; !errors.Is(o.Err, ErrForbidden) {
			t.Errorf("%s: %v", o.ID, o.Err)
		}
	}))
	if told != 300 {
		t.Errorf("%d were told", told)
	}
}

// TestAWorkerMayNotMakeStreams: it says what is missing and that it may not make it.
func TestAWorkerMayNotMakeStreams(t *testing.T) {
	t.Parallel()
	c := newCast(t)
	err := c.as(t, "worker").Provision(bounded(t))
	if !errors.Is(err, ErrForbidden) || !strings.Contains(err.Error(), StreamRequests) {
		t.Error(err)
	}
}

// TestTenantsComeAndGoWhileTheServerRuns: it takes a new configuration, and those who are in it notice nothing. A new tenant is
// connected by the second reload: the server's first one makes the account, but not what leads out of it.
func TestTenantsComeAndGoWhileTheServerRuns(t *testing.T) {
	t.Parallel()
	c := &cast{users: map[string]*User{}, file: filepath.Join(t.TempDir(), "nats.conf")}
	server := workertest.NATS(t, c.conf(t, "acme"))
	c.URL = server.URL
	must(t, c.as(t, "provisioner").Provision(bounded(t)))
	in := openInbox(t, c.as(t, "worker"))
	acme := c.as(t, "publisher-acme")
	submitAs(t, acme, "acme", "PR-1")
	must(t, next(t, in).Receipt.Ack(bounded(t)))

	server.Reload(c.conf(t, "acme", "globex"))
	server.Reload(c.conf(t, "acme", "globex"))
	submitAs(t, c.as(t, "publisher-globex"), "globex", "PR-1")
	submitAs(t, acme, "acme", "PR-2")
	for range 2 {
		must(t, next(t, in).Receipt.Ack(bounded(t)))
	}

	server.Reload(c.conf(t, "globex"))
	until(t, "the tenant is thrown out", func() bool { return acme.Ready(t.Context()) != nil })
	if _, err := Connect(bounded(t), Config{URL: c.URL, User: c.users["publisher-acme"]}); err == nil || !strings.Contains(err.Error(), "does not let this user in") {
		t.Error(err)
	}
	server.Reload(c.conf(t, "globex", "acme"))
	server.Reload(c.conf(t, "globex", "acme"))
	until(t, "the tenant is let in again", func() bool { return acme.Ready(t.Context()) == nil })
	submitAs(t, acme, "acme", "PR-3")
	must(t, next(t, in).Receipt.Ack(bounded(t)))
}

// TestNobodyAnswersAcrossAccounts: that no worker runs is told at once to who asks from another account too.
func TestNobodyAnswersAcrossAccounts(t *testing.T) {
	t.Parallel()
	c := newCast(t, "acme")
	for _, role := range []string{"admin", "monitor"} {
		b, began := c.as(t, role), time.Now()
		if _, err := KeysList.Ask(bounded(t), b, ListKeys{}); err == nil || !strings.Contains(err.Error(), "is a worker running?") {
			t.Error(err)
		}
		if _, err := b.QueueStatus(bounded(t)); err == nil || !strings.Contains(err.Error(), "is a worker running?") {
			t.Error(err)
		}
		if took := time.Since(began); took > askTimeout/2 {
			t.Errorf("it took %v", took)
		}
	}
	if err := c.as(t, "publisher-acme").CheckQueue(bounded(t), "acme"); !errors.Is(err, ErrNoQueue) {
		t.Error(err)
	}
	for _, err := range c.as(t, "monitor").Watch(bounded(t), WatchOptions{}) {
		if !errors.Is(err, ErrNoQueue) {
			t.Error(err)
		}
	}
}
