package schemas

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"autopurchase/worker"
)

// The id is found wherever it stands, unless it is not one.
func TestRefusalCarriesTheRequestID(t *testing.T) {
	for body, want := range map[string]string{
		`{"request_id":"PR-1"}`:                                  "PR-1",
		`{"lines":0,"request_id":"PR-1"}`:                        "PR-1",
		`{"lines":[{"quantity":{}}],"x":[],"request_id":"PR-1"}`: "PR-1",
		`{"request_id":"PR-1",{`:                                 "PR-1",
		`{"request_id":"PR-1"}{}`:                                "PR-1",
		"\xef\xbb\xbf" + `{"request_id":"PR-1"}`:                 "PR-1",
		"{\"note\":\"\xc4\xe3\",\"request_id\":\"PR-1\"}":        "PR-1",
		`{"\u0072equest_id":"PR-1"}`:                             "PR-1",
		`{"request_id":"PR-1","request_id":"PR-1"}`:              "PR-1",
		`{"request_id":"PR-1","request_id":"PR-2"}`:              "",
		`{"request_id":"PR-1","request_id":7}`:                   "",
		`{"request_id":1001}`:                                    "",
		`{"request_id":"a b"}`:                                   "",
		`{"Request_ID":"PR-1"}`:                                  "",
		`{"lines":[{"request_id":"PR-1"}]}`:                      "",
		`{not json,"request_id":"PR-1"}`:                         "",
		`[{"request_id":"PR-1"}]`:                                "",
		`null`:                                                   "", ``: "",
	} {
		_, err := DecodeRequest([]byte(body))
		invalid, ok := errors.AsType[*worker.Invalid](err)
		if !ok || invalid.RequestID != want {
			t.Errorf("%q: got %+v, want the id %q", body, invalid, want)
		}
	}
}

// A marker is put into every place of a request in turn, as a value of every kind and as a name: no refusal repeats it.
func TestRefusalsRepeatNoValue(t *testing.T) {
	const marker = "74317431743"
	refused := 0
	for _, evil := range []string{
		`"` + marker + `\u0001"`, marker, marker + ".5", `{"` + marker + `":1}`, `["` + marker + `"]`, `"` + marker + `\x"`,
		`"` + marker + "\xff\"", `"` + strings.Repeat(marker, 200) + `"`, marker + `x`, `"` + marker, `null,"` + marker + `":1`,
	} {
		for _, body := range withEachValueReplaced(t, examples(t, "valid", "request")["full"], evil) {
			_, err := DecodeRequest([]byte(body))
			if err == nil {
				t.Errorf("taken: %s", body)
				continue
			}
			refused++
			if strings.Contains(err.Error(), "7431") {
				t.Errorf("%s tells %v", body, err)
			}
		}
	}
	if refused < 200 {
		t.Errorf("only %d bodies were tried", refused)
	}
}

// withEachValueReplaced gives one body per scalar of the example, in which that one is replaced by raw text.
func withEachValueReplaced(t *testing.T, example []byte, raw string) []string {
	t.Helper()
	var value any
	if err := json.Unmarshal(example, &value); err != nil {
		t.Fatal(err)
	}
	var bodies []string
	emit := func() {
		text, err := json.Marshal(value)
		if err != nil {
			t.Fatal(err)
		}
		bodies = append(bodies, strings.Replace(string(text), `"HERE"`, raw, 1))
	}
	replaceEach(value, emit)
	return bodies
}

func replaceEach(value any, emit func()) {
	visit := func(child any, set func(any)) {
		switch child.(type) {
		case map[string]any, []any:
			replaceEach(child, emit)
		}
		set("HERE")
		emit()
		set(child)
	}
	switch v := value.(type) {
	case map[string]any:
		for name, child := range v {
			visit(child, func(x any) { v[name] = x })
		}
	case []any:
		for i, child := range v {
			visit(child, func(x any) { v[i] = x })
		}
	}
}

func TestBodyHasABound(t *testing.T) {
	body := `{"request_id":"PR-1"}` + strings.Repeat(" ", MaxBody)
	_, err := DecodeRequest([]byte(body))
	invalid, ok := errors.AsType[*worker.Invalid](err)
	if !ok || invalid.Error() != "body: must be at most 1048576 bytes" || invalid.RequestID != "PR-1" {
		t.Errorf("got %v", err)
	}
}

// What was read does not change when the broker's client reuses its buffer.
func TestNothingOfTheBodyIsKept(t *testing.T) {
	body := []byte(strings.Clone(string(examples(t, "valid", "request")["full"])))
	request, err := DecodeRequest(body)
	if err != nil {
		t.Fatal(err)
	}
	before := worker.Fingerprint(request)
	clear(body)
	if worker.Fingerprint(request) != before {
		t.Error("the request changed with its body")
	}
}
