package bus

import (
	"errors"
	"fmt"
	"slices"

	"github.com/nats-io/nkeys"

	"autopurchase/worker"
)

// Role is what one kind of user does on NATS, and all that it may do there.
//
// The parts of the queue share an account with the streams. Everybody else has an account of its own, from which nothing leads
// to the streams but what the role names. That is what keeps a publisher in its place: inside one account whoever may ask
// JetStream for a message may have the answer delivered to any subject, such as another tenant's request or an
// administrator's, whatever permissions say.
type Role struct {
	Name    string // such as worker, or publisher-acme
	Account string
	Purpose string // for people
	asks    []string
	never   []string // what is left out of asks
	hears   []string
}

// account is where the streams are.
const account = "AUTOPURCHASE"

// replies is where answers to those in other accounts are sent; the server hands out the subjects.
const replies = "_R_.>"

// ackPrefix begins the subjects on which deliveries are acknowledged.
const ackPrefix = "$JS.ACK."

// discovery is how micro services are found: PING, INFO and STATS.
const discovery = "$SRV.>"

// Roles gives the roles: those of the queue's parts, a monitor, an administrator and a publisher for each tenant. It returns an
// error if a tenant breaks the rules for names or is named twice.
func Roles(tenants []string) ([]Role, error) {
	roles := []Role{workerRole(), relayRole(), provisionerRole(), monitorRole(), adminRole()}
	var wrong []error
	for i, tenant := range tenants {
		if err := worker.CheckName(tenant); err != nil {
			wrong = append(wrong, fmt.Errorf("tenant %q: %w", tenant, err))
		}
		if slices.Contains(tenants[:i], tenant) {
			wrong = append(wrong, fmt.Errorf("tenant %q: is named twice", tenant))
		}
		roles = append(roles, publisherRole(tenant))
	}
	return roles, errors.Join(wrong...)
}

// NewUser makes a user of the role with a key of its own.
func (r Role) NewUser() (*User, error) {
	pair, err := nkeys.CreateUser()
	if err != nil {
		return nil, err
	}
	public, err := pair.PublicKey()
	return &User{public: public, pair: pair, inbox: r.inbox()}, err
}

// Owns says whether the user hears its answers where the role does.
func (r Role) Owns(u *User) bool { return u.inbox == r.inbox() }

// inbox is the prefix of the subjects of its replies, which nobody else may listen to.
func (r Role) inbox() string { return defaultInbox + "_" + r.Name }

// inside says whether it is a part of the queue.
func (r Role) inside() bool { return r.Account == account }

// hearing is all that it may listen to.
func (r Role) hearing() []string { return append(slices.Clone(r.hears), r.inbox()+".>") }

// api is where JetStream is asked to do something with a stream, or a consumer of one.
func api(what, of string) string { return apiPrefix + what + "." + of }

func workerRole() Role {
	r := Role{
		Name: "worker", Account: account,
		Purpose: "takes requests, publishes what became of them, keeps the key pools' journal, answers administrators and publishes for them what is asked for again",
		asks: []string{
			SubjectResults, SubjectStatus, SubjectStray, SubjectDead, SubjectParked, SubjectAlarms, SubjectPoolEvent, beatPrefix + "*", replies,
			heldSubjects, SubjectJournal, // to ask for something again, and to say who did
			api("STREAM.PURGE", StreamParked), api("STREAM.PURGE", StreamHeld), api("STREAM.PURGE", StreamStray), api("STREAM.MSG.DELETE", StreamDead),
			SubjectPayments, SubjectTill, SubjectUnpaid, api("STREAM.PURGE", StreamUnpaid), SubjectChoices, SubjectMerge,
		},
		hears: []string{SubjectKeysAdmin, SubjectOrdersAdmin, SubjectQueueStatus, SubjectInstances, beatPrefix + "*", discovery},
	}
	r.asks = append(r.asks, allLanes()...)
	durables := []string{StreamKeyPool + "." + ConsumerAlarms, StreamAlarms + "." + ConsumerAlarms,
		StreamStatus + "." + ConsumerOrders, StreamStray + "." + ConsumerOrders, StreamResults + "." + ConsumerCashier, StreamHeld + "." + ConsumerDue}
	for _, lane := range worker.Lanes() {
		durables = append(durables, StreamRequests+"."+laneConsumer(lane))
	}
	for _, durable := range durables {
		r.asks = append(r.asks, ackPrefix+durable+".>", ackPrefix+"*.*."+durable+".>") // the latter with js_ack_fc_v2
		r.never = append(r.never, api("CONSUMER.DELETE", durable))
	}
	for _, stream := range streams() {
		r.asks = append(r.asks,
			api("STREAM.INFO", stream.Name), api("STREAM.MSG.GET", stream.Name), api("DIRECT.GET", stream.Name), api("DIRECT.GET", stream.Name)+".>",
			api("CONSUMER.INFO", stream.Name)+".*", api("CONSUMER.CREATE", stream.Name)+".>", api("CONSUMER.DELETE", stream.Name)+".*",
			api("CONSUMER.MSG.NEXT", stream.Name)+".*")
	}
	return r
}

func relayRole() Role {
	return Role{Name: "relay", Account: account, Purpose: "needs nothing of NATS today: it talks to workers over its channel, and may do nothing here"}
}

func provisionerRole() Role {
	r := Role{
		Name: "provisioner", Account: account,
		Purpose: "makes the streams and the workers' consumers: autopurchase provision",
	}
	for _, lane := range worker.Lanes() {
		durable := StreamRequests + "." + laneConsumer(lane)
		r.asks = append(r.asks, api("CONSUMER.INFO", durable), api("CONSUMER.CREATE", durable)+"."+laneSubjects(lane))
	}
	for _, stream := range streams() {
		r.asks = append(r.asks, api("STREAM.INFO", stream.Name), api("STREAM.CREATE", stream.Name), api("STREAM.UPDATE", stream.Name))
	}
	return r
}

func monitorRole() Role {
	r := Role{
		Name: "monitor", Account: "MONITOR",
		Purpose: "reads everything and changes nothing: autopurchase queue, watch, orders list and show, dead list and show, keys list, show, statement and forecast",
		asks: append([]string{SubjectQueueStatus, SubjectInstances, SubjectOrdersParked, PayUnpaid.subject, OrdersList.subject, OrdersShow.subject, SubjectDeadList, SubjectDeadShow, discovery},
			looks()...),
		hears: []string{beatPrefix + "*"},
	}
	for _, stream := range streams() {
		r.asks = append(r.asks, api("DIRECT.GET", stream.Name), api("DIRECT.GET", stream.Name)+".>")
		r.hears = append(r.hears, stream.Subjects...)
	}
	return r
}

func adminRole() Role {
	r := monitorRole()
	r.Name, r.Account = "admin", "ADMIN"
	r.Purpose = "administers keys and decides about orders and dead letters, and sees what a monitor sees: autopurchase keys, orders, dead"
	r.asks = append(r.asks, SubjectKeysAdmin, SubjectOrdersAdmin)
	return r
}

func publisherRole(tenant string) Role {
	results, statuses, payments := resultPrefix+tenant+".>", statusPrefix+tenant+".>", paymentPrefix+tenant+".>"
	r := Role{
		Name: "publisher-" + tenant, Account: "TENANT_" + tenant,
		Purpose: "publishes requests in the name of " + tenant + " and reads what becomes of them, and no other tenant's: autopurchase publish",
		asks: []string{
			directPrefix + StreamRequests + "." + anyLane + tenant + ".>", directPrefix + StreamResults + "." + results, directPrefix + StreamStatus + "." + statuses,
			directPrefix + StreamPayments + "." + payments,
		},
		hears: []string{results, statuses, payments},
	}
	for _, lane := range worker.Lanes() {
		r.asks = append(r.asks, lanePrefix(lane)+tenant+".>")
	}
	return r
}
