package schemas

import (
	"bytes"
	"errors"
	"io"
	"strconv"
	"strings"
	"sync"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"
)

// MaxBody is the longest message that is read, in bytes.
const MaxBody = 1 << 20

const byteOrderMark = "\xef\xbb\xbf"

// reader goes over one body once. The texts it gives out are parts of one copy of the body.
type reader struct {
	in   *jsontext.Decoder
	from bytes.Buffer
	body string
}

var readers = sync.Pool{New: func() any { return &reader{in: new(jsontext.Decoder)} }}

// decode reads a body that is exactly one object of the table.
func decode[T any](body []byte, t table[T], into *T) fault {
	invalid := checkBody(body)
	if invalid == nil {
		r := readers.Get().(*reader)
		r.start(body)
		if invalid = t.read(r, into); invalid == nil {
			invalid = r.end()
		}
		r.start(nil)
		readers.Put(r)
	}
	if invalid != nil && (invalid.Field == "" || invalid.Field[0] == '[') {
		invalid = at("body", invalid)
	}
	return invalid
}

func checkBody(body []byte) fault {
	switch {
	case len(body) > MaxBody:
		return broken("must be at most " + strconv.Itoa(MaxBody) + " bytes")
	case bytes.HasPrefix(body, []byte(byteOrderMark)):
		return broken("must not start with a byte order mark")
	}
	return nil
}

// start also lets go of the last body. Names that appear twice are found by the tables, which can say where.
func (r *reader) start(body []byte) {
	r.body = string(body)
	r.from = *bytes.NewBuffer(body)
	r.in.Reset(&r.from, jsontext.AllowDuplicateNames(true))
}

func (r *reader) end() fault {
	if _, err := r.in.ReadToken(); !errors.Is(err, io.EOF) {
		return broken("must end after its one JSON object")
	}
	return nil
}

func (r *reader) open(kind jsontext.Kind, rule string) fault {
	if found := r.in.PeekKind(); found != kind && found != jsontext.KindInvalid {
		return broken(rule)
	}
	return r.bracket()
}

// bracket takes the bracket that comes next.
func (r *reader) bracket() fault {
	if _, err := r.in.ReadToken(); err != nil {
		return r.broken(err)
	}
	return nil
}

// text takes a JSON string. An unpaired surrogate, escaped or not, is not a string.
func (r *reader) text() (string, fault) {
	raw, err := r.in.ReadValue()
	switch {
	case err != nil:
		return "", r.broken(err)
	case raw.Kind() != '"':
		return "", broken("must be text")
	case bytes.IndexByte(raw, '\\') >= 0:
		return unquote(raw), nil
	}
	end := int(r.in.InputOffset()) - 1
	return r.body[end+2-len(raw) : end], nil
}

// digits takes a JSON number that is written in plain digits, else it returns "".
func (r *reader) digits() (string, fault) {
	raw, err := r.in.ReadValue()
	if err != nil {
		return "", r.broken(err)
	}
	if raw.Kind() != '0' || len(raw) > 18 || strings.Trim(string(raw), "0123456789") != "" {
		return "", nil
	}
	return string(raw), nil
}

// broken says what is wrong with the JSON itself. The library's own words may quote the body and stay out.
func (r *reader) broken(err error) fault {
	if !utf8.ValidString(r.body) {
		return broken("is not valid UTF-8")
	}
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return broken("ends before the JSON object is complete")
	}
	if syntax, ok := errors.AsType[*jsontext.SyntacticError](err); ok {
		return broken("is not well-formed JSON at byte " + strconv.FormatInt(syntax.ByteOffset, 10))
	}
	return broken("cannot be read")
}
