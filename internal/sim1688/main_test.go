package sim1688

import (
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	if os.Getenv(served) != "" {
		serve()
	}
	goleak.VerifyTestMain(m)
}

const (
	testKey    = "1234567"
	testSecret = "test_app_secret_0123456789abcdef"
	testToken  = "tok-0001"
)

var testNow = time.Date(2026, 3, 1, 4, 5, 6, 7_000_000, time.UTC)

func testKeys() []Key {
	return []Key{{AppKey: testKey, Secret: testSecret, RefreshToken: "ref-0001", AccessToken: testToken, Member: "b2b-buyer"}}
}

// clock is a platform clock that tests move.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// world is a running simulator and a client of it.
type world struct {
	*Sim
	t     testing.TB
	clock *clock
	http  *http.Client
}

func start(t testing.TB, adapt ...func(*Config)) *world {
	t.Helper()
	c := &clock{now: testNow}
	cfg := Config{Keys: testKeys(), Now: c.Now, Steady: c.Now, Seed: 7, Resend: time.Minute}
	for _, change := range adapt {
		change(&cfg)
	}
	s, err := Start(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	transport := &http.Transport{MaxIdleConnsPerHost: 64}
	t.Cleanup(func() {
		transport.CloseIdleConnections()
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return &world{Sim: s, t: t, clock: c, http: &http.Client{Transport: transport, Timeout: 10 * time.Second}}
}

// reply is an answer of the gateway or the admin API, as it came.
type reply struct {
	status int
	body   string
}

func (r reply) into(t testing.TB, v any) {
	t.Helper()
	if err := json.Unmarshal([]byte(r.body), v); err != nil {
		t.Fatalf("%v in %s", err, r.body)
	}
}

func (r reply) mustHave(t testing.TB, status int, parts ...string) {
	t.Helper()
	if r.status != status {
		t.Fatalf("status %d, want %d: %s", r.status, status, r.body)
	}
	for _, part := range parts {
		if !strings.Contains(r.body, part) {
			t.Errorf("%s is not in %s", part, r.body)
		}
	}
}

const (
	fastCreate = trade + "alibaba.trade.fastCreateOrder"
	listOrders = trade + "alibaba.trade.getBuyerOrderList"
	viewOrder  = trade + "alibaba.trade.get.buyerView"
)

// try posts a signed form with the test key's token and returns the error of a connection that was cut.
func (w *world) try(api string, params ...string) (reply, error) {
	form := url.Values{"access_token": {testToken}}
	for i := 0; i < len(params); i += 2 {
		form.Set(params[i], params[i+1])
	}
	form.Set(signatureParam, signature(testSecret, api+"/"+testKey, form))
	return w.post(w.GatewayURL()+"/openapi/"+api+"/"+testKey, "application/x-www-form-urlencoded", form.Encode())
}

func (w *world) call(api string, params ...string) reply {
	w.t.Helper()
	r, err := w.try(api, params...)
	if err != nil {
		w.t.Fatal(err)
	}
	return r
}

func (w *world) post(target, contentType, body string) (reply, error) {
	resp, err := w.http.Post(target, contentType, strings.NewReader(body))
	return readReply(resp, err)
}

func (w *world) adminPost(path, body string) reply {
	w.t.Helper()
	r, err := w.post(w.AdminURL()+path, "application/json", body)
	if err != nil {
		w.t.Fatal(err)
	}
	return r
}

func (w *world) adminGet(path string) reply {
	w.t.Helper()
	r, err := readReply(w.http.Get(w.AdminURL() + path))
	if err != nil {
		w.t.Fatal(err)
	}
	return r
}

func readReply(resp *http.Response, err error) (reply, error) {
	if err != nil {
		return reply{}, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	return reply{status: resp.StatusCode, body: string(body)}, err
}

const home = `{"fullName":"张三","mobile":"13800000000","provinceText":"上海","cityText":"上海市","address":"陕西南路1号"}`

// create orders lines under ref.
func (w *world) create(ref string, lines ...Line) reply {
	w.t.Helper()
	return w.call(fastCreate, createParams(ref, lines)...)
}

func createParams(ref string, lines []Line) []string {
	return []string{"flow", "general", "addressParam", home, "cargoParamList", cargoText(lines), "outOrderId", ref}
}

func cargoText(lines []Line) string {
	list := make([]map[string]any, len(lines))
	for i, line := range lines {
		list[i] = map[string]any{"offerId": json.Number(line.OfferID), "quantity": line.Quantity}
		if line.SpecID != "" {
			list[i]["specId"] = line.SpecID
		}
	}
	return string(encode(list))
}

// offersOf returns the first n ordinary offers of one seller.
func offersOf(seller, n int) []Offer {
	var found []Offer
	for i := seller; len(found) < n; i += catalogueSellers {
		found = append(found, DefaultCatalogue()[i])
	}
	return found
}

// someLines are n lines that one order may have.
func someLines(n int) []Line {
	var lines []Line
	for _, o := range offersOf(1, n) {
		lines = append(lines, Line{OfferID: o.OfferID, SpecID: o.SpecIDs[0], Quantity: 2})
	}
	return lines
}
