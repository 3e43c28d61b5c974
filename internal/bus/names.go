package bus

import (
	"crypto/sha256"
	"encoding/hex"
	"strconv"
	"strings"

	"autopurchase/worker"
)

// The streams.
const (
	StreamRequests = "PURCHASE_REQUESTS"
	StreamHeld     = "PURCHASE_HELD"
	StreamResults  = "PURCHASE_RESULTS"
	StreamStatus   = "PURCHASE_STATUS"
	StreamStray    = "PURCHASE_STRAY"
	StreamDead     = "PURCHASE_DEAD"
	StreamParked   = "PURCHASE_PARKED"
	StreamAlarms   = "PURCHASE_ALARM"
	StreamJournal  = "PURCHASE_JOURNAL"
	StreamPayments = "PURCHASE_PAYMENT"
	StreamUnpaid   = "PURCHASE_UNPAID"
	StreamChoices  = "PURCHASE_CHOICE"
	StreamMerge    = "PURCHASE_MERGE"
	StreamKeyPool  = "KEYPOOL"
)

// ConsumerWorker is the durable consumer on StreamRequests that all workers share for the normal lane. Those of the others have the
// lane's name behind it.
const ConsumerWorker = "worker"

// ConsumerCashier is the durable consumer on StreamResults that all cashiers share.
const ConsumerCashier = "cashier"

// ConsumerAlarms is the durable consumer that all who tell alarms share, on StreamKeyPool and on StreamAlarms.
const ConsumerAlarms = "alarms"

// The subjects of the streams.
const (
	SubjectResults   = resultPrefix + ">"
	SubjectStatus    = statusPrefix + ">"
	SubjectStray     = strayPrefix + ">"
	SubjectDead      = deadPrefix + ">"
	SubjectParked    = parkedPrefix + ">"
	SubjectAlarms    = alarmPrefix + ">"
	SubjectJournal   = journalPrefix + ">"
	SubjectPayments  = paymentPrefix + ">"
	SubjectTill      = tillPrefix + ">" // in the same stream
	SubjectUnpaid    = unpaidPrefix + ">"
	SubjectChoices   = choicePrefix + ">"
	SubjectMerge     = mergePrefix + ">"
	SubjectPoolEvent = eventPrefix + ">"

	// SubjectSwitch is where the last message says whether payments are stopped.
	SubjectSwitch = tillPrefix + "switch"
)

// The subjects of the services: request and reply, in no stream.
const (
	SubjectKeysAdmin     = keysPrefix + ">"   // a verb each, see KeysAdd
	SubjectOrdersAdmin   = ordersPrefix + ">" // a verb each, see OrdersList
	SubjectOrdersParked  = "purchase.admin.parked"
	SubjectOrdersResolve = "purchase.admin.resolve"
	SubjectOrdersCancel  = ordersPrefix + "cancel"
	SubjectOrdersRetry   = ordersPrefix + "retry"
	SubjectOrdersBind    = ordersPrefix + "bind"
	SubjectOrdersUnbind  = ordersPrefix + "unbind"
	SubjectOrdersImport  = ordersPrefix + "import"
	SubjectDeadList      = ordersPrefix + "dead-list"
	SubjectDeadShow      = ordersPrefix + "dead-show"
	SubjectDeadReplay    = ordersPrefix + "dead-replay"
	SubjectDeadDrop      = ordersPrefix + "dead-drop"
	SubjectQueueStatus   = "purchase.queue.status"

	// SubjectInstances are where each instance answers for itself; its beats are on another subject, so that what is asked is
	// not taken for what is said.
	SubjectInstances = instancePrefix + "*"
)

const (
	requestPrefix = "purchase.request."
	resultPrefix  = "purchase.result."
	heldPrefix    = "purchase.held."
	duePrefix     = "purchase.due."
	statusPrefix  = "purchase.status."
	strayPrefix   = "purchase.stray."
	deadPrefix    = "purchase.dead."
	journalPrefix = "purchase.journal."
	bondPrefix    = journalPrefix + "=order." // an order of 1688 is one tenant's at most; no tenant is called so
	parkedPrefix  = "purchase.parked."
	alarmPrefix   = "purchase.alarm."
	paymentPrefix = "purchase.payment."
	tillPrefix    = "purchase.till."
	unpaidPrefix  = "purchase.unpaid."
	choicePrefix  = "purchase.choice."
	mergePrefix   = "purchase.merge."
	eventPrefix   = "keypool.event."
	keysPrefix    = "keypool.admin."
	ordersPrefix  = "purchase.admin."
	beatPrefix    = SubjectQueueStatus + "."

	instancePrefix = "purchase.queue.instance."

	// apiPrefix begins what JetStream itself is asked on.
	apiPrefix = "$JS.API."

	// noTenant stands where a subject asks for a tenant and none is known.
	noTenant = "_"
	// noRequest stands where a subject asks for a ref and it is about no single request. No request has it.
	noRequest = "=all"

	serviceKeys     = "autopurchase-keypool"
	serviceOrders   = "autopurchase-orders"
	serviceRequests = "autopurchase-requests"
	serviceStatus   = "autopurchase-queue"
)

// replaySubject is where a replay of the request goes, the n-th from 1: the broker refuses the same one a second time.
func replaySubject(lane worker.Lane, tenant, ref string, n int) string {
	return requestSubject(lane, tenant, ref) + "." + strconv.Itoa(n)
}

// journalSubject is where it is kept what persons did to a request; without one, it is kept what they did to all.
func journalSubject(tenant, requestID string) string {
	ref := noRequest
	if requestID != "" {
		ref = worker.EncodeRef(requestID)
	}
	if tenant == "" {
		tenant = noTenant
	}
	return journalPrefix + tenant + "." + ref
}

// bondSubject is where the last message says which request's an order of 1688 is by a person's word.
func bondSubject(orderID string) string { return bondPrefix + worker.EncodeRef(orderID) }

// The subjects of what is held: first under its schedule, and once that is due.
const (
	heldSubjects = heldPrefix + ">"
	dueSubjects  = duePrefix + ">"
)

func heldSubject(tenant, ref string) string { return heldPrefix + tenant + "." + ref }
func dueSubject(tenant, ref string) string  { return duePrefix + tenant + "." + ref }

// resultSubject is where its result is: the last message there counts.
func resultSubject(tenant, ref string) string { return resultPrefix + tenant + "." + ref }

// asideSubject is where a result goes that is about another message than the request stored under that id.
func asideSubject(tenant, ref string, code worker.Code) string {
	return resultSubject(tenant, ref) + "." + string(code)
}

// parkedSubject is where the list of parked requests has the request.
func parkedSubject(tenant, ref string) string { return parkedPrefix + tenant + "." + ref }

// paymentSubjects are where the payments of all the request's orders are.
func paymentSubjects(tenant, ref string) string { return paymentPrefix + tenant + "." + ref + ".*" }

// paymentSubject is where the record of one order's payment is; the last message counts.
func paymentSubject(tenant, ref, orderID string) string {
	return paymentPrefix + tenant + "." + ref + "." + worker.EncodeRef(orderID)
}

// unpaidSubject is where the list of payments that want a person has the order.
func unpaidSubject(tenant, ref, orderID string) string {
	return unpaidPrefix + tenant + "." + ref + "." + worker.EncodeRef(orderID)
}

// choiceSubject is where it is on record what was chosen of the request's alternatives: the first message, and only that.
func choiceSubject(tenant, ref string) string { return choicePrefix + tenant + "." + ref }

// mergeSubject is where the mark of a request is that may be bought together with others, or of one that was made of such.
func mergeSubject(tenant, ref string) string { return mergePrefix + tenant + "." + ref }

// tillSubject is where it is counted what an account pays in a day.
func tillSubject(account, day string) string {
	return tillPrefix + "day." + worker.EncodeRef(account) + "." + day
}

// statusSubject is where the later life of the request's orders is told, event by event.
func statusSubject(tenant, ref string) string { return statusPrefix + tenant + "." + ref }

// straySubject is where a push is kept that belongs to no request: one subject each, so that each is kept once.
func straySubject(appKey, eventID string) string {
	return strayPrefix + worker.EncodeRef(appKey) + "." + worker.EncodeRef(eventID)
}

func deadSubject(tenant string) string {
	if tenant == "" {
		tenant = noTenant
	}
	return deadPrefix + tenant
}

func eventSubject(pool string, kind worker.EventKind) string {
	return eventPrefix + pool + "." + string(kind)
}

// alarmSubject is where the last message says whether something is wrong.
func alarmSubject(kind worker.AlarmKind, what string) string {
	return alarmPrefix + string(kind) + "." + what
}

// poolSubjects is the whole journal of a pool.
func poolSubjects(pool string) string { return eventPrefix + pool + ".*" }

// beatSubject is where one instance says how it is.
func beatSubject(instance string) string { return beatPrefix + instance }

// tenantSubjects is what of each stream is one tenant's.
func tenantSubjects(tenant string) map[string]string {
	return map[string]string{
		StreamRequests: anyLane + tenant + ".>", StreamResults: resultPrefix + tenant + ".>", StreamStatus: statusPrefix + tenant + ".>",
		StreamDead: deadSubject(tenant), StreamParked: parkedPrefix + tenant + ".>", StreamPayments: paymentPrefix + tenant + ".>",
		StreamChoices: choicePrefix + tenant + ".>",
	}
}

// instanceSubject is where one instance is asked how it is.
func instanceSubject(instance string) string { return instancePrefix + instance }

// submissionID is the message id of one submission: its own repeats carry it, a second submission of the same request does not.
func submissionID(tenant, ref, nonce string) string { return tenant + "." + ref + ":" + nonce }

// resultID is the message id of a result. An outcome that replaces an unknown one is another message, and so is an unknown
// with fewer orders open, and one that comes of a replay.
func resultID(subject string, result worker.Result) string {
	id := subject + ":" + string(result.Outcome)
	if len(result.Unknown) > 1 {
		id += ":" + strconv.Itoa(len(result.Unknown))
	}
	if result.ByHand != "" {
		id += ":" + result.ByHand
	}
	if result.Replay > 0 {
		id += ":replay" + strconv.Itoa(result.Replay)
	}
	return id
}

// deadID is the message id of a dead letter: one for each request that was given up, and one for each late answer.
func deadID(letter worker.DeadLetter) string {
	id := StreamRequests + ":" + strconv.FormatUint(letter.Sequence, 10)
	if letter.Code == worker.CodeNoAnswer {
		digest := sha256.Sum256([]byte(letter.Reason))
		id += ":" + hex.EncodeToString(digest[:8])
	}
	return id
}

func statusID(status worker.Status) string { return status.AppKey + ":" + status.EventID }

func eventID(event worker.PoolEvent) string {
	return event.Pool + ":" + strconv.FormatInt(event.Sequence, 10)
}

// parseResult reads tenant and ref out of a result's subject, each "" when it cannot be read; aside says that the result is not
// the request's own.
func parseResult(subject string) (tenant, ref string, aside bool) {
	rest := strings.TrimPrefix(subject, resultPrefix)
	if first, code, found := cutThird(rest); found && code != "" {
		rest, aside = first, true
	}
	tenant, ref = parseTokens(rest)
	return tenant, ref, aside
}

func parseTokens(rest string) (tenant, ref string) {
	tenant, ref, _ = strings.Cut(rest, ".")
	if worker.CheckName(tenant) != nil {
		tenant = ""
	}
	if _, err := worker.DecodeRef(ref); err != nil {
		ref = ""
	}
	return tenant, ref
}

// cutThird cuts "a.b.c" into "a.b" and "c".
func cutThird(rest string) (string, string, bool) {
	dot := strings.LastIndexByte(rest, '.')
	if dot < 0 || strings.Count(rest, ".") != 2 {
		return rest, "", false
	}
	return rest[:dot], rest[dot+1:], true
}
