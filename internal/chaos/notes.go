package chaos

import (
	"fmt"
	"io"
	"sync"
)

// notes are what a run says on the way and keeps for its report. Safe for concurrent use.
type notes struct {
	to io.Writer

	mu     sync.Mutex
	deaths int
	struck map[Kind]int
}

func (n *notes) say(format string, args ...any) {
	n.mu.Lock()
	defer n.mu.Unlock()
	fmt.Fprintf(n.to, format+"\n", args...)
}

// death tells of a process that ended by itself.
func (n *notes) death(text string) {
	n.say("%s", text)
	n.mu.Lock()
	defer n.mu.Unlock()
	n.deaths++
}

func (n *notes) strike(k Kind) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.struck == nil {
		n.struck = map[Kind]int{}
	}
	n.struck[k]++
}

// lossy says whether a fault struck after which the pool is compared with the record, as if Redis had forgotten something.
func (n *notes) lossy() bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.struck["redis_kill"]+n.struck["redis_term"]+n.struck[redisFlush] > 0
}
