package workertest

import (
	"bufio"
	"bytes"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"autopurchase/internal/bus"
	"autopurchase/internal/sim1688"
	"autopurchase/schemas"
	"autopurchase/worker"
)

// publishEvery is the pace of the load, which sixteen workers keep up with.
const publishEvery = 80 * time.Millisecond

// keysFile writes a file of so many keys for relays and simulator and names it to compose.
func keysFile(t *testing.T, n int) (setting string, appKeys []string) {
	t.Helper()
	var file struct {
		Keys []map[string]string `json:"keys"`
	}
	for i := range n {
		appKey := strconv.Itoa(1000001 + i)
		file.Keys = append(file.Keys, map[string]string{"app_key": appKey, "secret": rand.Text(), "refresh_token": rand.Text(), "account": "buyer"})
		appKeys = append(appKeys, appKey)
	}
	body, err := json.Marshal(file)
	path := filepath.Join(t.TempDir(), "keys.json")
	if err == nil {
		err = os.WriteFile(path, body, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	return "KEYS_FILE=" + path, appKeys
}

// load is a program that publishes a request every now and then until it is ended.
type load struct {
	body []byte // what was published
	ids  []string
	told map[string]int // by status, what the broker made of them
	stop chan struct{}
	done sync.WaitGroup
	err  error
}

// publishing is the program's own command, run in the simulator's container: the only one of ours that no fault strikes.
func (c *composed) publishing(in io.Reader) *exec.Cmd {
	command := c.command("exec", "-T", "sim", "/autopurchase", "publish", "--tenant", clusterTenant,
		"--nats", "nats://nats-1:4222,nats://nats-2:4222,nats://nats-3:4222", "--json", "-")
	command.Stdin = in
	return command
}

// load publishes from one stream of requests.
func (c *composed) load() *load {
	c.t.Helper()
	l := &load{told: map[string]int{}, stop: make(chan struct{})}
	in, lines := io.Pipe()
	publish := c.publishing(in)
	var complaints bytes.Buffer
	publish.Stderr = &complaints
	out, err := publish.StdoutPipe()
	if err == nil {
		err = publish.Start()
	}
	if err != nil {
		c.t.Fatal(err)
	}
	l.done.Go(func() { l.write(lines) })
	l.done.Go(func() {
		read := bufio.NewScanner(out)
		for read.Scan() {
			var fate struct{ Status string }
			_ = json.Unmarshal(read.Bytes(), &fate) // what is no fate counts as one without a name
			l.told[fate.Status]++
		}
		if err := publish.Wait(); err != nil {
			l.err = fmt.Errorf("publish: %w\n%s", err, complaints.Bytes())
		}
	})
	return l
}

func (l *load) write(lines *io.PipeWriter) {
	defer lines.Close()
	offers := plainOffers()
	pace := time.NewTicker(publishEvery)
	defer pace.Stop()
	for n := 0; ; n++ {
		select {
		case <-pace.C:
		case <-l.stop:
			return
		}
		id := fmt.Sprintf("PR.%d", n)
		l.ids = append(l.ids, id)
		start := len(l.body)
		l.body = append(schemas.AppendRequest(l.body, clusterRequest(id, offers[n%len(offers)], offers[(n+1)%len(offers)])), '\n')
		if _, err := lines.Write(l.body[start:]); err != nil {
			return // the program has ended, which says more
		}
	}
}

// end stops publishing and gives the ids of all requests; the broker has accepted each.
func (l *load) end(c *composed) []string {
	c.t.Helper()
	close(l.stop)
	l.done.Wait()
	if l.err != nil || l.told[string(bus.Accepted)] != len(l.ids) || len(l.told) != 1 {
		c.t.Fatalf("%d requests were published, and the broker's word was %v: %v", len(l.ids), l.told, l.err)
	}
	return l.ids
}

// replay publishes everything again; the broker knows each request.
func (c *composed) replay(body []byte, requests int) {
	c.t.Helper()
	said := c.output(c.publishing(bytes.NewReader(body)))
	if n := strings.Count(said, `"status":"`+string(bus.Replay)+`"`); n != requests {
		c.t.Errorf("%d requests were known when they were published again, want %d", n, requests)
	}
}

// plainOffers are offers that anybody can buy one of.
func plainOffers() []sim1688.Offer {
	return slices.DeleteFunc(sim1688.DefaultCatalogue(), func(o sim1688.Offer) bool {
		return o.Stock == 0 || o.PriceFen == 0 || o.MinQuantity > 1 || o.NotByAPI || len(o.SpecIDs) == 0
	})
}

// clusterRequest asks for one of each offer.
func clusterRequest(id string, offers ...sim1688.Offer) worker.Request {
	q := worker.Request{ID: id, Pool: "default", Flow: "general", Pay: "none", DeliverTo: worker.Address{
		FullName: "张三", Mobile: "13800138000", Province: "上海", City: "上海市", Area: "黄浦区", Address: "陕西南路1号"}}
	for _, offer := range offers {
		q.Lines = append(q.Lines, worker.Line{OfferID: offer.OfferID, SpecID: offer.SpecIDs[0], Quantity: 1, Seller: offer.Seller})
	}
	return q
}
