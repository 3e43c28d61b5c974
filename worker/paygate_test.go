package worker

import "testing"

func TestWhatMayBePaidWithoutAPerson(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		payable
		may bool
	}{
		"as ordered":                  {payable{now: 1000, ordered: 1000}, true},
		"a fen more":                  {payable{now: 1001, ordered: 1000}, false},
		"a fen less":                  {payable{now: 999, ordered: 1000}, false},
		"within the tolerance":        {payable{now: 1025, ordered: 1000, tolerance: "2.5"}, true},
		"a fen above it":              {payable{now: 1026, ordered: 1000, tolerance: "2.5"}, false},
		"less, within it":             {payable{now: 975, ordered: 1000, tolerance: "2.5"}, true},
		"a fen below it":              {payable{now: 974, ordered: 1000, tolerance: "2.5"}, false},
		"in the budget":               {payable{now: 1000, ordered: 1000, others: 500, most: 1500}, true},
		"above the budget":            {payable{now: 1000, ordered: 1000, others: 501, most: 1500}, false},
		"tolerated, above the budget": {payable{now: 1001, ordered: 1000, tolerance: "50", most: 1000}, false},
		"not said when placed":        {payable{now: 1000}, false},
		"not said, in the budget":     {payable{now: 1000, most: 1000}, true},
		"not said now":                {payable{ordered: 1000}, false},
		"not said now, agreed":        {payable{ordered: 1000, agreed: 5000}, false},
		"agreed":                      {payable{now: 2000, ordered: 1000, agreed: 2000, most: 1}, true},
		"more than agreed":            {payable{now: 2001, ordered: 1000, agreed: 2000}, false},
		"less than agreed":            {payable{now: 1, ordered: 1000, agreed: 2000}, true},
	} {
		if why := c.refusal(); (why == "") != c.may {
			t.Errorf("%s: %q", name, why)
		}
	}
}

func TestCashierSettings(t *testing.T) {
	t.Parallel()
	if err := (CashierConfig{}).Validate(); err != nil {
		t.Error(err)
	}
	if err := (CashierConfig{PayTimeout: 1000, LookFor: 1999}).Validate(); err == nil {
		t.Error("a payment may be under way for longer than it is looked for")
	}
}

// TestOnlyWhatIsSurelyPaidCountsSo: a word that nobody knows is neither paid nor closed.
func TestOnlyWhatIsSurelyPaidCountsSo(t *testing.T) {
	t.Parallel()
	for status, want := range map[string][2]bool{
		StatusUnpaid: {false, false}, "waitsellersend": {true, false}, "waitbuyerreceive": {true, false}, "success": {true, false},
		"cancel": {false, true}, "terminated": {false, true}, "": {false, false}, "waitlogisticstakein": {false, false}, "never_seen": {false, false},
	} {
		if PaidFor(status) != want[0] || Closed(status) != want[1] {
			t.Errorf("%q: paid %v, closed %v", status, PaidFor(status), Closed(status))
		}
	}
}
