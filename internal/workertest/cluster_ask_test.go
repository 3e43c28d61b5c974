package workertest

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"autopurchase/internal/bus"
)

// addKeys puts keys into the pool, the first of which serves first.
func (c *composed) addKeys(appKeys []string) {
	c.t.Helper()
	b := c.bus()
	for _, appKey := range appKeys {
		if _, err := bus.KeysAdd.Ask(c.t.Context(), b, bus.AddKey{AppKey: appKey, Limit: clusterLimit, Change: bus.Change{By: "test"}}); err != nil {
			c.t.Fatal(err)
		}
	}
}

// bus is a connection from this machine.
func (c *composed) bus() *bus.Bus {
	c.t.Helper()
	b, err := bus.Connect(c.t.Context(), bus.Config{URL: c.nats, Name: "test"})
	if err != nil {
		c.t.Fatal(err)
	}
	c.t.Cleanup(func() { _ = b.Close() })
	return b
}

// jetstream is a client of the test's own.
func (c *composed) jetstream() jetstream.JetStream {
	c.t.Helper()
	nc, err := nats.Connect(c.nats, nats.MaxReconnects(-1), nats.ReconnectWait(100*time.Millisecond))
	if err != nil {
		c.t.Fatal(err)
	}
	c.t.Cleanup(nc.Close)
	js, err := jetstream.New(nc)
	if err != nil {
		c.t.Fatal(err)
	}
	return js
}

// stream waits for the cluster's word on a stream.
func (c *composed) stream(js jetstream.JetStream, name string) (info *jetstream.StreamInfo) {
	c.t.Helper()
	c.await("word on stream "+name, func() bool {
		ctx, cancel := context.WithTimeout(c.t.Context(), 2*time.Second)
		defer cancel()
		stream, err := js.Stream(ctx, name)
		if err == nil {
			info = stream.CachedInfo()
		}
		return err == nil
	})
	return info
}

// acked is the request up to which each has been acknowledged, by its sequence; 0 while nobody says.
func (c *composed) acked(js jetstream.JetStream) uint64 {
	c.t.Helper()
	ctx, cancel := context.WithTimeout(c.t.Context(), 2*time.Second)
	defer cancel()
	consumer, err := js.Consumer(ctx, bus.StreamRequests, bus.ConsumerWorker)
	if err != nil {
		return 0
	}
	return consumer.CachedInfo().AckFloor.Stream
}

// results counts the stored results.
func (c *composed) results(js jetstream.JetStream) uint64 {
	c.t.Helper()
	return c.stream(js, bus.StreamResults).State.Msgs
}

// more waits for so many more results than there are now.
func (c *composed) more(js jetstream.JetStream, n uint64) {
	c.t.Helper()
	before := c.results(js)
	c.await(fmt.Sprintf("%d more results", n), func() bool { return c.results(js) >= before+n })
	c.say("%d more results", n)
}

// slowDown makes the simulated platform take its time, so that every fault strikes orders under way.
func (c *composed) slowDown(delay time.Duration) {
	c.t.Helper()
	fault := fmt.Sprintf(`[{"operation":"*","kind":"latency","probability":1,"delay_ms":%d}]`, delay.Milliseconds())
	c.fetch(http.MethodPost, "/admin/faults", fault, &struct{}{})
}

// ask reads one of the simulator's books.
func (c *composed) ask(path string, into any) {
	c.t.Helper()
	c.fetch(http.MethodGet, path, "", into)
}

func (c *composed) fetch(method, path, body string, into any) {
	c.t.Helper()
	request, err := http.NewRequestWithContext(c.t.Context(), method, c.admin+path, strings.NewReader(body))
	if err != nil {
		c.t.Fatal(err)
	}
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: clusterPatience}
	response, err := client.Do(request)
	if err != nil {
		c.t.Fatal(err)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		c.t.Fatalf("%s %s: %s", method, path, response.Status)
	}
	if err := json.NewDecoder(response.Body).Decode(into); err != nil {
		c.t.Fatalf("%s: %v", path, err)
	}
}
