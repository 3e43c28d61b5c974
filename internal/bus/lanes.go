package bus

import (
	"strings"

	"autopurchase/worker"
)

// A lane is a prefix of subjects in the stream of requests, since consumers pick by subject alone:
//
//	purchase.request-high.<tenant>.<ref>  ─► consumer worker-high ─┐
//	purchase.request.<tenant>.<ref>       ─► consumer worker      ─┼─► Inbox, by shares
//	purchase.request-low.<tenant>.<ref>   ─► consumer worker-low  ─┘
//
// The broker keeps one message per subject, and so one per id in each lane. That an id is in one lane only is what Submit has it
// compare; of who publishes without that, the claims make one order all the same.

// lanePrefix begins the subjects of the requests in a lane.
func lanePrefix(lane worker.Lane) string {
	if lane == worker.LaneNormal || lane == "" {
		return requestPrefix
	}
	return strings.TrimSuffix(requestPrefix, ".") + "-" + string(lane) + "."
}

// laneSubjects is every subject of a lane.
func laneSubjects(lane worker.Lane) string { return lanePrefix(lane) + ">" }

// allLanes are the subjects of all lanes.
func allLanes() (all []string) {
	for _, lane := range worker.Lanes() {
		all = append(all, laneSubjects(lane))
	}
	return all
}

// anyLane matches the lanes, and in the stream of requests nothing else; allRequests is all of that stream.
const (
	anyLane     = "purchase.*."
	allRequests = anyLane + ">"
)

// laneOf takes the lane from a request's subject, and gives what is behind it.
func laneOf(subject string) (lane worker.Lane, rest string) {
	for _, lane := range worker.Lanes() {
		if rest, found := strings.CutPrefix(subject, lanePrefix(lane)); found {
			return lane, rest
		}
	}
	return "", subject
}

// laneConsumer is the durable consumer of a lane, which all workers share.
func laneConsumer(lane worker.Lane) string {
	if lane == worker.LaneNormal || lane == "" {
		return ConsumerWorker
	}
	return ConsumerWorker + "-" + string(lane)
}

// requestSubject is where the request of that tenant and ref is published in a lane: one subject per request.
func requestSubject(lane worker.Lane, tenant, ref string) string {
	return lanePrefix(lane) + tenant + "." + ref
}

// requestSubjects is where it is, whichever lane it is in. To be looked for, not published on.
func requestSubjects(tenant, ref string) string { return anyLane + tenant + "." + ref }
