package main

import (
	"fmt"
	"reflect"
	"strings"
	"testing"
)

func TestReadRequestsKeepsTheLines(t *testing.T) {
	long := `{"note":"` + strings.Repeat("x", maxLine) + `"}`
	for name, c := range map[string]struct {
		file string
		want []string
	}{
		"empty":          {"", nil},
		"blank":          {" \n\n\t\n", nil},
		"lines":          {"{\"a\":1}\n\n  {\"b\":2}  \r\n{bad\n{\"c\":3}", []string{`1 {"a":1}`, `3 {"b":2}`, `4 {bad`, `5 {"c":3}`}},
		"lines later":    {"\n\n{\"a\":1}\n{\"b\":2}\n", []string{`3 {"a":1}`, `4 {"b":2}`}},
		"a long line":    {"{\"a\":1}\n" + long + "\n{\"b\":2}\n", []string{`1 {"a":1}`, "line 2: is longer than 1048576 bytes", `3 {"b":2}`}},
		"a long end":     {"{\"a\":1}\n" + long, []string{`1 {"a":1}`, "line 2: is longer than 1048576 bytes"}},
		"array":          {"[\n {\"a\":1},\n\n {\"b\":\n2}\n]", []string{`2 {"a":1}`, "4 {\"b\":\n2}"}},
		"empty array":    {" [ ] ", nil},
		"broken array":   {"[{\"a\":1},\n{bad]", []string{`1 {"a":1}`, "line 2: invalid character 'b' looking for beginning of object key string"}},
		"array cut off":  {"[{\"a\":1}", []string{`1 {"a":1}`, "line 1: EOF"}},
		"array of texts": {"[\"x\"]", []string{`1 "x"`}},
	} {
		var got []string
		for w, err := range readRequests(strings.NewReader(c.file)) {
			if err != nil {
				got = append(got, err.Error())
			} else {
				got = append(got, fmt.Sprintf("%d %s", w.line, w.body))
			}
		}
		if !reflect.DeepEqual(got, c.want) {
			t.Errorf("%s: got %.200q, want %.200q", name, got, c.want)
		}
	}
}
