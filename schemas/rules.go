package schemas

import (
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"autopurchase/worker"
)

// maxSafe is the largest whole number that every JSON reader keeps exactly, those that hold numbers as floats too.
const maxSafe = 1<<53 - 1

// free takes any text.
func (r *reader) free(into *string) (invalid fault) {
	*into, invalid = r.text()
	return invalid
}

// short takes any text of at most so many characters.
func (r *reader) short(into *string, most int) fault {
	if invalid := r.free(into); invalid != nil {
		return invalid
	}
	if len(*into) > most && utf8.RuneCountInString(*into) > most {
		return broken("must be at most " + strconv.Itoa(most) + " characters")
	}
	return nil
}

// truth takes true or false.
func (r *reader) truth(into *bool) fault {
	raw, err := r.in.ReadValue()
	if err != nil {
		return r.broken(err)
	}
	if raw.Kind() != 't' && raw.Kind() != 'f' {
		return broken("must be true or false")
	}
	*into = raw.Kind() == 't'
	return nil
}

// visible takes text of at most so many characters (Unicode code points) without control and invisible characters.
func (r *reader) visible(into *string, most int) fault {
	text, invalid := r.text()
	if invalid != nil {
		return invalid
	}
	n, ok := countVisible(text)
	if !ok {
		return broken("must not hold control or invisible characters")
	}
	if n > most {
		return broken("must be at most " + strconv.Itoa(most) + " characters")
	}
	*into = text
	return nil
}

// filled takes visible text that is not blank.
func (r *reader) filled(into *string, most int) fault {
	if invalid := r.visible(into, most); invalid != nil {
		return invalid
	}
	if isBlank(*into) {
		return broken("must not be blank")
	}
	return nil
}

// matching takes text for which check has no objection.
func (r *reader) matching(into *string, check func(string) error) fault {
	text, invalid := r.text()
	if invalid != nil {
		return invalid
	}
	if err := check(text); err != nil {
		return broken(err.Error())
	}
	*into = text
	return nil
}

// oneOf takes one of a few words.
func oneOf[S ~string](r *reader, into *S, words []S) fault {
	text, invalid := r.text()
	if invalid != nil {
		return invalid
	}
	if !slices.Contains(words, S(text)) {
		return broken("must be one of the known values: " + listed(words))
	}
	*into = S(text)
	return nil
}

func listed[S ~string](words []S) string {
	all := make([]string, len(words))
	for i, word := range words {
		all[i] = string(word)
	}
	slices.Sort(all)
	return strings.Join(all, ", ")
}

// whole takes a whole number written in plain digits: no sign, fraction or exponent.
func whole[N int | int64 | uint64](r *reader, into *N, least, most int64) fault {
	digits, invalid := r.digits()
	if invalid != nil {
		return invalid
	}
	n, err := strconv.ParseInt(digits, 10, 64)
	if err != nil || n < least || n > most {
		return broken("must be a whole number from " + strconv.FormatInt(least, 10) + " to " + strconv.FormatInt(most, 10) +
			", in digits")
	}
	*into = N(n)
	return nil
}

// yuan takes money above 0 as decimal text.
func (r *reader) yuan(into *worker.Fen) fault {
	text, invalid := r.text()
	if invalid != nil {
		return invalid
	}
	fen, err := worker.ParseYuan(text)
	if err != nil || len(text) > maxYuanText {
		return broken(worker.ErrMoney.Error())
	}
	if whole, _, _ := strings.Cut(text, "."); fen == 0 || len(whole) > maxYuanDigits {
		return broken("must be above 0 and below 10000000000 yuan")
	}
	*into = fen
	return nil
}

const (
	maxYuan       = worker.Fen(999_999_999_999)
	maxYuanText   = 32 // zeros behind the decimals are read over, but not without end
	maxYuanDigits = 10 // in front of the point
	maxMomentText = len("2006-01-02T15:04:05.000000000+08:00")
)

// moment takes a time as RFC 3339 with an offset and keeps its milliseconds.
func (r *reader) moment(into *time.Time) fault {
	text, invalid := r.text()
	if invalid != nil {
		return invalid
	}
	t, ok := parseMoment(text)
	if !ok {
		return broken("must be a time as RFC 3339 with an offset, such as \"2026-03-01T09:30:00+08:00\"")
	}
	*into = t.Truncate(time.Millisecond)
	return nil
}

// parseMoment is strict where time.Parse also takes an hour of one digit, a comma and an offset of a day or more.
func parseMoment(text string) (time.Time, bool) {
	t, err := time.Parse(time.RFC3339, text)
	if err != nil || len(text) > maxMomentText || text[13] != ':' || text[19] == ',' {
		return time.Time{}, false
	}
	offset := text[len(text)-5:]
	return t, text[len(text)-1] == 'Z' || offset[:2] < "24" && offset[3:] < "60"
}

// countVisible counts the characters of a text; ok is false if one of them is a control or invisible character.
func countVisible(text string) (n int, ok bool) {
	for i := 0; i < len(text); n++ {
		if c := text[i]; c < utf8.RuneSelf {
			if c < ' ' || c == 0x7f {
				return n, false
			}
			i++
			continue
		}
		c, size := utf8.DecodeRuneInString(text[i:])
		if isInvisible(c) {
			return n, false
		}
		i += size
	}
	return n, true
}

// isInvisible covers C1, soft hyphen, zero width characters, marks that turn the direction of writing, line and paragraph
// separators, the byte order mark and interlinear marks: what a person who reads the text would not see.
func isInvisible(c rune) bool {
	switch {
	case c <= 0x9f, c == 0xad, c == 0x61c, c == 0x180e, c == 0xfeff:
		return true
	case c >= 0x200b && c <= 0x200f, c >= 0x2028 && c <= 0x202e, c >= 0x2060 && c <= 0x206f, c >= 0xfff9 && c <= 0xfffb:
		return true
	}
	return false
}

// isBlank says whether a text holds nothing but spaces, the ideographic one among them.
func isBlank(text string) bool { return strings.Trim(text, " \u00a0\u3000") == "" }
