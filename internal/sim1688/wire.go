package sim1688

import (
	stdjson "encoding/json"
	"errors"
	"strconv"
	"time"

	"github.com/go-json-experiment/json"
)

// encode writes plain values of this package's own types. Only a caller's own data can fail to encode; encodeAny is for that.
func encode(v any) []byte {
	data, err := stdjson.Marshal(v)
	if err != nil {
		return []byte(`{"error":"the simulator could not encode its answer"}`)
	}
	return data
}

func encodeAny(v any) (stdjson.RawMessage, error) {
	data, err := stdjson.Marshal(v)
	return data, err
}

// decodeStrict refuses unknown, repeated and wrongly spelled fields, trailing data and invalid UTF-8.
func decodeStrict(data []byte, into any) error {
	return plainError(json.Unmarshal(data, into, json.RejectUnknownMembers(true)))
}

// decode reads a client's JSON as the platform does: fields it does not know are passed over.
func decode(data []byte, into any) error { return plainError(json.Unmarshal(data, into)) }

// plainError keeps the field and the reason of a decoding error and drops the Go type.
func plainError(err error) error {
	var semantic *json.SemanticError
	if !errors.As(err, &semantic) || semantic.JSONPointer == "" {
		return err
	}
	reason := "wrong type or value"
	if semantic.Err != nil {
		reason = semantic.Err.Error()
	}
	return errors.New(string(semantic.JSONPointer[1:]) + ": " + reason)
}

var china = time.FixedZone("CST", 8*60*60)

// gatewayTime is the Open API's form of a time: 17 digits and the offset.
func gatewayTime(t time.Time) string {
	t = t.In(china)
	return t.Format("20060102150405") + t.Format(".000")[1:] + t.Format("-0700")
}

// pushTime is the form inside pushes: China's wall clock.
func pushTime(t time.Time) string { return t.In(china).Format(time.DateTime) }

// yuan writes fen as a JSON number of yuan, without a float in between.
func yuan(fen int64) stdjson.Number {
	text := strconv.FormatInt(fen, 10)
	for len(text) < 3 {
		text = "0" + text
	}
	return stdjson.Number(text[:len(text)-2] + "." + text[len(text)-2:])
}
