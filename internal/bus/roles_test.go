package bus

import (
	"cmp"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"

	"autopurchase/internal/workertest"
)

// cast is a user for every role, and a server that knows them.
type cast struct {
	URL   string
	at    map[string]string // where a role connects, if not there
	users map[string]*User
	file  string
}

// newCast starts the server.
func newCast(t *testing.T, tenants ...string) *cast {
	t.Helper()
	c := &cast{users: map[string]*User{}, file: filepath.Join(t.TempDir(), "nats.conf")}
	c.URL = workertest.NATS(t, c.conf(t, tenants...)).URL
	return c
}

// conf makes the users that are missing, and gives the server's settings.
func (c *cast) conf(t *testing.T, tenants ...string) func(*server.Options) {
	t.Helper()
	roles, err := Roles(tenants)
	must(t, err)
	for _, role := range roles {
		if c.users[role.Name] == nil {
			c.users[role.Name], err = role.NewUser()
			must(t, err)
		}
	}
	must(t, os.WriteFile(c.file, NATSConf(roles, c.users, nil), 0o600))
	return workertest.NATSConf(t, c.file)
}

// as connects in a role.
func (c *cast) as(t *testing.T, role string) *Bus {
	t.Helper()
	return connect(t, Config{URL: cmp.Or(c.at[role], c.URL), User: c.users[role], Name: role})
}

// raw connects in a role without anything around it.
func (c *cast) raw(t *testing.T, role string) *nats.Conn {
	t.Helper()
	conn, err := nats.Connect(c.URL, c.users[role].option(), nats.CustomInboxPrefix(c.users[role].Inbox()), nats.ErrorHandler(func(*nats.Conn, *nats.Subscription, error) {}))
	must(t, err)
	t.Cleanup(conn.Close)
	return conn
}

// A rule is who may do something with a subject; names separated by blanks, "" for nobody.
type rule struct{ subject, publish, subscribe string }

// rules are what the product promises, said independently of how the roles are written down.
func rules() []rule {
	const seeing = "monitor admin"
	all := []rule{
		{"purchase.request.acme.PR-1", "worker publisher-acme", seeing},
		{"purchase.request.other.PR-1", "worker publisher-other", seeing},
		{"purchase.request.acme.PR-1.1", "worker publisher-acme", seeing},
		{"purchase.request-high.acme.PR-1", "worker publisher-acme", seeing},
		{"purchase.request-low.acme.PR-1", "worker publisher-acme", seeing},
		{"purchase.request-low.other.PR-1", "worker publisher-other", seeing},
		{"purchase.held.acme.PR-1", "worker", seeing},
		{"purchase.due.acme.PR-1", "", seeing},
		{"$JS.ACK.PURCHASE_HELD.due.1.1.1.1.1", "worker", ""},
		{"purchase.journal.acme.PR-1", "worker", seeing},
		{"purchase.result.acme.PR-1", "worker", seeing + " publisher-acme"},
		{"purchase.result.other.PR-1", "worker", seeing + " publisher-other"},
		{"purchase.result.acme.PR-1.conflict", "worker", seeing + " publisher-acme"},
		{"purchase.status.acme.PR-1", "worker", seeing + " publisher-acme"},
		{"purchase.payment.acme.PR-1.1", "worker", seeing + " publisher-acme"},
		{"purchase.payment.other.PR-1.1", "worker", seeing + " publisher-other"},
		{"purchase.till.switch", "worker", seeing},
		{"purchase.till.day.buyer.20261128", "worker", seeing},
		{"purchase.unpaid.acme.PR-1.1", "worker", seeing},
		{"purchase.choice.acme.PR-1", "worker", seeing},
		{"purchase.merge.acme.PR-1", "worker", seeing},
		{"purchase.admin.pay.stop", "admin", "worker"},
		{"purchase.admin.pay.agree", "admin", "worker"},
		{"purchase.admin.pay.link", "admin", "worker"},
		{"purchase.admin.pay.unpaid", seeing, "worker"},
		{"$JS.ACK.PURCHASE_RESULTS.cashier.1.1.1.1.1", "worker", ""},
		{"purchase.dead.acme", "worker", seeing},
		{"purchase.parked.acme.PR-1", "worker", seeing},
		{"purchase.alarm.relay.all", "worker", seeing},
		{"keypool.event.default.low", "worker", seeing},
		{"keypool.admin.add", "admin", "worker"},
		{"keypool.admin.remove", "admin", "worker"},
		{"keypool.admin.pool", "admin", "worker"},
		{"keypool.admin.limit", "admin", "worker"},
		{"keypool.admin.list", seeing, "worker"},
		{"keypool.admin.show", seeing, "worker"},
		{"keypool.admin.statement", seeing, "worker"},
		{"keypool.admin.forecast", seeing, "worker"},
		{"purchase.admin.parked", seeing, "worker"},
		{"purchase.admin.resolve", "admin", "worker"},
		{"purchase.admin.cancel", "admin", "worker"},
		{"purchase.admin.retry", "admin", "worker"},
		{"purchase.admin.dead-list", seeing, "worker"},
		{"purchase.admin.dead-show", seeing, "worker"},
		{"purchase.admin.dead-replay", "admin", "worker"},
		{"purchase.admin.dead-drop", "admin", "worker"},
		{"purchase.queue.status", seeing, "worker"},
		{"purchase.queue.status.w1", "worker", "worker " + seeing},
		{"purchase.queue.instance.w1", seeing, "worker"},
		{"$SRV.PING", seeing, "worker"},
		{"_R_.abc.def", "worker", ""},
		{"$JS.ACK.PURCHASE_REQUESTS.worker.1.1.1.1.1", "worker", ""},
		{"$JS.ACK.PURCHASE_REQUESTS.worker-high.1.1.1.1.1", "worker", ""},
		{"$JS.ACK.PURCHASE_REQUESTS.worker-low.1.1.1.1.1", "worker", ""},
		{"$JS.ACK.PURCHASE_RESULTS.other.1.1.1.1.1", "", ""},
		{"$JS.API.INFO", "", ""}, {"$JS.API.STREAM.NAMES", "", ""}, {"$JS.API.STREAM.LIST", "", ""}, {"$JS.API.META.LEADER.STEPDOWN", "", ""},
		{"$JS.EVENT.ADVISORY.CONSUMER.CREATED.PURCHASE_REQUESTS.worker", "", ""}, {"$SYS.REQ.SERVER.PING", "", ""},
		{"anything", "", ""}, {">", "", ""}, {"purchase.>", "", ""}, {"keypool.>", "", ""}, {"_INBOX.>", "", ""},
	}
	for _, role := range []string{"worker", "monitor", "admin", "provisioner", "publisher-acme", "publisher-other"} {
		all = append(all, rule{"_INBOX_" + role + ".x.y", "", role})
	}
	all = append(all, rule{"_INBOX_relay.x.y", "", ""}, rule{"_INBOX.x.y", "", ""})
	for _, stream := range []string{"PURCHASE_REQUESTS", "PURCHASE_HELD", "PURCHASE_RESULTS", "PURCHASE_STATUS", "PURCHASE_DEAD", "PURCHASE_PARKED", "PURCHASE_ALARM", "PURCHASE_JOURNAL", "PURCHASE_PAYMENT", "PURCHASE_UNPAID", "PURCHASE_CHOICE", "PURCHASE_MERGE", "KEYPOOL"} {
		all = append(all, streamRules(stream)...)
	}
	return all
}

func streamRules(stream string) []rule {
	of := map[string]string{"PURCHASE_REQUESTS": "purchase.request", "PURCHASE_RESULTS": "purchase.result", "PURCHASE_STATUS": "purchase.status",
		"PURCHASE_PAYMENT": "purchase.payment"}[stream]
	purge, drop := "", ""
	switch stream {
	case "PURCHASE_PARKED", "PURCHASE_UNPAID", "PURCHASE_HELD":
		purge = "worker"
	case "PURCHASE_DEAD":
		drop = "worker"
	}
	api := func(what, who string) rule { return rule{"$JS.API." + what, who, ""} }
	all := []rule{
		api("STREAM.INFO."+stream, "worker provisioner"), api("STREAM.CREATE."+stream, "provisioner"), api("STREAM.UPDATE."+stream, "provisioner"),
		api("STREAM.DELETE."+stream, ""), api("STREAM.PURGE."+stream, purge), api("STREAM.MSG.DELETE."+stream, drop), api("STREAM.SNAPSHOT."+stream, ""),
		api("STREAM.RESTORE."+stream, ""), api("STREAM.LEADER.STEPDOWN."+stream, ""), api("STREAM.PEER.REMOVE."+stream, ""),
		api("STREAM.MSG.GET."+stream, "worker"), api("DIRECT.GET."+stream, "worker monitor admin"),
		api("DIRECT.GET."+stream+".a.b", "worker monitor admin"),
		api("CONSUMER.CREATE."+stream+".worker.x", "worker"), api("CONSUMER.CREATE."+stream+".x.a.>", "worker"), api("CONSUMER.CREATE."+stream, ""),
		api("CONSUMER.DURABLE.CREATE."+stream+".worker", ""), api("CONSUMER.MSG.NEXT."+stream+".worker", "worker"),
		api("CONSUMER.NAMES."+stream, ""), api("CONSUMER.LIST."+stream, ""), api("CONSUMER.PAUSE."+stream+".worker", ""),
	}
	if stream == "PURCHASE_REQUESTS" {
		all = append(all, api("CONSUMER.CREATE."+stream+".worker.purchase.request.>", "worker provisioner"),
			api("CONSUMER.CREATE."+stream+".worker-high.purchase.request-high.>", "worker provisioner"),
			api("CONSUMER.CREATE."+stream+".worker-low.purchase.request-low.>", "worker provisioner"),
			api("DIRECT.GET."+stream+".purchase.*.acme.PR-1", "worker monitor admin publisher-acme"),
			api("DIRECT.GET."+stream+".purchase.*.other.PR-1", "worker monitor admin publisher-other"),
			api("DIRECT.GET."+stream+".purchase.*.*.PR-1", "worker monitor admin"))
		for _, durable := range []string{"worker", "worker-high", "worker-low"} {
			all = append(all, api("CONSUMER.DELETE."+stream+"."+durable, ""))
		}
	}
	if of != "" {
		all = append(all, api("DIRECT.GET."+stream+"."+of+".acme.PR-1", "worker monitor admin publisher-acme"))
	}
	return all
}

// TestEveryRoleAgainstEverySubject tries each role on each subject, and finds allowed and refused exactly what is promised.
func TestEveryRoleAgainstEverySubject(t *testing.T) {
	t.Parallel()
	c := newCast(t, "acme", "other")
	allowed, refused := 0, 0
	for role := range c.users {
		for _, r := range rules() {
			conn := c.raw(t, role)
			must(t, conn.Publish(r.subject, []byte("{}")))
			must(t, conn.Flush())
			mayPublish := conn.LastError() == nil
			_, err := conn.SubscribeSync(r.subject)
			must(t, err)
			must(t, conn.Flush())
			maySubscribe := conn.LastError() == nil || !strings.Contains(conn.LastError().Error(), "Subscription")
			conn.Close()
			for _, one := range []struct {
				what      string
				got, want bool
			}{
				{"publish to", mayPublish, among(role, r.publish)},
				{"subscribe to", maySubscribe, among(role, r.subscribe)},
			} {
				if one.got != one.want {
					t.Errorf("%s may %s %s: %v, want %v", role, one.what, r.subject, one.got, one.want)
				}
				if one.got {
					allowed++
				} else {
					refused++
				}
			}
		}
	}
	t.Logf("%d allowed, %d refused", allowed, refused)
}

func among(role, roles string) bool { return slices.Contains(strings.Fields(roles), role) }

// TestNobodyComesInWithoutAUser: neither without one nor with one that the server does not know.
func TestNobodyComesInWithoutAUser(t *testing.T) {
	t.Parallel()
	c := newCast(t, "acme")
	stranger, err := relayRole().NewUser()
	must(t, err)
	for _, user := range []*User{nil, stranger} {
		b, err := Connect(bounded(t), Config{URL: c.URL, User: user})
		if err == nil {
			_ = b.Close()
			t.Fatalf("%v came in", user)
		}
		if !strings.Contains(err.Error(), "does not let this user in") {
			t.Error(err)
		}
	}
}

// TestAReplySubjectIsNoWayAround: whoever asks JetStream for something says where the answer goes. In one account that would be a
// way to publish anywhere: to another tenant's requests, and, with a message of one's own for an answer, to administrators.
func TestAReplySubjectIsNoWayAround(t *testing.T) {
	t.Parallel()
	c := newCast(t, "acme", "other")
	must(t, c.as(t, "provisioner").Provision(bounded(t)))
	w := c.as(t, "worker")
	heard, err := w.conn.SubscribeSync(SubjectKeysAdmin)
	must(t, err)
	must(t, w.conn.Flush())

	acme, mine := c.raw(t, "publisher-acme"), "purchase.request.acme.PR-1"
	must(t, acme.PublishRequest(mine, "purchase.request.other.PR-1", []byte(`{"app_key":"1000001"}`)))
	for _, subject := range []string{"keypool.admin.remove", "purchase.request.other.PR-2", "purchase.result.acme.PR-2"} {
		must(t, acme.PublishRequest("$JS.API.DIRECT.GET.PURCHASE_REQUESTS."+mine, subject, nil))
	}
	m := c.raw(t, "monitor")
	for _, subject := range []string{"keypool.admin.remove", "purchase.request.acme.PR-3", "purchase.request.other.PR-3"} {
		must(t, m.PublishRequest("$JS.API.DIRECT.GET.PURCHASE_REQUESTS", subject, []byte(`{"seq":1,"batch":1}`)))
		must(t, m.PublishRequest("purchase.queue.status", subject, nil))
	}
	must(t, acme.Flush())
	must(t, m.Flush())
	submitAs(t, c.as(t, "publisher-acme"), "acme", "LAST") // in the stream behind all that
	for subject, want := range map[string]bool{mine: true, "purchase.request.acme.LAST": true, "purchase.request.other.>": false, "purchase.request.acme.PR-3": false} {
		if last, err := w.last(bounded(t), StreamRequests, subject); err != nil || (last != nil) != want {
			t.Errorf("%s: %+v, %v", subject, last, err)
		}
	}
	if last, err := w.last(bounded(t), StreamResults, ">"); err != nil || last != nil {
		t.Errorf("results: %+v, %v", last, err)
	}
	if msg, err := heard.NextMsg(100 * time.Millisecond); err == nil {
		t.Errorf("%s was asked: %s", msg.Subject, msg.Data)
	}
}

// TestTheQueueMovesIntoItsAccount: a server that had no users keeps its streams in the folder of the account $G. Renamed to the
// account's name while the server is stopped, nothing is lost.
func TestTheQueueMovesIntoItsAccount(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	stored := func(o *server.Options) { o.StoreDir = dir }
	open := workertest.NATS(t, stored)
	b := connect(t, Config{URL: open.URL})
	must(t, b.Provision(bounded(t)))
	submit(t, b, "PR-1")
	must(t, b.Close())
	open.Stop()
	must(t, os.Rename(filepath.Join(dir, "jetstream", "$G"), filepath.Join(dir, "jetstream", account)))
	c := &cast{users: map[string]*User{}, file: filepath.Join(t.TempDir(), "nats.conf")}
	c.URL = workertest.NATS(t, stored, c.conf(t, "acme")).URL
	w := c.as(t, "worker")
	must(t, w.Provision(bounded(t)))
	if d := next(t, openInbox(t, w)); d.Subject != "purchase.request.acme.PR-1" {
		t.Errorf("%+v", d)
	}
}
