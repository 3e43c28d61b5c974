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
	CodeThrottled    Code = "throttled"    // the platform's rate limit: same key, later
	CodeUnauthorized Code = "unauthorized" // the key's secret or token was turned down: the key is benched
	CodeKeyUnknown   Code = "key_unknown"  // the relay holds no secret for the key: the key is benched
	CodeNoPool       Code = "no_pool"      // nobody has added a key to the pool yet
	CodeNoKey        Code = "no_key"       // no key has room
	CodeChannelDown  Code = "channel_down" // no relay in reach
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

// Action is what a worker does with a request once a code is known.
type Action int

// The actions.
const (
	Finish Action = iota // publish the result and acknowledge the request
	Later                // hand it back to JetStream with a delay
	LookUp               // find out by our reference, never send again blindly
)

// Disposition is one row of the table that maps a code to what follows.
type Disposition struct {
	Action  Action
	Outcome Outcome       // of a finished request
	After   time.Duration // first delay of a request tried later or looked up
	Pauses  bool          // fetching stops until the cause is gone
	Again   bool          // of what ended so: the same purchase may succeed when it is asked for later
}

const (
	soon    = 250 * time.Millisecond
	aSecond = time.Second
)

var dispositions = map[Code]Disposition{
	CodePlaced:        {Action: Finish, Outcome: OutcomePlaced},
	CodePartial:       {Action: Finish, Outcome: OutcomePartial},
	CodeInvalid:       {Action: Finish, Outcome: OutcomeRefused},
	CodeConflict:      {Action: Finish, Outcome: OutcomeRefused},
	CodeTooLarge:      {Action: Finish, Outcome: OutcomeRefused},
	CodeDeadline:      {Action: Finish, Outcome: OutcomeCancelled, Again: true},
	CodeCancelled:     {Action: Finish, Outcome: OutcomeCancelled, Again: true},
	CodeForbidden:     {Action: Finish, Outcome: OutcomeRefused},
	CodeNotOrderable:  {Action: Finish, Outcome: OutcomeRefused},
	CodePriceChanged:  {Action: Finish, Outcome: OutcomeRefused, Again: true},
	CodeOverBudget:    {Action: Finish, Outcome: OutcomeRefused, Again: true},
	CodeNotSold:       {Action: Finish, Outcome: OutcomeRefused},
	CodeManySellers:   {Action: Finish, Outcome: OutcomeRefused},
	CodeUnknownSpec:   {Action: Finish, Outcome: OutcomeRefused},
	CodeOutOfStock:    {Action: Finish, Outcome: OutcomeRefused, Again: true},
	CodeBelowMinimum:  {Action: Finish, Outcome: OutcomeRefused},
	CodeAboveMaximum:  {Action: Finish, Outcome: OutcomeRefused},
	CodeMixRule:       {Action: Finish, Outcome: OutcomeRefused},
	CodeSellUnit:      {Action: Finish, Outcome: OutcomeRefused},
	CodeNoConsignment: {Action: Finish, Outcome: OutcomeRefused},
	CodeZeroPrice:     {Action: Finish, Outcome: OutcomeRefused, Again: true},
	CodeBelowBatch:    {Action: Finish, Outcome: OutcomeRefused},
	CodeRefused:       {Action: Finish, Outcome: OutcomeRefused, Again: true},
	CodeThrottled:     {Action: Later, After: aSecond},
	CodeUnauthorized:  {Action: Later, After: soon},
	CodeKeyUnknown:    {Action: Later, After: soon},
	CodeNoPool:        {Action: Later, After: aSecond, Pauses: true},
	CodeNoKey:         {Action: Later, After: soon, Pauses: true},
	CodeChannelDown:   {Action: Later, After: soon, Pauses: true},
	CodeRedisDown:     {Action: Later, After: soon, Pauses: true},
	CodeNATSDown:      {Action: Later, After: soon, Pauses: true},
	CodeFenced:        {Action: Later, After: aSecond},
	CodeInternal:      {Action: Later, After: aSecond},
	CodeNoAnswer:      {Action: LookUp, Outcome: OutcomeUnknown, After: soon},
	CodeAbsent:        {Action: Finish, Outcome: OutcomeUnknown},
	CodeLost:          {Action: LookUp, Outcome: OutcomeUnknown, After: soon},
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
