package sim1688

import (
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// books is the platform's memory: keys, shelf and orders, under one lock. Every method is safe for concurrent use.
type books struct {
	now    func() time.Time
	steady func() time.Time
	offers []Offer // as configured, for reset
	units  bool
	life   time.Duration

	refreshLife time.Duration
	refreshOnce bool

	mu       sync.Mutex
	accounts map[string]*account
	payers   map[string]bool // members with an agreement to pay without a password
	shelf    map[string]*good
	orders   []*entry
	byID     map[string]*entry
	byTail   map[string][]*entry // by tail of the outOrderId
	byMember map[string][]*entry
	lastID   int64
	calls    int64
}

// firstID is above 2^53, and ids are consecutive: a client that keeps them in a float mixes orders up at once.
const firstID = 2_257_000_000_000_000_000

func newBooks(cfg Config) *books {
	b := &books{
		now: cfg.Now, steady: cfg.Steady, offers: cfg.Offers, units: cfg.Count == "units", life: cfg.TokenLife, refreshLife: cfg.RefreshLife, refreshOnce: cfg.RefreshOnce,
		accounts: make(map[string]*account, len(cfg.Keys)), payers: map[string]bool{}, lastID: firstID,
	}
	for _, key := range cfg.Keys {
		b.accounts[key.AppKey] = b.newAccount(key)
	}
	b.reset()
	return b
}

// reset clears orders and counts and fills the shelf anew. Ids go on: an id once given never means another order.
func (b *books) reset() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.orders = nil
	b.byID, b.byTail, b.byMember = map[string]*entry{}, map[string][]*entry{}, map[string][]*entry{}
	b.shelf = make(map[string]*good, len(b.offers))
	for _, offer := range b.offers {
		b.shelf[offer.OfferID] = newGood(offer)
	}
	for _, a := range b.accounts {
		a.products, a.orders, a.refreshes = 0, 0, 0
	}
}

// list returns copies of the orders that match, oldest first.
func (b *books) list(filter OrderFilter) []Order {
	b.mu.Lock()
	defer b.mu.Unlock()
	found := []Order{}
	for _, e := range b.candidates(filter.OutOrderID) {
		if filter.AppKey == "" || e.AppKey == filter.AppKey {
			found = append(found, e.Order)
		}
	}
	return found
}

func (b *books) candidates(ref string) []*entry {
	if ref == "" {
		return b.orders
	}
	found := slices.Clone(b.byTail[ref])
	if short := tail(ref); short != ref {
		for _, e := range b.byTail[short] {
			if e.OutOrderID == ref {
				found = append(found, e)
			}
		}
		slices.SortFunc(found, func(a, b *entry) int { return strings.Compare(a.OrderID, b.OrderID) })
	}
	return found
}

// query is what a buyer may ask for; an empty ref means every order.
type query struct {
	member, ref string
	from, to    time.Time // when they were made; zero for any time
	page, size  int
}

func (q query) covers(e *entry) bool {
	return (q.from.IsZero() || !e.CreatedAt.Before(q.from)) && (q.to.IsZero() || !e.CreatedAt.After(q.to))
}

// buyerOrders returns one page of a buyer's orders, newest first, and how many there are in all. Asked by reference, it does
// not show an order before it is visible.
func (b *books) buyerOrders(q query) ([]entry, int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	all := b.byMember[q.member]
	if q.ref != "" {
		all = b.visible(q)
	}
	if !q.from.IsZero() || !q.to.IsZero() {
		all = slices.DeleteFunc(slices.Clone(all), func(e *entry) bool { return !q.covers(e) })
	}
	var page []entry
	for i := len(all) - 1 - (q.page-1)*q.size; i >= 0 && len(page) < q.size; i-- {
		page = append(page, all[i].shown(b.steady()))
	}
	return page, len(all)
}

func (b *books) visible(q query) []*entry {
	now := b.steady()
	var shown []*entry
	for _, e := range b.byTail[tail(q.ref)] {
		if e.OutOrderID == q.ref && e.Member == q.member && !now.Before(e.visible) {
			shown = append(shown, e)
		}
	}
	return shown
}

func (b *books) buyerOrder(member, orderID string) (entry, bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	e := b.byID[orderID]
	if e == nil || e.Member != member {
		return entry{}, false
	}
	return e.shown(b.steady()), true
}

// file enters a new order into every index. The caller holds the lock.
func (b *books) file(e *entry) {
	b.lastID++
	e.OrderID = strconv.FormatInt(b.lastID, 10)
	b.orders = append(b.orders, e)
	b.byID[e.OrderID] = e
	b.byMember[e.Member] = append(b.byMember[e.Member], e)
	if e.OutOrderID != "" {
		b.byTail[tail(e.OutOrderID)] = append(b.byTail[tail(e.OutOrderID)], e)
	}
}
