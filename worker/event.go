package worker

import (
	"context"
	"time"
)

// PoolEvent is one entry of a pool's journal. Together with the results, the journal is enough to rebuild the pool.
type PoolEvent struct {
	Pool     string    `json:"pool"`
	Sequence int64     `json:"sequence"` // counts up within the pool; the message id with which it is published
	Kind     EventKind `json:"kind"`
	AppKey   string    `json:"app_key,omitempty"`
	Limit    int64     `json:"limit,omitempty"`
	Used     int64     `json:"used"`
	Held     int64     `json:"held"`
	Left     int64     `json:"left"` // what the whole pool can still take
	Account  string    `json:"account,omitempty"`
	Alipay   string    `json:"alipay,omitempty"`  // none, personal or business
	Source   string    `json:"source,omitempty"`  // own or managed
	State    string    `json:"state,omitempty"`   // of the key, once it happened
	Version  int64     `json:"version,omitempty"` // of the key: counts what persons changed
	Cleared  int64     `json:"cleared,omitempty"` // reset: products that count no longer
	Sealed   string    `json:"sealed,omitempty"`  // secret, tokens: what was sealed, which only a relay can open
	Print    string    `json:"fingerprint,omitempty"`
	Ends     int64     `json:"ends_ms,omitempty"`    // tokens, ending: when the refresh token ends, milliseconds of Unix time
	Step     string    `json:"step,omitempty"`       // onboarding: which step
	Verdict  string    `json:"verdict,omitempty"`    // onboarding: passed, waived or open
	Change   string    `json:"change,omitempty"`     // message id of the administrator's message that asked for it
	Count    string    `json:"count,omitempty"`      // pool setting: lines or units
	Width    int64     `json:"width,omitempty"`      // pool setting: keys active at once
	Low      int64     `json:"low,omitempty"`        // pool setting: capacity below which it is low
	Strategy string    `json:"strategy,omitempty"`   // pool setting: first or even
	For      string    `json:"recipients,omitempty"` // pool setting: for whom secrets are sealed, with blanks between them
	Tenants  string    `json:"tenants,omitempty"`    // pool setting: who may draw, as tenant=weight with blanks between them
	Preview  string    `json:"preview,omitempty"`    // pool setting: never, always, or above and the sum in yuan
	Seller   string    `json:"seller,omitempty"`     // seller: who asks for the kind of Alipay
	By       string    `json:"by,omitempty"`         // who asked for it
	Why      string    `json:"why,omitempty"`
	At       time.Time `json:"at"`
}

// EventKind names what happened to a pool or a key of it.
type EventKind string

// The kinds of pool events.
const (
	EventPool      EventKind = "pool"       // settings made or changed
	EventAdded     EventKind = "added"      // a key came into the pool, perhaps once more
	EventJoined    EventKind = "joined"     // an added key came into use, now that the journal has it
	EventChanged   EventKind = "changed"    // a key's limit, account, alipay or source changed
	EventRotated   EventKind = "rotated"    // a ready key became active
	EventSpent     EventKind = "spent"      // a key reached its limit
	EventLow       EventKind = "low"        // the pool's capacity fell below its low-water mark
	EventExhausted EventKind = "exhausted"  // no key has room
	EventBenched   EventKind = "benched"    // a key was taken out of use until it is restored
	EventStopped   EventKind = "stopped"    // a key was taken out of use with its account, until a person restores it
	EventRestored  EventKind = "restored"   // a benched or stopped key came back
	EventDisabled  EventKind = "disabled"   // a person took a key out of use
	EventEnabled   EventKind = "enabled"    // a person put a disabled or retired key back
	EventRetired   EventKind = "retired"    // a key has done its work
	EventRemoved   EventKind = "removed"    // a key left the pool; its count is kept
	EventReset     EventKind = "reset"      // a person said that what was counted counts no longer
	EventSecret    EventKind = "secret"     // a key's sealed secret was stored
	EventTokens    EventKind = "tokens"     // a key's sealed tokens were stored
	EventEnding    EventKind = "ending"     // a key's authorization ends soon: a person must authorize it again
	EventOnboarded EventKind = "onboarding" // a step of a key's onboarding was passed, waived or opened again
	EventSeller    EventKind = "seller"     // a seller takes keys with one kind of Alipay only, or any again
	EventRebuilt   EventKind = "rebuilt"    // the pool was rebuilt from the journal
)

// Journal stores pool events and returns once the broker has them on record. A repeat with the same pool and sequence is
// stored once.
type Journal interface {
	Record(ctx context.Context, event PoolEvent) error
}
