package schemas

import (
	"strconv"
	"strings"

	"autopurchase/worker"

	"github.com/go-json-experiment/json/jsontext"
)

// table describes a JSON object: one row per field, in the order in which writers put them. It has at most 32 rows.
type table[T any] []field[T]

// field is one row. Its rule reads the value that comes next and puts it into the struct that the object stands for.
type field[T any] struct {
	name string
	need need
	rule func(r *reader, into *T) fault
}

type need bool

const (
	required need = true
	optional need = false
)

// set is which rows of a table an object filled, as bits.
type set uint32

func (s set) has(i int) bool { return s&(1<<i) != 0 }

// read takes the object that comes next. No field may be unknown, appear twice, be null, or be missing when it is required.
func (t table[T]) read(r *reader, into *T) fault {
	_, invalid := t.readSet(r, into)
	return invalid
}

func (t table[T]) readSet(r *reader, into *T) (set, fault) {
	if invalid := r.open('{', "must be an object"); invalid != nil {
		return 0, invalid
	}
	var seen set
	next := 0
	for r.in.PeekKind() != '}' {
		name, err := r.in.ReadValue()
		if err != nil {
			return 0, r.broken(err)
		}
		i := t.find(name, next)
		if i < 0 {
			return 0, t.unknown(name)
		}
		if invalid := t.fill(r, into, i, seen); invalid != nil {
			return 0, at(t[i].name, invalid)
		}
		seen |= 1 << i
		next = i + 1
	}
	if invalid := r.bracket(); invalid != nil {
		return 0, invalid
	}
	return seen, t.missing(seen)
}

func (t table[T]) fill(r *reader, into *T, i int, seen set) fault {
	if seen.has(i) {
		return broken("appears more than once")
	}
	if r.in.PeekKind() == 'n' {
		return r.null()
	}
	return t[i].rule(r, into)
}

func (r *reader) null() fault {
	if _, err := r.in.ReadValue(); err != nil {
		return r.broken(err)
	}
	return broken("must not be null")
}

// find looks a quoted name up and returns its row, or -1. It starts behind the last field found: writers keep one order.
func (t table[T]) find(quoted []byte, next int) int {
	name := quoted[1 : len(quoted)-1]
	for n := range t {
		i := next + n
		if i >= len(t) {
			i -= len(t)
		}
		if string(name) == t[i].name {
			return i
		}
	}
	if strings.IndexByte(string(name), '\\') < 0 {
		return -1
	}
	plain := unquote(quoted)
	for i := range t {
		if plain == t[i].name {
			return i
		}
	}
	return -1
}

// unknown names the field as far as it is one of ours in other case, or looks like a field name at all; a name that could
// be data is not repeated.
func (t table[T]) unknown(quoted []byte) fault {
	name := unquote(quoted)
	for i := range t {
		if strings.EqualFold(name, t[i].name) {
			return at(t[i].name, broken("must be written exactly so, in lower case"))
		}
	}
	if looksLikeName(name) {
		return at(name, broken("is not a field of this message"))
	}
	return broken("has a field that this message does not know")
}

func (t table[T]) missing(seen set) fault {
	for i := range t {
		if t[i].need == required && !seen.has(i) {
			return at(t[i].name, broken("is required"))
		}
	}
	return nil
}

// readList takes the array that comes next, item by item.
func readList[T any](r *reader, into *[]T, most int, item func(*reader, *T) fault) fault {
	if invalid := r.open('[', "must be a list"); invalid != nil {
		return invalid
	}
	list := *into
	for r.in.PeekKind() != ']' {
		if len(list) == most {
			return r.tooMany(most)
		}
		var one T
		list = append(list, one)
		if invalid := item(r, &list[len(list)-1]); invalid != nil {
			return at("["+strconv.Itoa(len(list)-1)+"]", invalid)
		}
	}
	*into = list
	return r.bracket()
}

// tooMany counts the items that are left, so that the publisher is told by how much the list is too long.
func (r *reader) tooMany(most int) fault {
	n := most
	for ; r.in.PeekKind() != ']'; n++ {
		if err := r.in.SkipValue(); err != nil {
			return r.broken(err)
		}
	}
	return broken("has " + strconv.Itoa(n) + " items, at most " + strconv.Itoa(most) + " are accepted")
}

func unquote(quoted []byte) string {
	plain, _ := jsontext.AppendUnquote(nil, quoted) // the reader has checked it
	return string(plain)
}

func looksLikeName(name string) bool {
	for _, c := range []byte(name) {
		if (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && c != '_' {
			return false
		}
	}
	return name != "" && len(name) <= 32
}

// fault is the rule that a message breaks and the field's path, as far as it is known at its level; nil means that all holds.
type fault = *worker.Invalid

// broken is a rule that does not hold; the levels above put the field's path in front.
func broken(rule string) fault { return &worker.Invalid{Reason: rule} }

func at(name string, invalid fault) fault {
	if invalid.Field != "" && invalid.Field[0] != '[' {
		name += "."
	}
	invalid.Field = name + invalid.Field
	return invalid
}
