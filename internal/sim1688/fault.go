package sim1688

import (
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// Fault is a disturbance of the platform. It fires always, or with Probability, or Count times; see the package comment for the
// kinds.
type Fault struct {
	Operation   string  `json:"operation"` // "*", a full API name or its end, such as "fastCreateOrder"
	Kind        string  `json:"kind"`
	Probability float64 `json:"probability,omitempty"` // above 0, up to 1; 0 means not by chance
	Count       int64   `json:"count,omitempty"`       // how often it fires; 0 means without end
	DelayMS     int64   `json:"delay_ms,omitempty"`    // of latency and late_list, in milliseconds
	Code        string  `json:"code,omitempty"`        // of refuse, partial and id_beside_failure; default 500_004
	AppKey      string  `json:"app_key,omitempty"`     // calls of this key only; empty means every key
}

// FaultBook is a fault and how often it fired.
type FaultBook struct {
	Fault
	Hits int64 `json:"hits"`
}

// stage is the moment of a call at which a kind of fault strikes.
type stage int

const (
	stageDelay stage = iota
	stageBefore
	stageShape
	stageVisibility
	stageAfter
)

type kind struct {
	stage    stage
	delays   bool // needs delay_ms
	coded    bool // may have a code
	creates  bool // strikes creates only; other shapes strike previews too
	pays     bool // strikes payments only
	minLines int
}

var kinds = map[string]kind{
	"latency":             {stage: stageDelay, delays: true},
	"http_500":            {stage: stageBefore},
	"http_502_html":       {stage: stageBefore},
	"cut_before":          {stage: stageBefore},
	"throttled":           {stage: stageBefore},
	"auth_401":            {stage: stageBefore},
	"refuse":              {stage: stageShape, coded: true},
	"order_list":          {stage: stageShape},
	"partial":             {stage: stageShape, coded: true, minLines: 2},
	"text_success":        {stage: stageShape},
	"success_without_id":  {stage: stageShape, creates: true},
	"empty_object":        {stage: stageShape, creates: true},
	"id_beside_failure":   {stage: stageShape, coded: true, creates: true},
	"un_nested":           {stage: stageShape, creates: true},
	"late_list":           {stage: stageVisibility, delays: true, creates: true},
	"not_paid":            {stage: stageShape, pays: true},
	"paid_beside_failure": {stage: stageShape, pays: true},
	"late_status":         {stage: stageVisibility, delays: true, pays: true},
	"cut_after":           {stage: stageAfter},
}

func (f Fault) validate() error {
	k, known := kinds[f.Kind]
	switch {
	case !known:
		return fmt.Errorf("kind: %q is none of %s", f.Kind, strings.Join(slices.Sorted(maps.Keys(kinds)), ", "))
	case !f.strikesAny(k):
		return fmt.Errorf("operation: %q is not an operation that %s can strike", f.Operation, f.Kind)
	case !(f.Probability >= 0 && f.Probability <= 1): // not a number fails both
		return fmt.Errorf("probability: %v is not from 0 to 1", f.Probability)
	case f.Count < 0:
		return fmt.Errorf("count: %d is negative", f.Count)
	case k.delays && (f.DelayMS <= 0 || f.DelayMS > time.Hour.Milliseconds()):
		return fmt.Errorf("delay_ms: %s needs 1 to 3600000, not %d", f.Kind, f.DelayMS)
	case !k.delays && f.DelayMS != 0:
		return fmt.Errorf("delay_ms: not used by %s; add a fault of kind latency", f.Kind)
	case !k.coded && f.Code != "":
		return fmt.Errorf("code: not used by %s", f.Kind)
	}
	return nil
}

// strikesAny tells whether any operation is named by the fault and open to its kind: a misspelled name is an error, not a fault
// that never fires.
func (f Fault) strikesAny(k kind) bool {
	for _, op := range operations {
		if f.names(op.api) && k.strikes(op) {
			return true
		}
	}
	return false
}

// strikes says whether the kind can strike an operation.
func (k kind) strikes(op operation) bool {
	switch {
	case k.pays || k.creates:
		return k.pays && op.pays || k.creates && op.create
	case k.stage == stageShape:
		return op.create || op.preview
	}
	return true
}

func (f Fault) names(api string) bool {
	return f.Operation == "*" || f.Operation == api || f.Operation != "" && strings.HasSuffix(api, "."+f.Operation)
}

func (f Fault) delay() time.Duration { return time.Duration(f.DelayMS) * time.Millisecond }

// faults is the list in force. An empty list costs a call one atomic load.
type faults struct {
	armed atomic.Bool
	mu    sync.Mutex
	dice  *rand.Rand
	list  []*FaultBook
}

func newFaults(seed uint64) *faults {
	return &faults{dice: rand.New(rand.NewPCG(seed, 1688))}
}

// replace puts list in force, or changes nothing and names the fault and the field that is wrong.
func (f *faults) replace(list []Fault) error {
	var problems []error
	books := make([]*FaultBook, len(list))
	for i, fault := range list {
		if err := fault.validate(); err != nil {
			problems = append(problems, fmt.Errorf("fault %d: %w", i, err))
		}
		books[i] = &FaultBook{Fault: fault}
	}
	if err := errors.Join(problems...); err != nil {
		return err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.list = books
	f.armed.Store(len(books) > 0)
	return nil
}

func (f *faults) books() []FaultBook {
	f.mu.Lock()
	defer f.mu.Unlock()
	list := make([]FaultBook, len(f.list))
	for i, b := range f.list {
		list[i] = *b
	}
	return list
}

// strike returns the first fault that fires for a call at this stage, and counts it. The zero Fault is none.
func (f *faults) strike(at stage, c *call) Fault {
	if !f.armed.Load() {
		return Fault{}
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, b := range f.list {
		if f.fires(b, at, c) {
			b.Hits++
			return b.Fault
		}
	}
	return Fault{}
}

func (f *faults) fires(b *FaultBook, at stage, c *call) bool {
	k := kinds[b.Kind]
	switch {
	case k.stage != at || !k.strikes(c.op) || len(c.lines) < k.minLines:
		return false
	case !b.names(c.op.api) || b.AppKey != "" && b.AppKey != c.account.AppKey:
		return false
	case b.Count > 0 && b.Hits >= b.Count:
		return false
	}
	return b.Probability == 0 || f.dice.Float64() < b.Probability
}
