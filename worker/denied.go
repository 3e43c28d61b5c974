package worker

// Denied is why an administrator's change is not made. It repeats no secret.
type Denied struct {
	Code   DenyCode
	Field  string // of the message, such as "version"
	Reason string
}

// Error gives field and reason.
func (d *Denied) Error() string { return d.Field + ": " + d.Reason }

// DenyCode is the closed vocabulary of denials.
type DenyCode string

// The codes of denials.
const (
	DenyUnknownKey     DenyCode = "unknown_key"     // the pool has no such key
	DenyStale          DenyCode = "stale"           // the key was changed since the version that the change is about
	DenyState          DenyCode = "wrong_state"     // it cannot be done in the state that the key is in
	DenyInUse          DenyCode = "in_use"          // orders on the key are under way or unknown
	DenyUnknownRequest DenyCode = "unknown_request" // nothing is on record about it
	DenyReused         DenyCode = "reused"          // the message id belongs to another change
)
