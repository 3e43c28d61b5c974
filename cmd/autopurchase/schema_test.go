package main

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"autopurchase/schemas"
)

// TestSchema prints what is embedded: the list, each schema and the document.
func TestSchema(t *testing.T) {
	t.Parallel()
	code, out, errs := execute(t, nil, "schema", "--json")
	var all []titled
	if err := json.Unmarshal([]byte(out), &all); code != exitOK || err != nil || errs != "" {
		t.Fatalf("exit %d: %s, %v", code, errs, err)
	}
	var names []string
	for _, each := range all {
		names = append(names, each.Name)
		if code, out, errs := execute(t, nil, "schema", each.Name); code != exitOK || !json.Valid([]byte(out)) || !strings.Contains(out, `"`+each.Title+`"`) || each.Title == "" {
			t.Errorf("%+v: exit %d: %s", each, code, errs)
		}
	}
	if !slices.Equal(names, schemas.Names()) {
		t.Errorf("listed are %v", names)
	}
	code, out, _ = execute(t, nil, "schema", "asyncapi")
	var document struct{ AsyncAPI string }
	if err := yaml.Unmarshal([]byte(out), &document); code != exitOK || err != nil || document.AsyncAPI != "3.0.0" {
		t.Errorf("exit %d, %+v, %v", code, document, err)
	}
	if code, out, _ := execute(t, nil, "schema"); code != exitOK || strings.Count(out, "\n") != len(names)+2 {
		t.Errorf("exit %d: %s", code, out)
	}
	refused(t, exitUsage, []string{`"nonsense"`, "see autopurchase schema"}, "schema", "nonsense")
	refused(t, exitUsage, []string{"accepts at most 1 arg"}, "schema", "key", "keys")
}
