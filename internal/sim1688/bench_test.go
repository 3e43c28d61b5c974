package sim1688

import (
	"bufio"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"
)

// BenchmarkOrders is how many orders the simulator takes for a second of one processor's time, without the connections that they come
// on: by the time that this process has had, so that it says the same on a machine that does other things too.
func BenchmarkOrders(b *testing.B) {
	w := start(b)
	requests, lines := make([]*http.Request, b.N), someLines(1)
	for i := range requests {
		requests[i] = w.order(fmt.Sprint("PR-", i), lines)
	}
	before := had()
	b.ReportAllocs()
	b.ResetTimer()
	for _, request := range requests {
		answer := httptest.NewRecorder()
		w.gateway.handler.ServeHTTP(answer, request)
		if answer.Code != http.StatusOK {
			b.Fatal(answer.Body.String())
		}
	}
	b.ReportMetric(float64(b.N)/(had()-before).Seconds(), "orders/cpu-s")
}

// order is a signed call.
func (w *world) order(ref string, lines []Line) *http.Request {
	form := url.Values{"access_token": {testToken}}
	params := createParams(ref, lines)
	for i := 0; i < len(params); i += 2 {
		form.Set(params[i], params[i+1])
	}
	path := fastCreate + "/" + testKey
	form.Set(signatureParam, signature(testSecret, path, form))
	r := httptest.NewRequest(http.MethodPost, "/openapi/"+path, strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return r
}

// served tells this test program to be the simulator of BenchmarkServed, and has the address when it is.
const served = "SIM1688_SERVED"

// BenchmarkServed is the same with the connections: a process of its own that 64 callers ask at once, by the time that it has had in all.
func BenchmarkServed(b *testing.B) {
	c := exec.Command(os.Args[0])
	c.Env = append(os.Environ(), served+"=1", "GOMAXPROCS=1")
	in, err := c.StdinPipe()
	if err != nil {
		b.Fatal(err)
	}
	out, err := c.StdoutPipe()
	if err == nil {
		err = c.Start()
	}
	address, failed := bufio.NewReader(out).ReadString('\n')
	if err = errors.Join(err, failed); err != nil {
		b.Fatal(err)
	}
	w := &world{http: &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 64}}}
	defer w.http.CloseIdleConnections()
	lines, at := someLines(1), strings.TrimSpace(address)
	b.SetParallelism(64)
	b.ResetTimer()
	b.RunParallel(func(p *testing.PB) {
		for p.Next() {
			r := w.order(rand.Text(), lines)
			reply, err := readReply(w.http.Post(at+r.URL.Path, r.Header.Get("Content-Type"), r.Body))
			if err != nil || reply.status != http.StatusOK {
				b.Error(reply, err)
				return
			}
		}
	})
	b.StopTimer()
	if err := errors.Join(in.Close(), c.Wait()); err != nil {
		b.Fatal(err)
	}
	b.ReportMetric(float64(b.N)/(c.ProcessState.UserTime()+c.ProcessState.SystemTime()).Seconds(), "orders/cpu-s")
}

// serve is that simulator. It ends with its standard input.
func serve() {
	s, err := Start(context.Background(), Config{Keys: testKeys(), Now: func() time.Time { return testNow }})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Println(s.GatewayURL())
	_, _ = io.Copy(io.Discard, os.Stdin)
	_ = s.Close()
	os.Exit(0)
}

func had() time.Duration {
	var used syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &used) // it knows this process
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}
