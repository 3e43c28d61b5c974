package worker

import (
	"errors"
	"testing"
	"testing/quick"
)

func TestParseYuan(t *testing.T) {
	for text, want := range map[string]Fen{
		"19.99": 1999, "19.990": 1999, "19.9900": 1999, "20": 2000, "0.5": 50, "0": 0, "0.01": 1, "007.10": 710, "9223372036854": 922337203685400,
	} {
		got, err := ParseYuan(text)
		if wantErr := text == "9223372036854"; wantErr {
			if !errors.Is(err, ErrMoney) {
				t.Errorf("ParseYuan(%q) = %v, want it refused: sums of such amounts overflow", text, got)
			}
		} else if err != nil || got != want {
			t.Errorf("ParseYuan(%q) = %v, %v, want %v", text, got, err, want)
		}
	}
	for _, text := range []string{"", "-1", "+1", "1,999.00", "NaN", "1e3", "0.001", "19.999", ".5", "5.", "1.2.3", " 1", "1 ", "１", "0x10", "99999999999999999999", "1.-1", "1.a0"} {
		if got, err := ParseYuan(text); !errors.Is(err, ErrMoney) {
			t.Errorf("ParseYuan(%q) = %v, %v, want ErrMoney", text, got, err)
		}
	}
}

func TestYuanGoesThereAndBack(t *testing.T) {
	back := func(n uint32) bool {
		got, err := ParseYuan(Fen(n).Yuan())
		return err == nil && got == Fen(n)
	}
	if err := quick.Check(back, nil); err != nil {
		t.Error(err)
	}
	if got := Fen(-5).Yuan(); got != "-0.05" {
		t.Errorf("Fen(-5).Yuan() = %q", got)
	}
}
