package dashboard

import (
	"context"
	"io"
	"time"

	"autopurchase/worker"
)

// Queue says how the queue is.
type Queue interface {
	Status(ctx context.Context) (worker.QueueStatus, error)
}

// Pools tells of the pools of app keys.
type Pools interface {
	// Keys lists the keys of a pool, in the order in which they are used.
	Keys(ctx context.Context, pool string) ([]Key, error)
	// Key gives one key and its checklist.
	Key(ctx context.Context, pool, appKey string) (Onboarding, error)
	// Forecast says until when a pool lasts. It may take a while.
	Forecast(ctx context.Context, pool string) (worker.Forecast, error)
	// Statement writes what a key's count is made of as comma-separated values; nothing is written if it returns an error before.
	Statement(ctx context.Context, pool, appKey string, to io.Writer) error
}

// Requests finds requests.
type Requests interface {
	// List gives a page of the requests that a filter picks, the newest first.
	List(ctx context.Context, filter worker.Filter, page worker.Page) (worker.Listing, error)
	// Life gives all that is known of one request; false if there is none of that name.
	Life(ctx context.Context, tenant, requestID string) (worker.Life, bool, error)
	// Series gives so many minutes up to the one that now is in, the oldest first.
	Series(ctx context.Context, minutes int) ([]worker.Minute, error)
}

// Letters tells of dead letters.
type Letters interface {
	// Dead gives a page of the dead letters that a filter picks, the oldest first.
	Dead(ctx context.Context, filter LetterFilter, after string, most int) (Letterbox, error)
}

// Desk is where changes are asked for. What it answers is one sentence for people; errors are what is told them instead, with the
// field's name if it is about one.
type Desk interface {
	ChangeKey(ctx context.Context, change KeyChange) (string, error)
	ChangeStep(ctx context.Context, change StepChange) (string, error)
	ChangeRequests(ctx context.Context, change RequestChange) (string, error)
	ChangeLetters(ctx context.Context, change LetterChange) (string, error)
}

// Key is an app key.
type Key struct {
	AppKey      string
	Pool        string
	State       string // onboarding, ready, active, spent, benched, stopped, disabled, retired or removed
	Limit       int64  // products
	Used        int64
	Held        int64
	Left        int64
	Account     string
	Alipay      string // none, personal or business
	Source      string // own or managed
	Version     int64
	Fingerprint string
}

// Onboarding is a key and what was, or is, to be done before it may order.
type Onboarding struct {
	Key   Key
	Done  bool
	Steps []OnboardingStep
}

// OnboardingStep is one step of it.
type OnboardingStep struct {
	Step    string
	Title   string
	Do      string
	Machine bool // 1688 proves it
	Verdict worker.StepVerdict
	By      string
	Why     string
	At      time.Time
}

// LetterFilter picks dead letters. What is left out does not restrict.
type LetterFilter struct {
	Code   worker.Code
	Tenant string
	Text   string
}

// Letterbox is a page of a list of dead letters.
type Letterbox struct {
	Letters []worker.Dead
	Next    string
}

// Signed is who asks for a change, and why.
type Signed struct {
	ID  string // the same twice is made once
	By  string
	Why string
}

// KeyChange is what is to be done with a key.
type KeyChange struct {
	Do      string // the verb's name: disable, enable, bench, restore, rotate, limit or retire
	Pool    string
	AppKey  string
	Limit   int64
	Version int64 // the one that the person saw
	Signed
}

// StepChange is a person's word on a step of a key's onboarding.
type StepChange struct {
	Pool    string
	AppKey  string
	Step    string
	Verdict worker.StepVerdict // passed, waived or open
	Signed
}

// RequestName names a request.
type RequestName struct{ Tenant, ID string }

// RequestChange is what is to be done with requests.
type RequestChange struct {
	Do       string // cancel, retry, placed or absent
	Requests []RequestName
	Order    string   // placed, absent: the order of the request that it is about; "" if only one is open
	OrderIDs []string // placed: at 1688
	Force    bool     // also against what 1688's list says
	Signed
}

// LetterChange is what is to be done with dead letters.
type LetterChange struct {
	Do        string // replay or drop
	Sequences []uint64
	Signed
}
