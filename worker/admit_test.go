package worker

import (
	"errors"
	"testing"
)

func TestAdmit(t *testing.T) {
	good := func([]byte) (*Request, error) { return &Request{ID: "PR.1"}, nil }
	bad := func([]byte) (*Request, error) {
		return nil, &Invalid{RequestID: "PR.1", Field: "lines[0].quantity", Reason: "must be above 0"}
	}
	broken := func([]byte) (*Request, error) { return nil, errors.New("holds 13800138000") }
	for name, c := range map[string]struct {
		tenant, ref string
		decode      Decoder
		field       string // "" is admitted
		told, id    string // "" is told to nobody
		aside       bool
	}{
		"good":                  {"acme", "PR=2E1", good, "", "", "", false},
		"another id":            {"acme", "PR=2E2", good, "request_id", "acme", "PR.2", false},
		"unread":                {"acme", "PR=2E1", bad, "lines[0].quantity", "acme", "PR.1", false},
		"no reason given":       {"acme", "PR=2E1", broken, "body", "acme", "PR.1", false},
		"subject has no ref":    {"acme", "", good, "subject", "acme", "PR.1", true},
		"subject and body bad":  {"acme", "", bad, "subject", "acme", "PR.1", true},
		"nothing can be read":   {"acme", "", broken, "subject", "", "", false},
		"subject has no tenant": {"", "PR=2E1", good, "subject", "", "", false},
	} {
		d := &Delivery{Tenant: c.tenant, Ref: c.ref}
		request, invalid := Admit(d, c.decode)
		if c.field == "" {
			if invalid != nil || request.Tenant != c.tenant {
				t.Errorf("%s: %+v, %v", name, request, invalid)
			}
			continue
		}
		if invalid == nil || invalid.Field != c.field {
			t.Errorf("%s: %v, want field %s", name, invalid, c.field)
			continue
		}
		result, tell := Rejection(d, invalid)
		if tell != (c.told != "") || (tell && (result.Tenant != c.told || result.RequestID != c.id || result.Aside != c.aside)) {
			t.Errorf("%s: told %v %+v", name, tell, result)
		}
		if result.Reason == "" || result.Outcome != OutcomeRefused || result.Code != CodeInvalid {
			t.Errorf("%s: %+v", name, result)
		}
	}
}
