package worker

import (
	"context"
	"time"
)

// Stage names the step that an Event is about.
type Stage string

// The stages.
const (
	StageRejected  Stage = "rejected"  // not admitted: dead-lettered
	StagePostponed Stage = "postponed" // handed back with a delay
	StageHeld      Stage = "held"      // kept until its time has come
	StageWaiting   Stage = "waiting"   // kept in hand until a key has room
	StageMerged    Stage = "merged"    // acknowledged: it is bought as part of another request
	StageFinished  Stage = "finished"  // its result is published and the request acknowledged
	StageParked    Stage = "parked"    // finished as unknown: a person must decide
	StageResolved  Stage = "resolved"  // a person said what became of a parked order
	StageBound     Stage = "bound"     // a person bound an order of 1688 to a request's, or took that back
	StageCancelled Stage = "cancelled" // a person took back an order before it was sent
	StageDiffers   Stage = "differs"   // a second answer contradicts the outcome that stands
	StagePaused    Stage = "paused"    // fetching stopped
	StageResumed   Stage = "resumed"   // fetching goes on
	StageRetrying  Stage = "retrying"  // a store is out of reach; the step is repeated until it is back
	StageProbed    Stage = "probed"    // a benched key was asked about and stays where it is
	StageFailed    Stage = "failed"    // something unexpected
	StagePayment   Stage = "payment"   // the record of an order's payment has a new entry
	StageStopping  Stage = "stopping"  // no more requests are taken; what is running is finished
	StageLeft      Stage = "left"      // what was running was left behind: the time for it was over
)

// Event is one thing that a worker did, for logs and metrics. It holds no secret and no buyer's data.
type Event struct {
	Stage     Stage
	Tenant    string
	RequestID string
	Reference string
	AppKey    string
	Pool      string
	Attempt   int
	Code      Code
	Reason    string
	Took      time.Duration
	Err       error
	Context   context.Context // what travels with the request that it is about, such as its trace; nil for nothing
}
