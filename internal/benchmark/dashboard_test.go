package benchmark

import (
	"context"
	"database/sql"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime/debug"
	"testing"
	"time"

	"autopurchase/internal/dashboard"
	"autopurchase/internal/index"
	"autopurchase/worker"
)

// What a page may take, at however many stored requests.
const (
	overviewBound = 50 * time.Millisecond
	searchBound   = 500 * time.Millisecond
)

// BenchmarkDashboard gets pages over HTTP from a dashboard with an index of a thousand and of a million requests. Each page is one
// that was not asked for before, and so not kept. Beside the index everything answers at once.
func BenchmarkDashboard(b *testing.B) {
	for _, stored := range []int{1_000, 1_000_000} {
		x := filled(b, stored)
		for _, page := range []struct {
			name  string
			path  func(i int) string
			bound time.Duration
		}{
			{"overview", func(int) string { return "/" }, overviewBound},
			{"newest", func(int) string { return "/requests" }, searchBound},
			{"part of an id", func(i int) string { return fmt.Sprintf("/requests?text=-0000%03d", i%1000) }, searchBound},
			{"many ids", func(int) string { return "/requests?text=-00" }, searchBound},
			{"refused of a seller", func(i int) string { return fmt.Sprintf("/requests?state=refused&seller=seller%d", i%500) }, searchBound},
			{"error", func(i int) string { return fmt.Sprintf("/requests?text=of+stock&tenant=t%d", i%5) }, searchBound},
		} {
			b.Run(fmt.Sprintf("%d/%s", stored, page.name), func(b *testing.B) {
				var slowest time.Duration
				for i := 0; b.Loop(); i++ {
					slowest = max(slowest, got(b, x, page.path(i)))
				}
				b.ReportMetric(float64(slowest.Microseconds())/1000, "slowest-ms")
				if slowest > page.bound {
					b.Errorf("took %v, more than %v", slowest, page.bound)
				}
			})
		}
		debug.FreeOSMemory()
		row("%-26s %7.1f MiB          of its own after those pages, %d requests stored", "dashboard, memory", memory(b, os.Getpid(), "RssAnon"), stored)
	}
}

// filled makes an index with so many requests in it.
func filled(b *testing.B, stored int) *index.Index {
	path := filepath.Join(b.TempDir(), "index.db")
	x, err := index.Open(b.Context(), path)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = x.Close() })
	script, err := os.ReadFile("../index/testdata/million.sql")
	if err != nil {
		b.Fatal(err)
	}
	file, err := sql.Open("sqlite", "file:"+path)
	if err != nil {
		b.Fatal(err)
	}
	defer file.Close()
	if _, err := file.Exec(string(script), stored, time.Now().UnixNano()); err != nil {
		b.Fatal(err)
	}
	if _, err := file.Exec("PRAGMA wal_checkpoint(TRUNCATE)"); err != nil {
		b.Fatal(err)
	}
	return x
}

// got gets a page from a dashboard that knows nothing yet, and says how long that took.
func got(b *testing.B, x *index.Index, path string) time.Duration {
	d := dashboard.New(dashboard.Config{Queue: still{}, Pools: still{}, Requests: listed{x}})
	defer d.Close()
	server := httptest.NewServer(d.Handler())
	defer server.Close()
	began := time.Now()
	answer, err := server.Client().Get(server.URL + path)
	if err != nil {
		b.Fatal(err)
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	took := time.Since(began)
	if err != nil || answer.StatusCode != http.StatusOK {
		b.Fatalf("%s: %s, %v\n%s", path, answer.Status, err, body)
	}
	return took
}

// listed is an index as a dashboard asks it.
type listed struct{ *index.Index }

func (l listed) Series(ctx context.Context, minutes int) ([]worker.Minute, error) {
	return l.Index.Series(ctx, time.Now(), minutes)
}

func (listed) Life(context.Context, string, string) (worker.Life, bool, error) {
	return worker.Life{}, false, nil
}

// still is a queue in which nothing moves.
type still struct{}

func (still) Status(context.Context) (worker.QueueStatus, error) {
	return worker.QueueStatus{Workers: 1, Pools: []worker.PoolStatus{{Pool: "default"}}}, nil
}

func (still) Keys(context.Context, string) ([]dashboard.Key, error) {
	return make([]dashboard.Key, 100), nil
}

func (still) Key(context.Context, string, string) (dashboard.Onboarding, error) {
	return dashboard.Onboarding{}, nil
}

func (still) Forecast(context.Context, string) (worker.Forecast, error) {
	return worker.Forecast{}, nil
}

func (still) Statement(context.Context, string, string, io.Writer) error { return nil }
