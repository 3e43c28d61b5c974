package bus

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// filters gives what to read from each stream, and what to listen to of the beats, which no stream holds.
func (b *Bus) filters(options WatchOptions) (filters map[string][]string, beats []string, err error) {
	filters = map[string][]string{}
	for _, stream := range b.spec() {
		if slices.Contains(options.Streams, stream.Name) {
			filters[stream.Name] = []string{whole(stream.Name, stream.Subjects)}
		}
	}
	subjects := options.Subjects
	if len(subjects)+len(options.Streams) == 0 {
		subjects = []string{">"}
	}
	for _, subject := range subjects {
		found := false
		for _, stream := range b.spec() {
			if filter, ok := inStream(subject, stream.Name, stream.Subjects); ok {
				filters[stream.Name] = addFilter(filters[stream.Name], filter, whole(stream.Name, stream.Subjects))
				found = true
			}
		}
		if beat, ok := intersect(subject, beatPrefix+"*"); ok && !found {
			beats, found = addFilter(beats, beat, beatPrefix+"*"), true
		}
		if !found {
			return nil, nil, fmt.Errorf("subject %q: no stream holds it; see purchase.request.>, purchase.result.>, purchase.status.>, purchase.stray.>, purchase.dead.>, purchase.parked.>, keypool.event.> and purchase.queue.status.*", subject)
		}
	}
	if options.Tenant != "" {
		if filters, beats = ofTenant(filters, options.Tenant), nil; len(filters) == 0 {
			return nil, nil, errors.New("nothing on these subjects is a tenant's")
		}
	}
	return filters, beats, nil
}

// whole matches all that is read of a stream: of requests those of all lanes, which must be read together, in their order.
func whole(stream string, subjects []string) string {
	if stream == StreamRequests {
		return allRequests
	}
	return subjects[0]
}

// inStream gives what a pattern picks of a stream, as a pattern; false if that is nothing.
func inStream(subject, stream string, subjects []string) (string, bool) {
	all := whole(stream, subjects)
	if stream != StreamRequests {
		return intersect(subject, all)
	}
	for _, lane := range subjects {
		if _, some := intersect(subject, lane); some {
			return intersect(subject, all)
		}
	}
	return "", false
}

// ofTenant narrows filters to what is one tenant's.
func ofTenant(filters map[string][]string, tenant string) map[string][]string {
	narrow := map[string][]string{}
	for stream, whole := range tenantSubjects(tenant) {
		for _, filter := range filters[stream] {
			if common, ok := intersect(filter, whole); ok {
				narrow[stream] = addFilter(narrow[stream], common, whole)
			}
		}
	}
	return narrow
}

// addFilter adds a filter to a stream's, which must not overlap: one inside another is left out, and two that cross are
// replaced by the whole stream.
func addFilter(have []string, filter, whole string) []string {
	kept := have[:0:0]
	for _, other := range have {
		common, overlap := intersect(filter, other)
		switch {
		case overlap && common == filter:
			return have // the other covers it
		case overlap && common != other:
			return []string{whole}
		case !overlap:
			kept = append(kept, other)
		}
	}
	return append(kept, filter)
}

// intersect gives the subjects that both patterns match, as a pattern; false if there are none.
func intersect(a, b string) (string, bool) {
	x, y := strings.Split(a, "."), strings.Split(b, ".")
	var common []string
	for i := 0; ; i++ {
		switch {
		case i == len(x) && i == len(y):
			return strings.Join(common, "."), true
		case i == len(x) || i == len(y):
			return "", false
		case x[i] == ">":
			return strings.Join(slices.Concat(common, y[i:]), "."), true
		case y[i] == ">":
			return strings.Join(slices.Concat(common, x[i:]), "."), true
		case x[i] == "*":
			common = append(common, y[i])
		case y[i] == "*" || x[i] == y[i]:
			common = append(common, x[i])
		default:
			return "", false
		}
	}
}
