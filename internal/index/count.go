package index

import (
	"math"
	"strconv"
	"strings"
	"time"

	"autopurchase/worker"
)

// count counts a request in, or out again.
func (b *batch) count(r *row, n int64) {
	if !r.listed() {
		return
	}
	b.tallies[tallied{r.Tenant, r.State}] += n
	if !r.asked.IsZero() {
		b.minutes[minuted{r.asked.Unix() / 60, asked}] += n
	}
	if r.answered.IsZero() {
		return
	}
	minute := r.answered.Unix() / 60
	b.minutes[minuted{minute, string(r.State)}] += n
	if !r.asked.IsZero() {
		b.minutes[minuted{minute, classOf(r.answered.Sub(r.asked))}] += n
	}
}

// What is counted in a minute, beside the states.
const (
	asked = "asked"
	class = "t"
)

// Times taken are counted in classes: the n-th ends at 2^(n/8) ms.
const classes = 8

func classOf(took time.Duration) string {
	n := 0
	if took > time.Millisecond {
		n = int(math.Ceil(classes * math.Log2(float64(took)/float64(time.Millisecond))))
	}
	return class + strconv.Itoa(n)
}

// classEnd gives the upper end of a class; false for what is no class.
func classEnd(what string) (time.Duration, bool) {
	number, found := strings.CutPrefix(what, class)
	n, err := strconv.Atoi(number)
	return time.Duration(math.Exp2(float64(n)/classes) * float64(time.Millisecond)), found && err == nil
}

// spread counts times taken by the upper end of their class.
type spread map[time.Duration]int64

// at gives the time within which that share of them was.
func (s spread) at(share float64) time.Duration {
	var all, below int64
	for _, n := range s {
		all += n
	}
	for _, end := range sorted(s) {
		if below += s[end]; float64(below) >= share*float64(all) {
			return end
		}
	}
	return 0
}

// gather puts one count into its minute.
func gather(m *worker.Minute, times spread, what string, n int64) {
	if end, ok := classEnd(what); ok {
		times[end] += n
		return
	}
	if what == asked {
		m.Asked += n
		return
	}
	m.Ended[worker.LifeState(what)] += n
}
