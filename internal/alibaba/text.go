package alibaba

import (
	"bytes"
	"encoding/json"
	"errors"
	"math/big"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/encoding/simplifiedchinese"

	"autopurchase/worker"
)

// text reads what the platform sends now as a string, now as a number or a boolean, and keeps its exact characters: a
// number never passes through a float. An object or an array keeps its JSON; null is "".
type text string

// UnmarshalJSON takes any JSON value.
func (t *text) UnmarshalJSON(raw []byte) error {
	if raw[0] == '"' {
		if bytes.IndexByte(raw, '\\') < 0 && utf8.Valid(raw) { // nearly always
			*t = text(raw[1 : len(raw)-1])
			return nil
		}
		var s string
		err := json.Unmarshal(raw, &s)
		*t = text(s)
		return err
	}
	if string(raw) != "null" {
		*t = text(raw)
	}
	return nil
}

// yes says whether the text stands for true; no, whether it stands for false. A missing value is neither.
func (t text) yes() bool { return strings.EqualFold(string(t), "true") }
func (t text) no() bool  { return strings.EqualFold(string(t), "false") }

// fen reads an amount given in fen; 0 when it is missing or not a whole number. A machine may write one with decimals that are 0,
// or in scientific notation; with others nothing says in what it is meant.
func (t text) fen() worker.Fen {
	n, _ := t.wholeFen()
	return n
}

// whole says whether it is a whole number, as an amount in fen must be.
func (t text) whole() bool {
	_, whole := t.wholeFen()
	return whole
}

func (t text) wholeFen() (worker.Fen, bool) {
	if n, err := strconv.ParseInt(string(t), 10, 64); err == nil { // nearly always
		return worker.Fen(max(n, 0)), n >= 0
	}
	amount, ok := t.amount()
	if !ok || !amount.IsInt() || !amount.Num().IsInt64() || amount.Num().Int64() > maxFen {
		return 0, false
	}
	return worker.Fen(amount.Num().Int64()), true
}

// amount reads a number that is not below 0, of any number of decimals or in scientific notation.
func (t text) amount() (*big.Rat, bool) {
	mantissa, exponent, scientific := strings.Cut(strings.ToUpper(string(t)), "E")
	if n, err := strconv.Atoi(exponent); scientific && (err != nil || n < -15 || n > 15) || len(mantissa) > 32 || mantissa == "" ||
		strings.Trim(mantissa, "0123456789.") != "" {
		return nil, false
	}
	return new(big.Rat).SetString(string(t))
}

// yuanUp reads an amount given in yuan, of more than two decimals or in scientific notation too, as a machine may write it, and
// rounds it up to the fen; 0 when it is missing or not an amount.
func (t text) yuanUp() worker.Fen {
	amount, ok := t.amount()
	if !ok {
		return 0
	}
	amount.Mul(amount, big.NewRat(100, 1))
	fen, rest := new(big.Int).DivMod(amount.Num(), amount.Denom(), new(big.Int))
	if rest.Sign() > 0 {
		fen.Add(fen, big.NewInt(1))
	}
	if !fen.IsInt64() || fen.Int64() > maxFen {
		return 0
	}
	return worker.Fen(fen.Int64())
}

const maxFen = 1 << 43 // above any price, and small enough to be multiplied by a percentage

// yuan reads an amount given in yuan; 0 when it is missing or not an amount.
func (t text) yuan() worker.Fen {
	amount, err := worker.ParseYuan(string(t))
	if err != nil {
		return 0
	}
	return amount
}

var errOrderID = errors.New("an order id is not a whole number")

// orderID reads an order id exactly. "" and zero stand for no order.
func (t text) orderID() (string, error) {
	id := strings.TrimSpace(string(t))
	if strings.Trim(id, "0") == "" {
		return "", nil
	}
	if len(id) > 32 || strings.Trim(id, "0123456789") != "" {
		return "", errOrderID
	}
	return id, nil
}

// firstText gives the first that is not empty.
func firstText(texts ...text) string {
	for _, t := range texts {
		if t != "" {
			return string(t)
		}
	}
	return ""
}

// empty says whether a JSON value holds nothing, in any of the ways the platform writes that.
func empty(raw []byte) bool {
	switch string(raw) {
	case "null", `""`, "{}", "[]", "false":
		return true
	}
	return false
}

const maxWords = 300 // bytes of the platform's words that a reason repeats

// readable gives a body as UTF-8. Some error pages are written in GB18030, although the platform's calls are UTF-8
// throughout.
func readable(body []byte) []byte {
	if utf8.Valid(body) {
		return body
	}
	decoded, err := simplifiedchinese.GB18030.NewDecoder().Bytes(body)
	if err != nil {
		return []byte(strings.ToValidUTF8(string(body), "\uFFFD"))
	}
	return decoded
}

// words makes a short single line of something the platform wrote, without the values in private.
func words(said string, private []string) string {
	for _, value := range private {
		if len(value) > 2 {
			said = strings.ReplaceAll(said, value, "***")
		}
	}
	said = strings.Join(strings.FieldsFunc(said, func(r rune) bool { return unicode.IsSpace(r) || unicode.IsControl(r) }), " ")
	if len(said) > maxWords {
		said = strings.ToValidUTF8(said[:maxWords], "") + "…"
	}
	return said
}
