package worker

import (
	"context"
	"testing"
)

// stockSays is a stock that always gives the same answer.
type stockSays struct {
	left int64
	err  error
}

func (s stockSays) Left(context.Context, string) (int64, error) { return s.left, s.err }
func (s stockSays) Pools(context.Context) ([]string, error)     { return nil, s.err }
func (s stockSays) Room(context.Context, string, Payer) (Size, error) {
	return Size{Lines: s.left, Units: s.left}, s.err
}
func (s stockSays) Shares(context.Context, string) (map[string]int, error) { return nil, s.err }
func (s stockSays) AppKeys(context.Context, string) ([]string, error)      { return nil, s.err }

// TestAPauseEndsWithItsCause walks what the stock may say. A Redis that answers is not down, whatever it says: a pause for
// Redis names no pool, so the answer is often about a pool that cannot be.
func TestAPauseEndsWithItsCause(t *testing.T) {
	for name, c := range map[string]struct {
		code Code
		says stockSays
		want bool
	}{
		"Redis answers":             {CodeRedisDown, stockSays{left: 0}, true},
		"Redis knows no such pool":  {CodeRedisDown, stockSays{err: &Trouble{Code: CodeNoPool}}, true},
		"Redis finds the pool odd":  {CodeRedisDown, stockSays{err: &Trouble{Code: CodeInternal}}, true},
		"Redis is away":             {CodeRedisDown, stockSays{err: &Trouble{Code: CodeRedisDown}}, false},
		"a key has room":            {CodeNoKey, stockSays{left: 1}, true},
		"no key has room":           {CodeNoKey, stockSays{left: 0}, false},
		"the pool is still missing": {CodeNoPool, stockSays{err: &Trouble{Code: CodeNoPool}}, false},
		"Redis went away meanwhile": {CodeNoKey, stockSays{err: &Trouble{Code: CodeRedisDown}}, false},
	} {
		w := &Worker{Ports: Ports{Stock: c.says}, lobby: newLobby(1)}
		if got := w.cleared(t.Context(), Pause{Code: c.code}); got != c.want {
			t.Errorf("%s: a pause for %s is over: %v, want %v", name, c.code, got, c.want)
		}
	}
}
