package bus

import (
	"time"

	"autopurchase/worker"
)

// Verbs that make a new key usable.
var (
	KeysOnboard   = Verb[OnboardKey, Onboarding]{subject: keysPrefix + "onboard", request: "key-onboard", reply: "key-onboarding"}
	KeysAuthorize = Verb[AuthorizeKey, Authorization]{subject: keysPrefix + "authorize", request: "key-authorize", reply: "key-authorization"}
)

// OnboardKey asks how a key's onboarding stands, after everything that a machine can check was checked. With a step and a verdict
// it takes a person's word first.
type OnboardKey struct {
	Pool    string             `json:"pool,omitempty"`
	AppKey  string             `json:"app_key"`
	Step    string             `json:"step,omitempty"`    // see worker.Steps
	Verdict worker.StepVerdict `json:"verdict,omitempty"` // passed, waived or open
	Change
}

// Onboarding is a key and its checklist.
type Onboarding struct {
	Key   KeyInfo          `json:"key"`
	Done  bool             `json:"done"` // nothing is open
	Steps []OnboardingStep `json:"steps"`
}

// OnboardingStep is one step of a checklist.
type OnboardingStep struct {
	Step    string             `json:"step"`
	Title   string             `json:"title"`
	Do      string             `json:"do"`      // what a person does
	Machine bool               `json:"machine"` // 1688 proves it; a person can only waive it
	Verdict worker.StepVerdict `json:"verdict"`
	By      string             `json:"by"`  // who said so: a person, or "machine"
	Why     string             `json:"why"` // of an open step that a machine checks: why it is not passed now
	At      time.Time          `json:"at,omitzero"`
}

// AuthorizeKey is a step of authorizing a key: without code and state it begins, with both it ends, with the state alone it asks
// how it stands.
type AuthorizeKey struct {
	Pool        string `json:"pool,omitempty"`
	AppKey      string `json:"app_key"`
	RedirectURI string `json:"redirect_uri,omitempty"` // where 1688 sends the browser; the relay's own if left out
	Code        string `json:"code,omitempty"`         // what came back; good once, for two minutes
	State       string `json:"state,omitempty"`        // what came back with it
	Change
}

// Authorization is how the authorization of a key stands.
type Authorization struct {
	AppKey      string    `json:"app_key"`
	Address     string    `json:"address,omitempty"` // begun: what to open in a browser
	State       string    `json:"state,omitempty"`   // begun: what comes back with the code
	Authorized  bool      `json:"authorized"`        // the relay has tokens that work
	Reason      string    `json:"reason"`            // why it has none
	Accounts    []string  `json:"accounts"`          // the names that 1688 has for the account that authorized the key
	Fingerprint string    `json:"fingerprint"`       // of the refresh token
	EndsAt      time.Time `json:"ends_at,omitzero"`  // of the refresh token; left out when not known
	AlarmDays   int       `json:"alarm_days"`        // it ends within so many days: 30, 14, 7 or 1; 0 is no alarm
}

const (
	maxRedirect = 1024 // characters
	maxCode     = 1024
	maxState    = 2048
)

func (o OnboardKey) checked() (OnboardKey, *worker.Invalid) {
	setDefault(&o.Pool, defaultPool)
	if invalid := checkKey(o.Pool, o.AppKey); invalid != nil {
		return o, invalid
	}
	if o.Step == "" {
		if o.Verdict != "" {
			return o, &worker.Invalid{Field: "step", Reason: "must be given with a verdict"}
		}
		return o, nil
	}
	step, known := worker.StepNamed(o.Step)
	switch {
	case !known:
		return o, &worker.Invalid{Field: "step", Reason: "is not one of the onboarding"}
	case o.Verdict != worker.StepPassed && o.Verdict != worker.StepWaived && o.Verdict != worker.StepOpen:
		return o, &worker.Invalid{Field: "verdict", Reason: "must be passed, waived or open"}
	case o.Verdict == worker.StepPassed && step.Machine():
		return o, &worker.Invalid{Field: "verdict", Reason: "must be waived or open: 1688 itself proves this step"}
	case o.Verdict == worker.StepWaived && o.Why == "":
		return o, &worker.Invalid{Field: "why", Reason: "must say why the step is waived"}
	case o.By == worker.ByMachine:
		return o, &worker.Invalid{Field: "by", Reason: "must name a person"}
	}
	return o, o.signed()
}

func (a AuthorizeKey) checked() (AuthorizeKey, *worker.Invalid) {
	setDefault(&a.Pool, defaultPool)
	switch {
	case a.Code != "" && a.State == "":
		return a, &worker.Invalid{Field: "state", Reason: "must come with the code, as 1688 sent it back"}
	case a.State != "" && a.RedirectURI != "":
		return a, &worker.Invalid{Field: "redirect_uri", Reason: "must only be given to begin"}
	case !visible(a.RedirectURI, maxRedirect):
		return a, &worker.Invalid{Field: "redirect_uri", Reason: "must have at most 1024 visible characters"}
	case !visible(a.Code, maxCode):
		return a, &worker.Invalid{Field: "code", Reason: "must have at most 1024 visible characters"}
	case !visible(a.State, maxState):
		return a, &worker.Invalid{Field: "state", Reason: "must have at most 2048 visible characters"}
	}
	return a, changes(a.Pool, a.AppKey, a.Change)
}
