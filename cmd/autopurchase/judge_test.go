package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"autopurchase/internal/bus"
	"autopurchase/internal/sim1688"
	"autopurchase/schemas"
	"autopurchase/worker"
)

// trial is what a test knows about its requests when all have ended: the results, what exists at 1688, and the pool's counts.
// It judges by its own reading of the books, not by the demo's.
type trial struct {
	tenant  string
	results map[string][]worker.Result // by request id, as they are stored
	orders  []sim1688.Order
	books   []sim1688.KeyBook
	keys    []bus.KeyInfo
}

// gather reads everything once it is over.
func gather(t *testing.T, nats, admin, tenant string) trial {
	t.Helper()
	r := trial{tenant: tenant, results: map[string][]worker.Result{}}
	get(t, admin+"/admin/orders", "orders", &r.orders)
	get(t, admin+"/admin/keys", "keys", &r.books)
	r.keys = listKeys(t, nats)
	for _, result := range storedResults(t, nats, tenant) {
		r.results[result.RequestID] = append(r.results[result.RequestID], result)
	}
	return r
}

// judge holds the trial against the promise: one result for each request, one create call at most for each reference, every
// order accounted for, no key over its limit, and the pool's counts equal to 1688's.
func (r trial) judge(t *testing.T, ids []string) {
	t.Helper()
	if len(r.results) != len(ids) {
		t.Errorf("%d requests have a result, want %d", len(r.results), len(ids))
	}
	for _, id := range ids {
		if n := len(r.results[id]); n != 1 {
			t.Errorf("request %s has %d results", id, n)
		}
	}
	r.judgeOrders(t)
	r.judgeKeys(t)
}

func (r trial) judgeOrders(t *testing.T) {
	t.Helper()
	told, unknown := map[string]bool{}, map[string]bool{}
	for _, results := range r.results {
		for _, order := range results[0].Orders {
			told[order.OutOrderID+" "+order.OrderID] = true
		}
		for _, open := range results[0].Unknown {
			unknown[open.OutOrderID] = true
		}
	}
	call := map[string]int64{}
	for _, order := range r.orders {
		if !strings.HasPrefix(order.OutOrderID, r.tenant+".") {
			continue
		}
		if before, ordered := call[order.OutOrderID]; ordered && before != order.Call {
			t.Errorf("%s was ordered twice", order.OutOrderID)
		}
		call[order.OutOrderID] = order.Call
		if name := order.OutOrderID + " " + order.OrderID; !told[name] && !unknown[order.OutOrderID] {
			t.Errorf("order %s exists and no result names it", name)
		}
		delete(told, order.OutOrderID+" "+order.OrderID)
	}
	for name := range told {
		t.Errorf("a result names order %s, which does not exist", name)
	}
}

// judgeKeys compares key by key.
func (r trial) judgeKeys(t *testing.T) {
	t.Helper()
	for _, book := range r.books {
		if book.OverDrawn != 0 || book.Products > book.Limit {
			t.Errorf("1688 says key %s is over-drawn: %+v", book.AppKey, book)
		}
	}
	used, held := r.counts()
	for _, key := range r.keys {
		if key.Used != used[key.AppKey] || key.Held != held[key.AppKey] || key.Used+key.Held > key.Limit {
			t.Errorf("key %+v: want %d used and %d held", key, used[key.AppKey], held[key.AppKey])
		}
	}
}

// counts gives what each key should show. An order that is unknown stays held, whether it exists or not. One of which it is not
// known which of several keys took it is on each of them, as its result says, while 1688 has it on one.
func (r trial) counts() (used, held map[string]int64) {
	used, held = map[string]int64{}, map[string]int64{}
	elsewhere := map[string]bool{} // what is not counted by 1688's word
	add := func(sums map[string]int64, appKey string, alsoOn []string, products int64) {
		for _, appKey := range append([]string{appKey}, alsoOn...) {
			sums[appKey] += products
		}
	}
	for _, results := range r.results {
		for _, order := range results[0].Unknown {
			elsewhere[order.OutOrderID] = true
			add(held, order.AppKey, order.AlsoOn, order.Products)
		}
		for _, order := range results[0].Orders {
			if len(order.AlsoOn) > 0 {
				elsewhere[order.OutOrderID] = true
				add(used, order.AppKey, order.AlsoOn, order.Products)
			}
		}
	}
	for _, order := range r.orders {
		if !elsewhere[order.OutOrderID] {
			used[order.AppKey] += order.Products
		}
	}
	return used, held
}

// TestCountsOfOrdersOnSeveralKeys: an order counts, or is held, on each key that may have taken it.
func TestCountsOfOrdersOnSeveralKeys(t *testing.T) {
	r := trial{
		results: map[string][]worker.Result{
			"a": {{Orders: []worker.ResultOrder{{OutOrderID: "t.a-1", AppKey: "1", Products: 2}}}},
			"b": {{Orders: []worker.ResultOrder{{OutOrderID: "t.b-1", AppKey: "1", AlsoOn: []string{"2", "3"}, Products: 3}}}},
			"c": {{Unknown: []worker.OpenOrder{{OutOrderID: "t.c-1", AppKey: "2", AlsoOn: []string{"3"}, Products: 4}}}},
		},
		orders: []sim1688.Order{
			{OutOrderID: "t.a-1", AppKey: "1", Products: 2}, {OutOrderID: "t.b-1", AppKey: "2", Products: 3}, {OutOrderID: "t.c-1", AppKey: "3", Products: 4},
		},
	}
	used, held := r.counts()
	for appKey, want := range map[string][2]int64{"1": {5, 0}, "2": {3, 4}, "3": {3, 4}} {
		if used[appKey] != want[0] || held[appKey] != want[1] {
			t.Errorf("key %s: %d used and %d held, want %v", appKey, used[appKey], held[appKey], want)
		}
	}
}

// used adds up what the keys have used.
func (r trial) used() (sum int64) {
	for _, key := range r.keys {
		sum += key.Used
	}
	return sum
}

// client asks on a connection of its own each time, so that none is left behind.
var client = &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: patience}

// get reads one member of an answer of the simulator's admin API.
func get(t *testing.T, url, member string, into any) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	must(t, err)
	response, err := client.Do(request)
	must(t, err)
	defer response.Body.Close()
	var body map[string]json.RawMessage
	must(t, json.NewDecoder(response.Body).Decode(&body))
	must(t, json.Unmarshal(body[member], into))
}

// post sends a JSON body to the simulator's admin API.
func post(t *testing.T, url, body string) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url, strings.NewReader(body))
	must(t, err)
	response, err := client.Do(request)
	must(t, err)
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		t.Fatalf("POST %s %s: %s", url, body, response.Status)
	}
}

// connect is a program of somebody else's on the same NATS.
func connect(t *testing.T, nats string) *bus.Bus {
	t.Helper()
	b, err := bus.Connect(t.Context(), bus.Config{URL: nats, Name: "test"})
	must(t, err)
	t.Cleanup(func() { must(t, b.Close()) })
	return b
}

// follow gives the tenant's results as they come, from the first one stored, until enough says so.
func follow(t *testing.T, nats, tenant string, enough func(worker.Result) bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	for message, err := range connect(t, nats).Watch(ctx, bus.WatchOptions{Subjects: []string{"purchase.result." + tenant + ".*"}, Since: time.Unix(1, 0)}) {
		must(t, err)
		result, err := schemas.DecodeResult(message.Data)
		must(t, err)
		if enough(result) {
			return
		}
	}
	t.Fatal("the results did not all come in time")
}

// reach waits until n different requests have their result.
func reach(t *testing.T, nats, tenant string, n int) {
	t.Helper()
	seen := map[string]bool{}
	follow(t, nats, tenant, func(r worker.Result) bool {
		seen[r.RequestID] = true
		return len(seen) == n
	})
}

// storedResults gives every result that is stored: a marker published by the test ends the list.
func storedResults(t *testing.T, nats, tenant string) (all []worker.Result) {
	t.Helper()
	end := fmt.Sprintf("end-%d", time.Now().UnixNano())
	must(t, connect(t, nats).Outbox().Publish(t.Context(), worker.Result{
		Tenant: tenant, RequestID: end, Outcome: worker.OutcomeRefused, Code: worker.CodeInvalid, Reason: "the test's end", DecidedAt: time.Now(),
	}))
	follow(t, nats, tenant, func(r worker.Result) bool {
		if strings.HasPrefix(r.RequestID, "end-") {
			return r.RequestID == end
		}
		all = append(all, r)
		return false
	})
	return all
}

func listKeys(t *testing.T, nats string, more ...string) (keys []bus.KeyInfo) {
	t.Helper()
	code, out, errs := execute(t, nil, append([]string{"keys", "list", "--json", "--nats", nats}, more...)...)
	if code != exitOK {
		t.Fatalf("keys list: exit %d: %s", code, errs)
	}
	must(t, json.Unmarshal([]byte(out), &keys))
	return keys
}
