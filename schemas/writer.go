package schemas

import (
	"strconv"
	"strings"
	"time"

	"autopurchase/worker"

	"github.com/go-json-experiment/json/jsontext"
)

// writer appends JSON. Every value ends in a comma, which the bracket behind it overwrites.
type writer []byte

func (w writer) open(bracket byte) writer { return append(w, bracket) }

func (w writer) close(bracket byte) writer {
	if last := len(w) - 1; w[last] == ',' {
		w[last] = bracket
	} else {
		w = append(w, bracket)
	}
	return append(w, ',')
}

// bytes ends the message.
func (w writer) bytes() []byte { return w[:len(w)-1] }

func (w writer) name(name string) writer {
	return append(append(append(w, '"'), name...), '"', ':')
}

// text writes a field, also when it is empty.
func (w writer) text(name, value string) writer {
	quoted, _ := jsontext.AppendQuote(w.name(name), value) // bytes that are not UTF-8 become U+FFFD
	return append(quoted, ',')
}

// some writes a field unless it is empty.
func (w writer) some(name, value string) writer {
	if value == "" {
		return w
	}
	return w.text(name, value)
}

// words writes text that comes from outside and is for people, unless it is empty: made visible and cut.
func (w writer) words(name, value string, most int) writer { return w.some(name, legible(value, most)) }

// truth writes what is true; what is not is left out.
func (w writer) truth(name string, value bool) writer {
	if !value {
		return w
	}
	return append(append(w.name(name), "true"...), ',')
}

func (w writer) number(name string, value int64) writer {
	return append(strconv.AppendInt(w.name(name), value, 10), ',')
}

// yuan writes money unless it is 0, which means not said, or beyond what is read again.
func (w writer) yuan(name string, value worker.Fen) writer {
	if value <= 0 || value > maxYuan {
		return w
	}
	return w.text(name, value.Yuan())
}

func (w writer) numbers(name string, values []int) writer {
	w = w.name(name).open('[')
	for _, value := range values {
		w = append(strconv.AppendInt(w, int64(value), 10), ',')
	}
	return w.close(']')
}

// texts writes a list of texts unless it is empty.
func (w writer) texts(name string, values []string) writer {
	if len(values) == 0 {
		return w
	}
	w = w.name(name).open('[')
	for _, value := range values {
		w, _ = jsontext.AppendQuote(w, value) // bytes that are not UTF-8 become U+FFFD
		w = append(w, ',')
	}
	return w.close(']')
}

func (w writer) moment(name string, value time.Time) writer {
	return append(value.AppendFormat(append(w.name(name), '"'), "2006-01-02T15:04:05.000Z07:00"), '"', ',')
}

// writeList writes a list of objects.
func writeList[T any](w writer, name string, list []T, item func(writer, *T) writer) writer {
	w = w.name(name).open('[')
	for i := range list {
		w = item(w.open('{'), &list[i]).close('}')
	}
	return w.close(']')
}

// legible replaces control and invisible characters by blanks and cuts after so many characters.
func legible(text string, most int) string {
	if n, ok := countVisible(text); ok && n <= most {
		return text
	}
	text = strings.Map(func(c rune) rune {
		if c < ' ' || c == 0x7f || (c > 0x7f && isInvisible(c)) {
			return ' '
		}
		return c
	}, text)
	if runes := []rune(text); len(runes) > most {
		return string(runes[:most])
	}
	return text
}
