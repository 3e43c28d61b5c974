package schemas

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"autopurchase/worker"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/santhosh-tekuri/jsonschema/v6"
)

// decoders is the Go side of every schema that has example files.
var decoders = map[string]func([]byte) error{
	"request":       func(body []byte) error { _, err := DecodeRequest(body); return err },
	"result":        func(body []byte) error { _, err := DecodeResult(body); return err },
	"status":        func(body []byte) error { _, err := DecodeStatus(body); return err },
	"keypool-event": func(body []byte) error { _, err := DecodePoolEvent(body); return err },
	"dead-letter":   func(body []byte) error { _, err := DecodeDeadLetter(body); return err },
	"channel-frame": decodeFrame,
}

// Both sides take every valid file and refuse every invalid one, and the decoder names the field.
func TestSchemaAndDecoderAgreeOnEveryFile(t *testing.T) {
	for name, decode := range decoders {
		t.Run(name, func(t *testing.T) {
			schema := compile(t, name)
			for file, body := range examples(t, "valid", name) {
				if err := validate(schema, body); err != nil {
					t.Errorf("%s: the schema refuses it: %v", file, err)
				}
				if err := decode(body); err != nil {
					t.Errorf("%s: the decoder refuses it: %v", file, err)
				}
			}
			fields := fieldsOf(t, name)
			for file, body := range examples(t, "invalid", name) {
				if validate(schema, body) == nil {
					t.Errorf("%s: the schema takes it", file)
				}
				checkRefusal(t, file, decode(body), fields)
				delete(fields, file)
			}
			for file := range fields {
				t.Errorf("%s is listed and does not exist", file)
			}
		})
	}
}

func checkRefusal(t *testing.T, file string, err error, fields map[string]string) {
	t.Helper()
	if err == nil {
		t.Errorf("%s: the decoder takes it", file)
		return
	}
	invalid, ok := errors.AsType[*worker.Invalid](err)
	if !ok && fields != nil {
		t.Errorf("%s: %T is not a *worker.Invalid", file, err)
		return
	}
	if fields != nil && (invalid.Field != fields[file] || invalid.Reason == "") {
		t.Errorf("%s: got %q, want the field %q", file, err, fields[file])
	}
}

// The rules that a publisher meets first are told in these words.
func TestReasons(t *testing.T) {
	files := examples(t, "invalid", "request")
	for file, want := range map[string]string{
		"case-variant-twice":       "lines[0].quantity: must be written exactly so, in lower case",
		"duplicate-key":            "lines[0].quantity: appears more than once",
		"null-quantity":            "lines[0].quantity: must not be null",
		"quantity-exponent":        "lines[0].quantity: must be a whole number from 1 to 1000000000, in digits",
		"offer-id-number":          "lines[0].offer_id: must be text",
		"money-three-decimals":     "lines[0].unit_price: " + worker.ErrMoney.Error(),
		"missing-quantity":         "lines[0].quantity: is required",
		"unknown-line-field":       "lines[0].colour: is not a field of this message",
		"unknown-like-data":        "deliver_to: has a field that this message does not know",
		"gbk":                      "deliver_to.full_name: is not valid UTF-8",
		"byte-order-mark":          "body: must not start with a byte order mark",
		"trailing-object":          "body: must end after its one JSON object",
		"not-json":                 "body: is not well-formed JSON at byte 2",
		"empty":                    "body: ends before the JSON object is complete",
		"lines-1001":               "lines: has 1001 items, at most 1000 are accepted",
		"pay-unknown":              "pay: must be one of the known values: auto, none",
		"address-201-characters":   "deliver_to.address: must be at most 200 characters",
		"note-zero-width-space":    "note: must not hold control or invisible characters",
		"missing-mobile-and-phone": "deliver_to.mobile: or phone is required without an address_id",
		"mobile-plus":              "deliver_to.mobile: must be a number within China, without a country code: 1688 takes digits alone, and no + or 00 in front",
		"phone-double-zero":        "deliver_to.phone: must be a number within China, without a country code: 1688 takes digits alone, and no + or 00 in front",
		"mobile-hyphen":            "deliver_to.mobile: must be digits alone",
		"missing-city":             "deliver_to.city: is required without an address_id or a district_code",
	} {
		_, err := DecodeRequest(files[file])
		if err == nil || err.Error() != want {
			t.Errorf("%s: got %v, want %s", file, err, want)
		}
	}
}

// validate is the schema side: what a careful consumer with a library does. A validator sees values and not bytes, so the
// body is first read strictly, as jsontext does by default: it refuses names that appear twice, bytes that are not UTF-8 and
// data behind the value. No number of the contract may be spelled other than in digits, but for rates that are measured, and no message is over 1 MiB.
func validate(schema *jsonschema.Schema, body []byte) error {
	if len(body) > MaxBody {
		return errors.New("too long")
	}
	if err := readStrictly(body, strings.Contains(schema.Location, "queue-status")); err != nil {
		return err
	}
	value, err := jsonschema.UnmarshalJSON(bytes.NewReader(body))
	if err != nil {
		return err
	}
	return schema.Validate(value)
}

func readStrictly(body []byte, measured bool) error {
	in := jsontext.NewDecoder(bytes.NewBuffer(body))
	for {
		token, err := in.ReadToken()
		if err != nil {
			return err
		}
		if token.Kind() == '0' && !measured && strings.ContainsAny(token.String(), ".eE-") {
			return errors.New("number is not in digits")
		}
		if in.StackDepth() == 0 {
			break
		}
	}
	if _, err := in.ReadToken(); !errors.Is(err, io.EOF) {
		return errors.New("data behind the value")
	}
	return nil
}

func compile(t testing.TB, name string) *jsonschema.Schema {
	t.Helper()
	compiler := jsonschema.NewCompiler()
	compiler.AssertFormat()
	for _, each := range Names() {
		text, err := Schema(each)
		if err != nil {
			t.Fatal(err)
		}
		value, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
		if err != nil {
			t.Fatalf("%s: %v", each, err)
		}
		if err := compiler.AddResource(Base+each+suffix, value); err != nil {
			t.Fatal(err)
		}
	}
	schema, err := compiler.Compile(Base + name + suffix)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return schema
}

// examples reads testdata/<kind>/<name>: file name without extension → body.
func examples(t testing.TB, kind, name string) map[string][]byte {
	t.Helper()
	files, err := filepath.Glob(filepath.Join("testdata", kind, name, "*.json"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no %s files for %s: %v", kind, name, err)
	}
	bodies := map[string][]byte{}
	for _, file := range files {
		body, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		bodies[strings.TrimSuffix(filepath.Base(file), ".json")] = body
	}
	return bodies
}

// fieldsOf reads testdata/invalid/<name>.fields: the field that the decoder must name for each invalid file. It is nil for
// the channel's frames, whose decoder names none.
func fieldsOf(t *testing.T, name string) map[string]string {
	t.Helper()
	if name == "channel-frame" {
		return nil
	}
	text, err := os.ReadFile(filepath.Join("testdata", "invalid", name+".fields"))
	if err != nil {
		t.Fatal(err)
	}
	fields := map[string]string{}
	for line := range strings.Lines(string(text)) {
		var file, field string
		if _, err := fmt.Sscan(line, &file, &field); err != nil {
			t.Fatalf("%s: %q: %v", name, line, err)
		}
		fields[file] = field
	}
	return fields
}

// Messages without a decoder here are held against their schema alone.
func TestSchemasOfServices(t *testing.T) {
	for _, name := range Names() {
		if decoders[name] != nil {
			continue
		}
		schema := compile(t, name)
		for file, body := range examples(t, "valid", name) {
			if err := validate(schema, body); err != nil {
				t.Errorf("%s/%s: %v", name, file, err)
			}
		}
		for file, body := range examples(t, "invalid", name) {
			if validate(schema, body) == nil {
				t.Errorf("%s/%s is taken", name, file)
			}
		}
	}
}
