package bus

import (
	"context"
	"fmt"
	"strings"
	"time"

	"autopurchase/worker"
)

// Origin is where the life of a request begins.
type Origin struct {
	Tenant string
	ID     string    // of the request
	Asked  time.Time // when the request was stored; zero if it is not on record
}

// Origin finds a request by one of its names: <tenant>.<ref> as in its subjects, or the reference of one of its orders, which
// has -1, -2… behind that. A name that could be either is the request's own if there is one. It needs no more rights than a
// publisher of the tenant has.
func (b *Bus) Origin(ctx context.Context, name string) (Origin, error) {
	origins := origins(name)
	if len(origins) == 0 {
		return Origin{}, fmt.Errorf("order %q: must be <tenant>.<ref> as in the subjects, or the reference of an order, such as acme.PR-1-1", name)
	}
	for _, o := range origins {
		asked, err := b.newest(ctx, StreamRequests, requestSubjects(o.Tenant, worker.EncodeRef(o.ID)))
		if err != nil {
			return Origin{}, err
		}
		if asked != nil {
			o.Asked = asked.Time
			return o, nil
		}
	}
	for _, o := range origins { // results are kept for longer than requests
		result, err := b.newest(ctx, StreamResults, resultSubject(o.Tenant, worker.EncodeRef(o.ID)))
		if err != nil || result != nil {
			return o, err
		}
	}
	return origins[0], nil
}

// origins are the requests that a name may mean.
func origins(name string) (may []Origin) {
	tenant, ref := parseTokens(name)
	if tenant == "" || strings.Count(name, ".") != 1 {
		return nil
	}
	if id, err := worker.DecodeRef(ref); err == nil {
		may = append(may, Origin{Tenant: tenant, ID: id})
	}
	if tenant, ref, _, ok := worker.ParseReference(name); ok {
		id, _ := worker.DecodeRef(ref) // it has been read
		may = append(may, Origin{Tenant: tenant, ID: id})
	}
	return may
}

// Options are what to watch for all that is about the request, from its beginning on: its subjects, and the dead letters of its
// tenant, of which Concerns tells those that are about it.
func (o Origin) Options() WatchOptions {
	ref := worker.EncodeRef(o.ID)
	since := o.Asked
	if since.IsZero() {
		since = time.Unix(1, 0)
	}
	var asked []string
	for _, lane := range worker.Lanes() {
		asked = append(asked, requestSubject(lane, o.Tenant, ref))
	}
	return WatchOptions{Since: since, Subjects: append(asked,
		resultSubject(o.Tenant, ref), asideSubject(o.Tenant, ref, "*"),
		statusSubject(o.Tenant, ref), parkedSubject(o.Tenant, ref), deadSubject(o.Tenant))}
}
