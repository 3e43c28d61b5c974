package dashboard

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"

	"autopurchase/worker"
)

// overview is the first page.
type overview struct {
	Mood     mood
	Status   worker.QueueStatus
	Known    bool // the status is
	Flow     []station
	Charts   []chart
	Pools    []poolView
	Unasked  string
	Problems []string
}

// mood is how the queue is, in one sentence, and what to do about it.
type mood struct {
	Kind string // working, idle, stopped or silent: its colour
	Word string
	What string
	Todo string // "" if nothing
}

// station is one box of the flow's picture.
type station struct {
	Name    string
	Number  string
	Unit    string
	Note    string
	Stopped bool   // this is where it stands still
	Link    string // "" for none
}

func (d *Dashboard) overview(r *http.Request) (body, error) {
	ctx := r.Context()
	status, err := d.status.get(ctx, "")
	o := overview{Status: status, Known: err == nil, Mood: moodOf(status, err), Flow: flow(status, err == nil)}
	o.Unasked = strings.Join(status.Unasked, ", ")
	switch minutes, err := d.series.get(ctx, ""); {
	case err == nil:
		o.Charts = []chart{throughput(minutes), latency(minutes)}
	case !errors.Is(err, errSlow):
		o.Problems = append(o.Problems, "The charts cannot be drawn now: "+err.Error())
	}
	o.Pools = d.pools(ctx, status)
	return o, nil
}

// moodOf says how the queue is.
func moodOf(s worker.QueueStatus, err error) mood {
	switch {
	case errors.Is(err, errSlow):
		return mood{"silent", "No answer yet", "The workers have not said how they are.", "Wait: the page goes on asking."}
	case err != nil:
		return mood{"silent", "Nobody answers", "It is not known how the queue is: " + err.Error() + ".", "See whether NATS and a worker are running, and start them if not."}
	}
	what, todo := s.Say()
	m := mood{"working", "Working", sentence(what), sentence(todo)}
	switch {
	case s.Paused || s.Workers == 0:
		m.Kind, m.Word = "stopped", "Standing still"
	case len(s.Pauses) > 0:
		m.Kind, m.Word = "stopped", "Partly standing still"
	case s.Depth == 0:
		m.Kind, m.Word = "idle", "Nothing to do"
	}
	return m
}

// flow is the way of a request through the queue, as far as the numbers of now are known.
func flow(s worker.QueueStatus, known bool) []station {
	at := func(codes ...worker.Code) bool {
		return slices.ContainsFunc(s.Pauses, func(p worker.Pause) bool { return slices.Contains(codes, p.Code) })
	}
	if !known {
		s = worker.QueueStatus{}
	}
	waiting := uint64(0)
	if s.Depth > uint64(s.InFlight) {
		waiting = s.Depth - uint64(s.InFlight)
	}
	return []station{
		{Name: "Requests", Number: count(waiting), Unit: "waiting", Note: perMinute(s.RateIn) + " a minute come in", Link: "/requests?state=waiting", Stopped: at(worker.CodeNATSDown)},
		{Name: "Workers", Number: count(s.InFlight), Unit: "in hand", Note: plural(s.Workers, "worker", "workers") + " at work", Link: "/workers", Stopped: at(worker.CodeRedisDown) || known && s.Workers == 0},
		{Name: "Relay", Number: count(s.Relays), Unit: "connected", Note: "signs the orders", Link: "/workers", Stopped: at(worker.CodeChannelDown)},
		{Name: "1688", Number: count(s.ProductsLeft), Unit: "products left", Note: plural(s.Keys.Active, "app key", "app keys") + " in use, " + count(s.Keys.Ready) + " ready", Link: "/keys", Stopped: at(worker.CodeNoKey, worker.CodeNoPool)},
		{Name: "Results", Number: perMinute(s.RateOut), Unit: "a minute", Note: "finished over the last minute", Link: "/requests"},
	}
}

// poolView is a pool with its keys.
type poolView struct {
	worker.PoolStatus
	Keys    []keyBar
	More    int // keys that are not shown
	Problem string
}

// keyBar is a key as a bar towards its limit, in thousandths of it.
type keyBar struct {
	Key
	UsedPart, HeldPart int64
}

// barsShown is how many keys of a pool the overview shows.
const barsShown = 12

func (d *Dashboard) pools(ctx context.Context, status worker.QueueStatus) []poolView {
	pools := status.Pools
	if len(pools) == 0 {
		pools = []worker.PoolStatus{{Pool: defaultPool}}
	}
	var views []poolView
	for _, p := range pools {
		view := poolView{PoolStatus: p}
		keys, err := d.keys.get(ctx, p.Pool)
		if err != nil {
			view.Problem = err.Error()
		}
		for _, key := range inOrder(keys) {
			if len(view.Keys) == barsShown {
				view.More++
				continue
			}
			view.Keys = append(view.Keys, barOf(key))
		}
		views = append(views, view)
	}
	return views
}

// defaultPool is the one of requests that name none.
const defaultPool = "default"

func barOf(k Key) keyBar {
	b := keyBar{Key: k}
	if k.Limit > 0 {
		b.UsedPart = min(1000, k.Used*1000/k.Limit)
		b.HeldPart = min(1000-b.UsedPart, k.Held*1000/k.Limit)
	}
	return b
}

// inOrder puts what is in use first and what is done with last.
func inOrder(keys []Key) []Key {
	rank := []string{"active", "stopped", "benched", "ready", "onboarding", "disabled", "spent", "retired", "removed"}
	sorted := slices.Clone(keys)
	slices.SortStableFunc(sorted, func(a, b Key) int { return slices.Index(rank, a.State) - slices.Index(rank, b.State) })
	return sorted
}
