package alibaba

import (
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"go.uber.org/goleak"

	"autopurchase/worker"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var testKey = Credentials{AppKey: "1000001", Secret: "MARKER-secret-0001", AccessToken: "MARKER-token-0001"}

func testOrder() worker.Order {
	return worker.Order{
		Reference: "acme.PR-1-1",
		Message:   `加急 & 100% "好" +1 <b>`,
		DeliverTo: worker.Address{FullName: "张三三", Mobile: "13800138000", Province: "上海", City: "上海市", Address: "陕西南路1号"},
		Lines: []worker.Line{
			{OfferID: "700000000001", SpecID: "aaaa0000aaaa0000aaaa0000aaaa0000", Quantity: 2},
			{OfferID: "700000000002", Quantity: 1},
		},
	}
}

// gateway serves handler as the platform's gateway.
func gateway(t *testing.T, handler http.HandlerFunc) *Client {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	return clientFor(t, server.URL)
}

func clientFor(t *testing.T, url string) *Client {
	t.Helper()
	client, err := NewClient(Config{Gateway: url, Timeout: 5 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	return client
}

// answering serves one answer to every call.
func answering(t *testing.T, status int, body string) *Client {
	return gateway(t, func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(status)
		_, _ = w.Write([]byte(body))
	})
}
