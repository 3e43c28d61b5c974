package worker

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"
)

// Importing asks for a page of what 1688 has of orders that carry our references.
type Importing struct {
	Pool   string
	From   time.Time // made then or later
	To     time.Time // made then or before
	AppKey string    // whose buyer's orders; "" begins with the first one
	Page   int       // from 1
	DryRun bool      // only says what would happen
	By     string
	Why    string
}

// Imported is what became of a page.
type Imported struct {
	AppKey   string // whose buyer's orders they are
	Account  int    // which of the accounts that is, from 1
	Accounts int    // how many there are
	Orders   []ImportedOrder
	Foreign  int    // orders that carry no reference of ours
	Unread   string // why 1688 could not be asked for these orders, "" if it could
	NextKey  string // where it goes on, "" for nowhere
	NextPage int
}

// ImportedOrder is an order at 1688 that carries a reference of ours.
type ImportedOrder struct {
	OrderID   string
	Reference string
	State     ImportState
	Status    string // 1688's word
	Total     Fen
	Reason    string
}

// ImportState is what is known here of an order that 1688 has.
type ImportState string

// What is known of such an order.
const (
	ImportKnown       ImportState = "known"       // its request is placed with it
	ImportFound       ImportState = "found"       // nothing was known of it, or its request was parked: it is settled as placed
	ImportUnderWay    ImportState = "under_way"   // a worker has it, and finds it by itself
	ImportContradicts ImportState = "contradicts" // the request ended otherwise, or with another order: a person must see to it
	ImportUnrequested ImportState = "unrequested" // no request of that id is on record
)

// maxLeaves is the last page that is read of one account's orders.
const maxLeaves = 1000

// Importer compares what 1688 has of our orders with what is on record, and settles what it finds by that fact. It is safe for
// concurrent use.
type Importer struct{ Binder }

// Import reads one page of one buyer account's orders and says where to go on. What is known already, or what a worker has, stays as
// it is; what contradicts the record is only told. Of an order that 1688 lists without a reference the detail is asked for. Importing
// again changes nothing.
//
// Errors: an *Invalid that names the field; a *Trouble of the ledger or the broker, after which it may be repeated.
func (i *Importer) Import(ctx context.Context, ask Importing) (Imported, error) {
	holders, err := i.Holders.Holders(ctx, ask.Pool)
	if err != nil {
		return Imported{}, err
	}
	accounts := byAccount(holders)
	at := slices.IndexFunc(accounts, func(a []string) bool { return ask.AppKey == "" || slices.Contains(a, ask.AppKey) })
	if at < 0 {
		return Imported{}, &Invalid{Field: "app_key", Reason: "is no key of pool " + ask.Pool + " that orders can be asked for with"}
	}
	page := Imported{AppKey: cmp.Or(ask.AppKey, accounts[at][0]), Account: at + 1, Accounts: len(accounts)}
	listed, key := i.leaf(ctx, ask, accounts[at])
	page.AppKey = cmp.Or(key, page.AppKey)
	if listed.Verdict != Placed && listed.Verdict != Absent {
		page.Unread = listed.Reason
	}
	for _, order := range listed.Listed {
		if err := i.take(ctx, ask, &page, order); err != nil {
			return page, err
		}
	}
	switch {
	case listed.More && ask.Page < maxLeaves:
		page.NextKey, page.NextPage = page.AppKey, ask.Page+1
	case listed.More:
		page.Unread = "it has more orders than are read at once: ask for fewer days"
		fallthrough
	default:
		if at+1 < len(accounts) {
			page.NextKey, page.NextPage = accounts[at+1][0], 1
		}
	}
	return page, nil
}

// byAccount gathers the keys of each account; one of which that is not known stands alone. They stand in the same order whatever room
// the keys have, since pages are asked for one after the other.
func byAccount(holders []Holder) (accounts [][]string) {
	slices.SortFunc(holders, func(a, b Holder) int { return strings.Compare(a.AppKey, b.AppKey) })
	at := map[string]int{}
	for _, h := range holders {
		if n, known := at[h.Account]; known && h.Account != "" {
			accounts[n] = append(accounts[n], h.AppKey)
			continue
		}
		at[h.Account] = len(accounts)
		accounts = append(accounts, []string{h.AppKey})
	}
	return accounts
}

// leaf asks for the page with one of the account's keys after the other, beginning with the one that is asked for, until one is
// answered.
func (i *Importer) leaf(ctx context.Context, ask Importing, keys []string) (answer Answer, key string) {
	if ask.AppKey != "" {
		keys = union([]string{ask.AppKey}, keys...)
	}
	to := ask.To.Add(time.Millisecond - 1).UnixMilli() // what was made in that millisecond is among them
	for _, key = range keys {
		within, cancel := context.WithTimeout(ctx, showTime)
		answer = i.Books.List(within, Leaf{AppKey: key, From: ask.From.UnixMilli(), To: to, Page: ask.Page})
		cancel()
		if answer.Verdict == Placed || answer.Verdict == Absent {
			return answer, key
		}
	}
	return answer, ""
}

// take says what is known of one order, and settles it.
func (i *Importer) take(ctx context.Context, ask Importing, page *Imported, order OrderDetail) error {
	if order.Reference == "" { // whether the list tells it is not known
		answer := i.detail(ctx, page.AppKey, order.OrderID)
		switch answer.Verdict {
		case Placed:
			order = *answer.Detail
		case Absent:
		default:
			page.Unread = joined(page.Unread, "order "+order.OrderID+": "+answer.Reason)
			return nil
		}
	}
	tenant, ref, _, ours := ParseReference(order.Reference)
	if !ours {
		page.Foreign++
		return nil
	}
	id, _ := DecodeRef(ref) // a reference of ours has one
	state, reason, err := i.judge(ctx, ask, page.AppKey, tenant, id, order)
	if err != nil {
		return err
	}
	page.Orders = append(page.Orders, ImportedOrder{OrderID: order.OrderID, Reference: order.Reference, State: state, Status: order.Status,
		Total: order.Total, Reason: reason})
	return nil
}

// judge compares the order with what is on record.
func (i *Importer) judge(ctx context.Context, ask Importing, appKey, tenant, id string, order OrderDetail) (ImportState, string, error) {
	_, found, err := i.Record.Asked(ctx, tenant, id)
	if err != nil || !found {
		return ImportUnrequested, "", err
	}
	f, err := i.open(ctx, tenant, id)
	if err != nil {
		return "", "", err
	}
	e, err := f.choose(Resolution{RequestID: id, Reference: order.Reference})
	if err != nil {
		return ImportUnrequested, "its request has no order of that number", nil //nolint:nilerr // the reference is what is wrong
	}
	if f.into != "" {
		return ImportContradicts, "on record its request " + partOf + f.into, nil
	}
	parked, ended := f.answered && f.result.Outcome == OutcomeUnknown, !isOpen(e)
	switch {
	case slices.Contains(ids(e.Claim.Part.Orders), order.OrderID):
		return ImportKnown, "", nil
	case ended:
		return ImportContradicts, "on record the order " + tell(e.Claim.Part), nil
	case !parked && e.Claim.State != "" && e.Claim.State != ClaimUnknown:
		return ImportUnderWay, "", nil
	case f.answered && !parked:
		return ImportContradicts, "on record its request ended as " + string(f.result.Outcome), nil
	case ask.DryRun:
		return ImportFound, "", nil
	}
	if into, err := i.keepApart(ctx, f); err != nil || into != "" {
		return ImportContradicts, "on record its request " + partOf + into, err
	}
	return ImportFound, "", i.found(ctx, ask, appKey, f, e, order)
}

// found settles what was parked, or of which nothing was known, by the fact that it is there.
func (i *Importer) found(ctx context.Context, ask Importing, appKey string, f *file, e *Ended, order OrderDetail) error {
	answer, keys := i.find(ctx, f.asked.Pool, e) // 1688 may have made several of one
	if answer.Verdict != Placed {
		answer, keys = compared(&e.Child.Order, order.answer()), []string{appKey}
	}
	part, size := Decide(&e.Child.Order, &answer)
	part.Reason = ask.note()
	var err error
	if f.mayExist(e) {
		err = i.settle(ctx, f, e, keys, part, size)
	} else {
		e.Claim, err = i.Bindings.Bind(ctx, Bonding{Pool: f.asked.Pool, Reference: e.Claim.Reference, Fingerprint: Fingerprint(&f.asked.Request),
			Published: f.asked.Published, Seen: e.Claim.State, AppKey: appKey, Size: size, Part: part})
	}
	if err != nil {
		return err
	}
	deed := Deed{What: DeedFound, Tenant: f.asked.Tenant, RequestID: f.asked.ID, OutOrderID: e.Claim.Reference, OrderID: order.OrderID,
		Text: "order " + order.OrderID + " was found at 1688", By: ask.By, Why: ask.Why, At: time.Now().UTC()}
	if _, err := i.tell(ctx, f, deed, part.Reason); err != nil {
		return err
	}
	if err := i.Register.PublishStatus(ctx, deed.status(order, e.Claim.AppKey)); err != nil {
		return err
	}
	i.Observe(Event{Stage: StageResolved, Tenant: f.asked.Tenant, RequestID: f.asked.ID, Reference: e.Claim.Reference, Pool: f.asked.Pool,
		AppKey: e.Claim.AppKey, Code: e.Claim.Part.Code, Reason: part.Reason})
	return i.Register.Keep(ctx, deed)
}

// answer is the order as a look-up would have told it.
func (d OrderDetail) answer() Answer {
	answer := Answer{Verdict: Placed, Code: CodePlaced, Orders: []PlacedOrder{{ID: d.OrderID, Total: d.Total, Postage: d.Postage}}}
	for _, item := range d.Items {
		answer.Ordered = append(answer.Ordered, item.sku())
	}
	return answer
}

// note is what the result's reason says of it.
func (i Importing) note() string {
	if i.Why == "" {
		return "found at 1688, imported by " + i.By
	}
	return "found at 1688, imported by " + i.By + ": " + i.Why
}
