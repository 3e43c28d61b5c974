package channel

import (
	"bytes"
	"math"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"
)

// Most frames are asks and replies as appendAsk and appendReply write them. Their envelopes are read here by their places, in a tenth of the
// time that any JSON takes; see read.go for their bodies.

// decodeQuick reads a message into f, or says false for one that is written in any other way, right or wrong. The body is only looked
// through for its end, and is as right or wrong as it was for whoever reads it.
func (f *frame) decodeQuick(message []byte) bool {
	p := scan{rest: message}
	*f = frame{Version: version, Body: f.Body[:0]}
	switch {
	case p.word(`{"v":1,"type":"ask","id":"`):
		f.Type, f.ID = typeAsk, p.number()
		p.must(`","op":"`)
		f.Op = p.text()
		p.must(`,"deadline_ms":`)
		f.Deadline = int64(p.number())
		if p.word(`,"trace":"`) {
			f.Trace = p.text()
		}
	case p.word(`{"v":1,"type":"reply","id":"`):
		f.Type, f.ID = typeReply, p.number()
		p.must(`"`)
	default:
		p.lost = true
	}
	p.must(`,"body":`)
	f.Body = append(f.Body, p.object()...)
	return !p.lost && len(f.Body) > 0
}

// scan is how far a message was read. It is lost once something else is there than was expected.
type scan struct {
	rest []byte
	lost bool

	whole string // what is read, where its texts are to be parts of one; else each is a copy
	fresh bool   // nothing was read yet of the object at hand
}

func (p *scan) word(text string) bool {
	rest, found := bytes.CutPrefix(p.rest, []byte(text))
	if found {
		p.rest = rest
	}
	return found
}

func (p *scan) must(text string) { p.lost = !p.word(text) || p.lost }

// number reads one above 0 that has no sign, no zero before it, and fits.
func (p *scan) number() uint64 {
	var n uint64
	i := 0
	for ; i < len(p.rest) && p.rest[i]-'0' <= 9 && n <= (math.MaxInt64-9)/10; i++ {
		n = n*10 + uint64(p.rest[i]-'0')
	}
	p.lost = p.lost || i == 0 || p.rest[0] == '0'
	p.rest = p.rest[i:]
	return n
}

// text reads up to a quote, and that too, where nothing is escaped.
func (p *scan) text() string {
	n := bytes.IndexByte(p.rest, '"')
	if n < 0 || !verbatim(p.rest[:n]) {
		p.lost = true
		return ""
	}
	at, text := len(p.whole)-len(p.rest), p.rest[:n]
	p.rest = p.rest[n+1:]
	if p.whole == "" {
		return string(text)
	}
	return p.whole[at : at+n]
}

// verbatim says whether a text stands for itself in JSON.
func verbatim(text []byte) bool {
	for _, c := range text {
		if c < ' ' || c == '\\' {
			return false
		}
	}
	return utf8.Valid(text)
}

// object is what is left but for the last brace, if that is one object as far as braces and strings tell.
func (p *scan) object() jsontext.Value {
	depth, quoted := 0, false
	for i := 0; i < len(p.rest) && !p.lost; i++ {
		switch c := p.rest[i]; {
		case c == '"':
			quoted = !quoted
		case c == '\\':
			i++
		case quoted:
		case c == '{':
			depth++
		case c == '}':
			depth--
		}
		if depth == 0 {
			p.lost = p.rest[0] != '{' || string(p.rest[i+1:]) != "}"
			return jsontext.Value(p.rest[:i+1])
		}
	}
	p.lost = true
	return nil
}
