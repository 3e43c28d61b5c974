package sim1688

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
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

func had() time.Duration {
	var used syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &used) // it knows this process
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}
