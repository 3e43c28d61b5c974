package worker

import (
	"errors"
	"math"
	"strconv"
	"strings"
)

// Fen is an amount of Chinese money in fen, a hundredth of a yuan. Money is never a float here: int(19.99*100) is 1998.
type Fen int64

// ErrMoney is returned by ParseYuan when a text is not an amount of yuan.
var ErrMoney = errors.New("must be yuan as decimal text with at most 2 decimals, such as \"19.99\"")

// ParseYuan reads an amount of yuan written as plain decimal text ("19.99", "20", "0.5").
// Zeros after the second decimal change nothing and are read over. Signs, exponents, blanks and thousands separators are
// refused with ErrMoney, and so is an amount that does not fit.
func ParseYuan(text string) (Fen, error) {
	whole, cents, hasPoint := strings.Cut(text, ".")
	if hasPoint {
		cents = trimZeros(cents)
	}
	if !digits(whole) || (hasPoint && text[len(text)-1] == '.') || len(cents) > 2 || (cents != "" && !digits(cents)) {
		return 0, ErrMoney
	}
	value, err := strconv.ParseInt(whole+(cents + "00")[:2], 10, 64)
	if err != nil || value > math.MaxInt64/1_000_000 {
		return 0, ErrMoney
	}
	return Fen(value), nil
}

// Yuan writes the amount as yuan with two decimals, the way the wire carries money.
func (f Fen) Yuan() string {
	sign := ""
	if f < 0 {
		sign, f = "-", -f
	}
	cents := strconv.FormatInt(int64(f%100)+100, 10)[1:]
	return sign + strconv.FormatInt(int64(f/100), 10) + "." + cents
}

// trimZeros drops zeros behind the second decimal: "990" and "99" are the same cents.
func trimZeros(cents string) string {
	for len(cents) > 2 && cents[len(cents)-1] == '0' {
		cents = cents[:len(cents)-1]
	}
	return cents
}

func digits(text string) bool {
	for _, c := range []byte(text) {
		if c < '0' || c > '9' {
			return false
		}
	}
	return text != ""
}
