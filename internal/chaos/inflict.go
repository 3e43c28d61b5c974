package chaos

import (
	"context"
	"sync"
	"syscall"
	"time"

	"github.com/redis/go-redis/v9"

	"autopurchase/internal/sim1688"
)

// villain inflicts faults, several at once but never two on the same part.
type villain struct {
	*system
	mu      sync.Mutex
	victims map[any]*sync.Mutex
	active  []*sim1688.Fault // of the simulator
}

// inflict does what the fault says, waits as long as it lasts, and takes it away. Its end comes sooner if ctx ends.
func (v *villain) inflict(ctx context.Context, f fault) error {
	if f.Kind == simClock {
		v.inflictClock(ctx, f)
		return nil
	}
	if name, ok := f.Kind.onSim(); ok {
		return v.inflictSim(ctx, name, f.For)
	}
	if f.Kind == redisFlush {
		return v.flush(ctx)
	}
	part, how := f.Kind.part()
	if proxies, lines := v.proxies[part], how == "cut" || toxic[how] != ""; lines {
		return v.inflictProxy(ctx, proxies[f.Target%uint64(len(proxies))], how, f.For)
	}
	processes := v.procs[part]
	v.inflictProcess(ctx, processes[f.Target%uint64(len(processes))], how, f.For)
	return nil
}

func (v *villain) inflictProcess(ctx context.Context, p *process, how string, lasts time.Duration) {
	defer v.alone(p)()
	switch how {
	case "kill":
		p.signal(syscall.SIGKILL, lasts)
	case "term":
		p.signal(syscall.SIGTERM, lasts)
	case "stop":
		p.signal(syscall.SIGSTOP, 0)
		defer p.signal(syscall.SIGCONT, 0)
	}
	wait(ctx, lasts)
}

func (v *villain) inflictProxy(ctx context.Context, p *proxy, how string, lasts time.Duration) error {
	defer v.alone(p)()
	if how == "cut" {
		p.cut()
		defer p.mend()
	} else {
		defer p.heal()
		if err := p.poison(toxic[how]); err != nil {
			return err
		}
	}
	wait(ctx, lasts)
	return nil
}

func (v *villain) inflictClock(ctx context.Context, f fault) {
	defer v.alone(&v.clock)()
	v.clock.set(jump(f))
	defer v.clock.set(0)
	wait(ctx, f.For)
}

// alone waits until nobody strikes the part, and gives what ends that.
func (v *villain) alone(part any) (done func()) {
	v.mu.Lock()
	lock, known := v.victims[part]
	if !known {
		lock = &sync.Mutex{}
		v.victims[part] = lock
	}
	v.mu.Unlock()
	lock.Lock()
	return lock.Unlock
}

// often is how many of the calls a fault of the simulator strikes.
const often = 0.3

// onCreates are the simulator's faults that are about a create call's answer. The others strike every call.
var onCreates = map[string]bool{
	"order_list": true, "partial": true, "text_success": true, "success_without_id": true, "empty_object": true,
	"id_beside_failure": true, "un_nested": true, "late_list": true, "refuse": true,
}

func (v *villain) inflictSim(ctx context.Context, name string, lasts time.Duration) error {
	f := &sim1688.Fault{Operation: "*", Kind: name, Probability: often}
	if onCreates[name] {
		f.Operation = "fastCreateOrder"
	}
	if name == "latency" || name == "late_list" {
		f.DelayMS = lasts.Milliseconds()
	}
	if err := v.onSim(func() { v.active = append(v.active, f) }); err != nil {
		return err
	}
	wait(ctx, lasts)
	return v.onSim(func() {
		kept := v.active[:0:0]
		for _, other := range v.active {
			if other != f {
				kept = append(kept, other)
			}
		}
		v.active = kept
	})
}

func (v *villain) onSim(change func()) error {
	v.mu.Lock()
	defer v.mu.Unlock()
	change()
	list := make([]sim1688.Fault, len(v.active))
	for i, f := range v.active {
		list[i] = *f
	}
	return v.sim.Inject(list...)
}

// flush empties Redis, as soon as it answers.
func (v *villain) flush(ctx context.Context) error {
	client := redis.NewClient(&redis.Options{Addr: v.where["redis"], MaxRetries: -1})
	defer client.Close()
	for {
		err := client.FlushAll(ctx).Err()
		if err == nil || ctx.Err() != nil {
			return ctx.Err()
		}
		wait(ctx, restartAfter)
	}
}
