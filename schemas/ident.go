package schemas

import (
	"bytes"

	"autopurchase/worker"

	"github.com/go-json-experiment/json/jsontext"
)

// findID looks for the request id in a body that was refused, so that its publisher can be told. It reads as far as the body
// is JSON; an id that breaks its own rule, or two different ones, is none.
func findID(body []byte) string {
	in := jsontext.NewDecoder(bytes.NewBuffer(bytes.TrimPrefix(body, []byte(byteOrderMark))),
		jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true))
	if token, err := in.ReadToken(); err != nil || token.Kind() != '{' {
		return ""
	}
	id := ""
	for in.PeekKind() == '"' {
		name, err := in.ReadToken()
		if err != nil {
			return id
		}
		isID := name.String() == "request_id"
		value, err := in.ReadValue()
		if err != nil {
			return id
		}
		if !isID {
			continue
		}
		found := idOf(value)
		if found == "" || (id != "" && found != id) {
			return ""
		}
		id = found
	}
	return id
}

func idOf(value jsontext.Value) string {
	if value.Kind() != '"' {
		return ""
	}
	if id := unquote(value); worker.CheckID(id) == nil {
		return id
	}
	return ""
}
