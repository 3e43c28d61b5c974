package dashboard

import (
	"context"
	"crypto/rand"
	"errors"
	"net/http"
	"slices"
	"sync"
)

const (
	// maxBulk is how many things are changed at once.
	maxBulk = 10_000
	// maxBulks is how many such changes are remembered.
	maxBulks = 20
	// maxWrong is of how many of them it is told why they were not done.
	maxWrong = 20
	// bulkPart is how many are asked for at a time.
	bulkPart = 500
)

// errMany says that a filter finds more than are changed at once.
var errMany = errors.New("there are more than " + count(maxBulk) + " of them: narrow what you look for")

// link is a button that leads somewhere.
type link struct{ Label, To string }

// bulk is one change of all that a filter found when they were counted: of those, and of no others that came to be like that since.
type bulk struct {
	Title string
	Back  string
	names []string
	owner string // who counted them, by the cookie
	do    func(ctx context.Context, name string, by Signed) error

	mu   sync.Mutex
	stop context.CancelFunc // nil until it is started
	now  progress
}

// progress is how far a bulk is.
type progress struct {
	Done, Failed, All int
	Wrong             []string // why, of the first that failed
	Started, Ended    bool
}

// bulks are those that were counted lately. It is safe for concurrent use.
type bulks struct {
	mu    sync.Mutex
	all   map[string]*bulk
	order []string // the oldest first
}

// add keeps a bulk and names it. Of too many, the oldest that is not under way goes.
func (s *bulks) add(b *bulk) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.order) >= maxBulks {
		at := max(0, slices.IndexFunc(s.order, func(id string) bool { return !s.all[id].running() }))
		delete(s.all, s.order[at])
		s.order = slices.Delete(s.order, at, at+1)
	}
	id := rand.Text()
	s.all[id], s.order = b, append(s.order, id)
	return id
}

func (s *bulks) find(id string) *bulk {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.all[id]
}

func (b *bulk) running() bool {
	p := b.progress()
	return p.Started && !p.Ended
}

func (b *bulk) progress() progress {
	b.mu.Lock()
	defer b.mu.Unlock()
	p := b.now
	p.All, p.Wrong = len(b.names), slices.Clone(p.Wrong)
	return p
}

// begin says whether it was not begun before.
func (b *bulk) begin(stop context.CancelFunc) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.now.Started {
		return false
	}
	b.now.Started, b.stop = true, stop
	return true
}

// run changes one after the other until ctx ends. One that cannot be changed does not keep the others from it.
func (b *bulk) run(ctx context.Context, by Signed) {
	for _, name := range b.names {
		if ctx.Err() != nil {
			break
		}
		b.note(name, b.do(ctx, name, by))
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.now.Ended = true
}

func (b *bulk) note(name string, err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if err == nil {
		b.now.Done++
		return
	}
	if b.now.Failed++; len(b.now.Wrong) < maxWrong {
		b.now.Wrong = append(b.now.Wrong, name+": "+oneLine(err.Error()))
	}
}

// askBulk shows how many there are and asks whether it is to be done.
func (d *Dashboard) askBulk(w http.ResponseWriter, r *http.Request, b *bulk, action confirmation) {
	b.Title, b.owner = action.Title, viewerOf(r).cookie
	action.Action, action.Back = "/bulk/"+d.bulks.add(b), b.Back
	action.Fields = []field{whyField(r, false)}
	d.ask(w, r, http.StatusOK, action)
}

// bulkOf finds the viewer's own.
func (d *Dashboard) bulkOf(w http.ResponseWriter, r *http.Request) *bulk {
	b := d.bulks.find(r.PathValue("id"))
	if b == nil || b.owner != viewerOf(r).cookie {
		d.fail(w, r, http.StatusNotFound, "What was counted is not known any more, so nothing was done: count again.")
		return nil
	}
	return b
}

// startBulk does what was confirmed, once.
func (d *Dashboard) startBulk(w http.ResponseWriter, r *http.Request) {
	b := d.bulkOf(w, r)
	if b == nil {
		return
	}
	by := signed(r)
	if ctx, stop := context.WithCancel(d.keeper.ctx); b.begin(stop) {
		d.keeper.running.Go(func() {
			defer stop()
			b.run(ctx, by)
			d.changed()
		})
	} else {
		stop()
	}
	http.Redirect(w, r, "/bulk/"+r.PathValue("id"), http.StatusSeeOther)
}

// stopBulk leaves those alone that were not changed yet.
func (d *Dashboard) stopBulk(w http.ResponseWriter, r *http.Request) {
	b := d.bulkOf(w, r)
	if b == nil {
		return
	}
	b.mu.Lock()
	if b.stop != nil {
		b.stop()
	}
	b.mu.Unlock()
	http.Redirect(w, r, "/bulk/"+r.PathValue("id"), http.StatusSeeOther)
}

// bulkPage shows how far it is.
type bulkPage struct {
	progress
	*bulk
	ID string
}

func (d *Dashboard) bulkPage(r *http.Request) (body, error) {
	b := d.bulks.find(r.PathValue("id"))
	if b == nil || !b.progress().Started {
		return nil, missing{"There is no such change; it may have been forgotten."}
	}
	return bulkPage{b.progress(), b, r.PathValue("id")}, nil
}
