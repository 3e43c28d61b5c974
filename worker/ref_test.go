package worker

import (
	"strings"
	"testing"
)

func TestRefIsOneSubjectToken(t *testing.T) {
	for id, want := range map[string]string{
		"PR-1_a": "PR-1_a", "PR.1": "PR=2E1", "PR..1": "PR=2E=2E1", "*": "=2A", "PR>": "PR=3E", "a=b": "a=3Db", "#/~": "=23=2F=7E",
	} {
		if got := EncodeRef(id); got != want {
			t.Errorf("EncodeRef(%q) = %q, want %q", id, got, want)
		}
		if got, err := DecodeRef(want); err != nil || got != id {
			t.Errorf("DecodeRef(%q) = %q, %v, want %q", want, got, err, id)
		}
	}
	if ref := EncodeRef(strings.Repeat("~", MaxID)); strings.ContainsAny(ref, ".*> ") {
		t.Errorf("%q is not one token", ref)
	}
}

func TestDecodeRefKnowsOneSpellingOnly(t *testing.T) {
	for _, ref := range []string{"", "PR.1", "PR=2e1", "PR=41", "PR=2", "PR=", "=ZZ", "*", "PR>", "a b", "=20", "=00", "é", strings.Repeat("a", MaxID+1)} {
		if id, err := DecodeRef(ref); err == nil {
			t.Errorf("DecodeRef(%q) = %q, want an error", ref, id)
		}
	}
}

func TestCheckID(t *testing.T) {
	for _, id := range []string{"1", "PR.1", "*", "PR>", strings.Repeat("x", 64)} {
		if err := CheckID(id); err != nil {
			t.Errorf("CheckID(%q) = %v", id, err)
		}
	}
	for _, id := range []string{"", "a b", "a\t", "\x00", "\x7f", "订单", "🛒", "a\u200bb", strings.Repeat("x", 65), strings.Repeat("x", 4000)} {
		if CheckID(id) == nil {
			t.Errorf("CheckID(%.20q) lets it pass", id)
		}
	}
}

func TestReferenceGoesThereAndBack(t *testing.T) {
	for _, c := range []struct {
		tenant, id string
		n          int
	}{{"acme", "PR-1", 1}, {"acme", "PR-1-1", 1}, {"a_b-c", "PR.1", 12}, {"t", "-", 400}} {
		reference := Reference(c.tenant, EncodeRef(c.id), c.n)
		tenant, ref, n, ok := ParseReference(reference)
		if id, err := DecodeRef(ref); !ok || err != nil || tenant != c.tenant || id != c.id || n != c.n {
			t.Errorf("ParseReference(%q) = %q, %q, %d, %v", reference, tenant, ref, n, ok)
		}
	}
	for _, reference := range []string{"", "PR-1", "acme.", "acme.-1", "acme.PR", "acme.PR-0", "acme.PR-x", "a b.PR-1", ".PR-1", "acme.P.R-1"} {
		if _, _, _, ok := ParseReference(reference); ok {
			t.Errorf("ParseReference(%q) takes it for ours", reference)
		}
	}
}

func TestTenantsAndIDsNeverShareAReference(t *testing.T) {
	seen := map[string]string{}
	for _, tenant := range []string{"a", "a-1", "b"} {
		for _, id := range []string{"1", "1-1", "1-11", "a-1", "a"} {
			for _, n := range []int{1, 11, 111} {
				reference, who := Reference(tenant, EncodeRef(id), n), tenant+" "+id
				if other, taken := seen[reference]; taken {
					t.Errorf("%q belongs to %q and to %q", reference, other, who)
				}
				seen[reference] = who
			}
		}
	}
}
