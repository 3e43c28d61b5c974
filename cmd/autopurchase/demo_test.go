package main

import (
	"encoding/json"
	"maps"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"autopurchase/internal/bus"
	"autopurchase/internal/sim1688"
	"autopurchase/internal/workertest"
	"autopurchase/schemas"
	"autopurchase/worker"
)

// TestDemo runs the whole job in this process, on each Redis there is.
func TestDemo(t *testing.T) {
	t.Parallel()
	for _, redis := range []string{"in-process", "server"} {
		t.Run(redis, func(t *testing.T) {
			code, out, errs := execute(t, nil, "demo", "--json", "--redis", redis)
			sum := readSummary(t, code, out, errs)
			if sum.Requests < 400 || sum.Rotations < 1 || sum.Partial == 0 || sum.Refused == 0 {
				t.Errorf("too little was shown: %+v", sum)
			}
			for _, want := range []string{"published: 450 of 450\n", "results: 450 of 450\n", "received: "} {
				if !strings.Contains(errs, want) {
					t.Errorf("%q is missing on stderr:\n%s", want, errs)
				}
			}
			if strings.ContainsAny(errs, "\r\x1b") {
				t.Errorf("stderr is no terminal and yet has a bar: %q", errs)
			}
		})
	}
}

func TestDemoOnServersOfOthers(t *testing.T) {
	t.Parallel()
	code, out, errs := execute(t, nil, "demo", "--json", "--requests", "20", "--nats", workertest.NATS(t).URL, "--redis", workertest.Redis(t).URL)
	if sum := readSummary(t, code, out, errs); sum.Requests != 20 {
		t.Errorf("%+v", sum)
	}
}

// readSummary checks that a demo printed exactly one object with exactly the promised members, and that its books are right.
func readSummary(t *testing.T, code int, out, errs string) summary {
	t.Helper()
	if code != exitOK || strings.Count(out, "\n") != 1 {
		t.Fatalf("exit %d, stdout %q, stderr:\n%s", code, out, errs)
	}
	var members map[string]json.RawMessage
	must(t, json.Unmarshal([]byte(out), &members))
	want := strings.Split("cancelled duplicates keys lost orders_at_1688 over_drawn paid paid_twice partial placed products received refused requests results rotations seconds shipped unknown", " ")
	if got := slices.Sorted(maps.Keys(members)); !slices.Equal(got, want) {
		t.Errorf("members %v, want %v", got, want)
	}
	var keys []map[string]any
	must(t, json.Unmarshal(members["keys"], &keys))
	for _, key := range keys {
		if got := slices.Sorted(maps.Keys(key)); !slices.Equal(got, []string{"app_key", "held", "limit", "state", "used"}) {
			t.Errorf("members of a key: %v", got)
		}
	}
	var sum summary
	must(t, json.Unmarshal([]byte(out), &sum))
	used, held := int64(0), int64(0)
	for _, key := range sum.Keys {
		used, held = used+key.Used, held+key.Held
	}
	if sum.Results != sum.Requests || sum.Placed+sum.Partial+sum.Refused != sum.Requests || sum.Duplicates+sum.Lost+sum.Unknown+sum.Cancelled != 0 ||
		sum.OverDrawn != 0 || used != sum.Products || held != 0 || sum.OrdersAt1688 < sum.Placed || sum.Seconds <= 0 || len(keys) < 2 {
		t.Errorf("the books are not right: %+v", sum)
	}
	if lives := min(sum.OrdersAt1688, demoLives); sum.Paid != lives || sum.Shipped != lives || sum.Received != lives || sum.PaidTwice != 0 {
		t.Errorf("not every order's life is on record: %+v", sum)
	}
	return sum
}

func TestDemoTellsAPerson(t *testing.T) {
	t.Parallel()
	code, out, errs := execute(t, nil, "demo", "--requests", "5", "--redis", "in-process")
	if code != exitOK {
		t.Fatalf("exit %d: %s", code, errs)
	}
	for _, want := range []string{"requests        5   results 5 in", "doubled       0", "lost          0", "every request has its result, no order was doubled or lost, no key over-drawn, nothing paid twice, no status lost", "received, as 1688 told; 0 paid twice", "key "} {
		if !strings.Contains(out, want) {
			t.Errorf("%q is missing in:\n%s", want, out)
		}
	}
}

// TestDemoStaysUp uses a demo that stays up as another program does: by what addresses.json says.
func TestDemoStaysUp(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	p := launch(t, "demo", "--keep", "--data", dir, "--requests", "5", "--redis", "server")
	p.err.await(t, "staying up", p.done, func(text string) bool { return strings.Contains(text, "staying up: "+dir+"/addresses.json") })
	where := readAddresses(t, dir)
	if got := slices.Sorted(maps.Keys(where)); !slices.Equal(got, strings.Split("channel http nats redis sim_admin sim_gateway sim_messages", " ")) {
		t.Fatalf("addresses.json names %v", got)
	}
	buyFrom(t, where)
	if code, out, errs := execute(t, nil, "health", where["http"]+"/readyz"); code != exitOK || !strings.Contains(out, `"redis":"ok"`) {
		t.Errorf("health: exit %d, %s%s", code, out, errs)
	}
	stopped(t, p)
	closed(t, where)
	if _, err := os.Stat(filepath.Join(dir, "addresses.json")); !os.IsNotExist(err) {
		t.Errorf("addresses.json outlives the addresses: %v", err)
	}
}

// buyFrom publishes a request of another tenant and looks for its order in 1688's books.
func buyFrom(t *testing.T, where map[string]string) {
	t.Helper()
	request := newSamples(sim1688.DefaultCatalogue(), 3).request("PR.1")
	request.Lines = request.Lines[:1]
	receipt, err := connect(t, where["nats"]).Submit(t.Context(), "stranger", request.ID, schemas.AppendRequest(nil, request))
	if err != nil || receipt.Fate != bus.Accepted {
		t.Fatalf("%+v, %v", receipt, err)
	}
	var result worker.Result
	follow(t, where["nats"], "stranger", func(r worker.Result) bool { result = r; return true })
	var orders []sim1688.Order
	get(t, where["sim_admin"]+"/admin/orders?out_order_id="+url.QueryEscape("stranger.PR=2E1-1"), "orders", &orders)
	if result.Outcome != worker.OutcomePlaced || len(orders) != 1 || len(result.Orders) != 1 || orders[0].OrderID != result.Orders[0].OrderID {
		t.Errorf("result %+v, 1688 has %+v", result, orders)
	}
}

func readAddresses(t *testing.T, dir string) (where map[string]string) {
	t.Helper()
	body, err := os.ReadFile(filepath.Join(dir, "addresses.json"))
	must(t, err)
	must(t, json.Unmarshal(body, &where))
	return where
}

// closed checks that nothing listens on the addresses any more.
func closed(t *testing.T, where map[string]string) {
	t.Helper()
	for name, address := range where {
		u, err := url.Parse(address)
		must(t, err)
		var dialer net.Dialer
		if conn, err := dialer.DialContext(t.Context(), "tcp", u.Host); err == nil {
			must(t, conn.Close())
			t.Errorf("%s still listens on %s", name, u.Host)
		}
	}
}

// TestAnInterruptedDemoSaysSo: its books are not wrong, they are not finished.
func TestAnInterruptedDemoSaysSo(t *testing.T) {
	t.Parallel()
	p := launch(t, "demo", "--requests", "100000", "--redis", "in-process")
	p.err.await(t, "progress", p.done, func(text string) bool { return strings.Contains(text, "published: ") })
	if code := p.stop(); code != exitFailed {
		t.Errorf("exit %d", code)
	}
	if said := complaint(t, p.err.String()); !strings.Contains(said, "stopped before every sample had its result") || p.out.String() != "" {
		t.Errorf("stdout %q, stderr %q", p.out.String(), said)
	}
}
