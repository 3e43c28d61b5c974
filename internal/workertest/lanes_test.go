package workertest_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"autopurchase/internal/bus"
	"autopurchase/schemas"
	"autopurchase/worker"
)

// TestAnIDInTwoLanesIsBoughtOnce: publishers who do not have the broker compare put one id into several lanes, before anybody takes
// requests. The claims make one order of it, whichever comes first, and one result says so: also where one of them cannot be read, or
// asks for something else, which is told beside it.
func TestAnIDInTwoLanesIsBoughtOnce(t *testing.T) {
	stack := processes(t)
	r := newRig(t, stack)
	r.addKey("1000001", 1000)
	broker := r.broker(stack.NATS)
	put := func(prefix, id, body string) {
		_, err := broker.Publish(r.ctx, prefix+"acme."+id, []byte(body))
		r.must(err)
	}
	const n, high, normal, low = 8, "purchase.request-high.", "purchase.request.", "purchase.request-low."
	ids := func(kind string) (all []string) {
		for i := range n {
			all = append(all, fmt.Sprint(kind, "-", i))
		}
		return all
	}
	for i, id := range ids("same") {
		body := string(schemas.AppendRequest(nil, r.request(id, i)))
		for _, prefix := range []string{low, normal, high} {
			put(prefix, id, body)
		}
	}
	for i, id := range ids("other") {
		put(low, id, string(schemas.AppendRequest(nil, r.request(id, i))))
		put(normal, id, string(schemas.AppendRequest(nil, r.request(id, i, i+1))))
	}
	for i, id := range ids("unread") {
		put([]string{low, high}[i%2], id, `{"request_id":"`+id+`","priority":"normal"`)
		put(normal, id, string(schemas.AppendRequest(nil, r.request(id, i))))
	}
	stop := r.work()
	r.eventually("all to be taken", func() bool {
		depth, err := r.bus.Depth(r.ctx)
		return err == nil && depth.Waiting == 0 && depth.InFlight == 0
	})
	stop()
	products := int64(0)
	for _, id := range append(append(ids("same"), ids("other")...), ids("unread")...) {
		result, found, err := r.bus.Result(r.ctx, "acme", id)
		if err != nil || !found || result.Outcome != worker.OutcomePlaced {
			t.Errorf("%s: %+v, %v", id, result, err)
		}
		products += result.Products
		references := map[string]bool{}
		for _, order := range r.orders(id) {
			if references[order.OutOrderID] {
				t.Errorf("%s was ordered twice", order.OutOrderID)
			}
			references[order.OutOrderID] = true
		}
		if len(references) != len(result.Orders) {
			t.Errorf("%s: 1688 has %v, the result %+v", id, references, result.Orders)
		}
	}
	if key := r.key("1000001"); key.Used != products || key.Held != 0 {
		t.Errorf("%+v, want %d used", key, products)
	}
	conflicts := 0
	for message, err := range r.bus.Watch(r.ctx, bus.WatchOptions{Subjects: []string{"purchase.result.acme.*.conflict"}, Since: time.Unix(1, 0)}) {
		r.must(err)
		if !strings.Contains(message.Subject, "other-") {
			t.Errorf("a conflict on %s", message.Subject)
		}
		if conflicts++; conflicts == n {
			break
		}
	}
}
