package keypool

import (
	"fmt"
	"os"
	"slices"
	"sync"
	"testing"

	"autopurchase/internal/workertest"
)

// cluster is the one that all suites share: a new one takes two seconds until it takes writes.
var cluster = sync.OnceValue(func() *workertest.RedisNodes { return workertest.RedisCluster(&whole) })

// whole is a test that lasts as long as all of the package's.
var whole lifelong

type lifelong struct {
	testing.TB
	ends []func()
}

func (*lifelong) Helper()                           {}
func (l *lifelong) Cleanup(end func())              { l.ends = append(l.ends, end) }
func (*lifelong) Fatal(args ...any)                 { panic(fmt.Sprint(args...)) }
func (*lifelong) Fatalf(format string, args ...any) { panic(fmt.Sprintf(format, args...)) }

func (l *lifelong) TempDir() string {
	dir, err := os.MkdirTemp("", "keypool")
	if err != nil {
		panic(err)
	}
	l.Cleanup(func() { _ = os.RemoveAll(dir) })
	return dir
}

// lasting runs all tests and ends what they share.
type lasting struct{ *testing.M }

func (m lasting) Run() int {
	code := m.M.Run()
	for _, end := range slices.Backward(whole.ends) {
		end()
	}
	return code
}

// emptied takes everything out of a cluster and gives its URL.
func emptied(t *testing.T, nodes *workertest.RedisNodes) string {
	t.Helper()
	for _, master := range nodes.Masters {
		master.FlushAll()
	}
	return nodes.URL
}
