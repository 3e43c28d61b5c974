package schemas

import (
	"errors"
	"testing"

	"autopurchase/worker"
)

// Whatever comes: no panic, schema and decoder agree, refusals name a field, and what was read is read again as written.
func FuzzDecodeRequest(f *testing.F) {
	for _, kind := range []string{"valid", "invalid"} {
		for _, body := range examples(f, kind, "request") {
			f.Add(body)
		}
	}
	schema := compile(f, "request")
	f.Fuzz(func(t *testing.T, body []byte) {
		request, err := DecodeRequest(body)
		if bySchema := validate(schema, body); (bySchema == nil) != (err == nil) {
			t.Fatalf("schema says %v, decoder says %v", bySchema, err)
		}
		if err != nil {
			if invalid, ok := errors.AsType[*worker.Invalid](err); !ok || invalid.Field == "" || invalid.Reason == "" {
				t.Fatalf("refused with %#v", err)
			}
			return
		}
		again, err := DecodeRequest(AppendRequest(nil, *request))
		if err != nil || !sameRequest(*again, *request) {
			t.Fatalf("read %+v, then %+v: %v", *request, again, err)
		}
	})
}

func FuzzDecodeResult(f *testing.F) {
	for _, kind := range []string{"valid", "invalid"} {
		for _, body := range examples(f, kind, "result") {
			f.Add(body)
		}
	}
	schema := compile(f, "result")
	f.Fuzz(func(t *testing.T, body []byte) {
		result, err := DecodeResult(body)
		if bySchema := validate(schema, body); (bySchema == nil) != (err == nil) {
			t.Fatalf("schema says %v, decoder says %v", bySchema, err)
		}
		if err != nil {
			return
		}
		if _, err := DecodeResult(AppendResult(nil, result)); err != nil {
			t.Fatalf("what it wrote is refused: %v", err)
		}
	})
}
