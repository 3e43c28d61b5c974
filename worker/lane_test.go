package worker

import (
	"strings"
	"testing"
)

func TestLaneShares(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"high=6,normal=3,low=1":    "high=6,normal=3,low=1",
		"low=2":                    "high=6,normal=3,low=2",
		"low=1000, high=1":         "high=1,normal=3,low=1000",
		"normal=7,low=7,high=1000": "high=1000,normal=7,low=7",
	} {
		got, err := ParseLaneShares(text)
		if err != nil || got.String() != want {
			t.Errorf("%q: %v, %v", text, got, err)
		}
	}
	for text, names := range map[string]string{
		"": `""`, "urgent=1": "urgent", "low=0": `"0"`, "low=1001": `"1001"`, "low=-1": `"-1"`, "low": `""`, "low=1.5": `"1.5"`,
		"low=1,low=2": "twice", "high=1,": `""`,
	} {
		if got, err := ParseLaneShares(text); err == nil || !strings.Contains(err.Error(), names) {
			t.Errorf("%q: %v, %v", text, got, err)
		}
	}
	if got := LaneShares(nil).Of(LaneHigh); got != 6 {
		t.Errorf("nobody said anything, and high has %d", got)
	}
}

// TestAPriorityIsThatOfItsLane: a request says where it waits, or its subject does.
func TestAPriorityIsThatOfItsLane(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ lane, says, is Lane }{
		{"", "", LaneNormal}, {LaneNormal, LaneNormal, LaneNormal}, {LaneHigh, "", LaneHigh}, {LaneLow, LaneLow, LaneLow},
		{LaneLow, LaneHigh, ""}, {LaneHigh, LaneNormal, ""}, {LaneNormal, LaneLow, ""},
	} {
		d := &Delivery{Tenant: "acme", Ref: "PR-1", Lane: c.lane}
		request, invalid := Admit(d, func([]byte) (*Request, error) { return &Request{ID: "PR-1", Priority: c.says}, nil })
		switch {
		case c.is == "" && (invalid == nil || invalid.Field != "priority" || invalid.RequestID != "PR-1"):
			t.Errorf("%q in lane %q: %v", c.says, c.lane, invalid)
		case c.is != "" && (invalid != nil || request.Priority != c.is):
			t.Errorf("%q in lane %q: %q, %v", c.says, c.lane, request.Priority, invalid)
		}
	}
	if a, b := Fingerprint(new(Request{ID: "PR-1", Priority: LaneHigh})), Fingerprint(new(Request{ID: "PR-1"})); a != b {
		t.Error("a priority makes another purchase of it")
	}
}
