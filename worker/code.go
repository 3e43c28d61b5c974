package worker

import "time"

// Code is the closed vocabulary of what became of a request: the result's code, the metric's label and the log's field.
type Code string

// The codes, grouped by what follows from them; dispositions holds the whole truth.
const (
	CodePlaced  Code = "placed"
	CodePartial Code = "partial"

	// Refused before anything was drawn.
	CodeInvalid   Code = "invalid"   // breaks a rule of the request schema
	CodeConflict  Code = "conflict"  // same id, other meaning
	CodeTooLarge  Code = "too_large" // more products than any key may ever take
	CodeDeadline  Code = "deadline"  // its deadline passed before it was sent
	CodeCancelled Code = "cancelled" // somebody took it back in time
	CodeForbidden Code = "forbidden" // the pool is not for this tenant

	// Refused after a preview: nothing was drawn.
	CodeNotOrderable Code = "not_orderable" // 1688 lists no trade mode: it cannot be ordered by API
	CodePriceChanged Code = "price_changed" // a price is above unit_price and price_tolerance
	CodeOverBudget   Code = "over_budget"   // goods and postage are above max_total

	// Refused by 1688, for good.
	CodeNotSold       Code = "not_sold_online"
	CodeManySellers   Code = "several_sellers"
	CodeUnknownSpec   Code = "unknown_spec"
	CodeOutOfStock    Code = "out_of_stock"
	CodeBelowMinimum  Code = "below_minimum"
	CodeAboveMaximum  Code = "above_maximum"
	CodeMixRule       Code = "mix_rule"
	CodeSellUnit      Code = "sell_unit"
	CodeNoConsignment Code = "no_consignment"
	CodeZeroPrice     Code = "zero_price"
	CodeBelowBatch    Code = "below_batch"
	CodeRefused       Code = "refused" // any other refusal; the reason has 1688's words

	// Nothing happened at 1688; the cause passes and the request is tried again.
	CodeThrottled    Code = "throttled"     // the platform's rate limit: same key, later
	CodeUnauthorized Code = "unauthorized"  // the key's secret or token was turned down: the key is benched
	CodeKeyUnknown   Code = "key_unknown"   // the relay holds no secret for the key: the key is benched
	CodeRiskControl  Code = "risk_control"  // the buyer account is under risk control: all its keys are stopped
	CodeBusinessOnly Code = "business_only" // the seller takes business accounts only
	CodeNoPool       Code = "no_pool"       // nobody has added a key to the pool yet
	CodeNoKey        Code = "no_key"        // no key has room
	CodeChannelDown  Code = "channel_down"  // no relay in reach
	CodeRedisDown    Code = "redis_down"
	CodeNATSDown     Code = "nats_down"
	CodeFenced       Code = "fenced" // a later delivery of the same request has taken over
	CodeInternal     Code = "internal"

	// An order may exist.
	CodeNoAnswer Code = "no_answer" // sent, and nothing came back
	CodeAbsent   Code = "absent"    // sent, no answer, and no order found until the look-up window ended
	CodeLost     Code = "lost"      // the record of what was sent is gone
)

// Outcome is how a request ended.
type Outcome string

// Every request ends in exactly one of these.
const (
	OutcomePlaced    Outcome = "placed"
	OutcomePartial   Outcome = "partial"
	OutcomeRefused   Outcome = "refused"
	OutcomeCancelled Outcome = "cancelled"
	OutcomeUnknown   Outcome = "unknown"
)

// Disposition is one row of the table that maps a code to what follows.
type Disposition struct {
	Next    Route         // what is tried next; all that a worker does about the code
	Outcome Outcome       // of a request that ends so: at once, or once nothing is left to be tried
	After   time.Duration // first delay of a request tried later or looked up
	Pauses  bool          // fetching stops until the cause is gone
	Again   bool          // of what ended so: the same purchase may succeed when it is asked for later
	// Elsewhere: it is about the goods, and others may be had all the same.
	Elsewhere bool
}

const (
	soon    = 250 * time.Millisecond
	aSecond = time.Second
)

var dispositions = map[Code]Disposition{
	CodePlaced:        {Next: RouteNever, Outcome: OutcomePlaced},
	CodePartial:       {Next: RouteNever, Outcome: OutcomePartial},
	CodeInvalid:       {Next: RouteNever, Outcome: OutcomeRefused},
	CodeConflict:      {Next: RouteNever, Outcome: OutcomeRefused},
	CodeTooLarge:      {Next: RouteNever, Outcome: OutcomeRefused},
	CodeDeadline:      {Next: RouteNever, Outcome: OutcomeCancelled, Again: true},
	CodeCancelled:     {Next: RouteNever, Outcome: OutcomeCancelled, Again: true},
	CodeForbidden:     {Next: RouteNever, Outcome: OutcomeRefused},
	CodeNotOrderable:  {Next: RouteNever, Outcome: OutcomeRefused, Elsewhere: true},
	CodePriceChanged:  {Next: RouteNever, Outcome: OutcomeRefused, Again: true, Elsewhere: true},
	CodeOverBudget:    {Next: RouteNever, Outcome: OutcomeRefused, Again: true},
	CodeNotSold:       {Next: RouteNever, Outcome: OutcomeRefused, Elsewhere: true},
	CodeManySellers:   {Next: RouteNever, Outcome: OutcomeRefused, Elsewhere: true},
	CodeUnknownSpec:   {Next: RouteNever, Outcome: OutcomeRefused, Elsewhere: true},
	CodeOutOfStock:    {Next: RouteNever, Outcome: OutcomeRefused, Again: true, Elsewhere: true},
	CodeBelowMinimum:  {Next: RouteNever, Outcome: OutcomeRefused, Elsewhere: true},
	CodeAboveMaximum:  {Next: RouteNever, Outcome: OutcomeRefused, Elsewhere: true},
	CodeMixRule:       {Next: RouteNever, Outcome: OutcomeRefused, Elsewhere: true},
	CodeSellUnit:      {Next: RouteNever, Outcome: OutcomeRefused, Elsewhere: true},
	CodeNoConsignment: {Next: RouteNever, Outcome: OutcomeRefused, Elsewhere: true},
	CodeZeroPrice:     {Next: RouteNever, Outcome: OutcomeRefused, Again: true, Elsewhere: true},
	CodeBelowBatch:    {Next: RouteNever, Outcome: OutcomeRefused, Elsewhere: true},
	CodeRefused:       {Next: RouteNever, Outcome: OutcomeRefused, Again: true},
	CodeThrottled:     {Next: RouteSameKey, After: aSecond},
	CodeUnauthorized:  {Next: RouteOtherKey, After: soon},
	CodeKeyUnknown:    {Next: RouteOtherKey, After: soon},
	CodeRiskControl:   {Next: RouteOtherAccount, Outcome: OutcomeRefused, After: soon, Again: true},
	CodeBusinessOnly:  {Next: RouteBusiness, Outcome: OutcomeRefused, After: soon},
	CodeNoPool:        {Next: RouteAnyKey, After: aSecond, Pauses: true},
	CodeNoKey:         {Next: RouteAnyKey, After: soon, Pauses: true},
	CodeChannelDown:   {Next: RouteSameKey, After: soon, Pauses: true},
	CodeRedisDown:     {Next: RouteSameKey, After: soon, Pauses: true},
	CodeNATSDown:      {Next: RouteSameKey, After: soon, Pauses: true},
	CodeFenced:        {Next: RouteSameKey, After: aSecond},
	CodeInternal:      {Next: RouteSameKey, After: aSecond},
	CodeNoAnswer:      {Next: RouteLookUp, Outcome: OutcomeUnknown, After: soon},
	CodeAbsent:        {Next: RouteNever, Outcome: OutcomeUnknown},
	CodeLost:          {Next: RouteLookUp, Outcome: OutcomeUnknown, After: soon},
}

// Dispose gives what follows from a code. A code outside the vocabulary counts as CodeInternal, so that nothing is lost
// when a newer relay knows more than this worker.
func Dispose(code Code) Disposition {
	if d, ok := dispositions[code]; ok {
		return d
	}
	return dispositions[CodeInternal]
}

// Codes lists the whole vocabulary in no particular order.
func Codes() []Code {
	codes := make([]Code, 0, len(dispositions))
	for code := range dispositions {
		codes = append(codes, code)
	}
	return codes
}
