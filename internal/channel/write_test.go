package channel

import (
	stdjson "encoding/json"
	"reflect"
	"testing"

	"autopurchase/worker"
)

// fill gives every member of a value something that is not empty, to the depth of what is written member by member.
func fill(v reflect.Value) {
	switch v.Kind() {
	case reflect.String:
		v.SetString(`加急 "` + v.Type().Name() + `" <&\` + "\n\u2028")
	case reflect.Int, reflect.Int64:
		v.SetInt(1<<53 + 1)
	case reflect.Struct:
		for i := range v.NumField() {
			if v.Type().Field(i).IsExported() {
				fill(v.Field(i))
			}
		}
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 2, 2))
		fill(v.Index(0))
		fill(v.Index(1))
	}
}

func sameJSON(t *testing.T, body any) {
	t.Helper()
	text, err := appendBody([]byte(`{"v":1`), body)
	if err != nil {
		t.Fatal(err)
	}
	var wrote, want map[string]any
	var read struct{ Body stdjson.RawMessage }
	tagged, _ := stdjson.Marshal(body)
	if err := stdjson.Unmarshal(text, &read); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	_, _ = stdjson.Unmarshal(read.Body, &wrote), stdjson.Unmarshal(tagged, &want)
	if !reflect.DeepEqual(wrote, want) {
		t.Errorf("wrote %s\nwant  %s", read.Body, tagged)
	}
}

func TestBodiesAreWrittenAsTheirTagsSay(t *testing.T) {
	var full worker.Order
	fill(reflect.ValueOf(&full).Elem())
	sameJSON(t, &full)
	sameJSON(t, &worker.Order{Lines: []worker.Line{{OfferID: "1"}}})
	sameJSON(t, &worker.Order{Message: "no UTF-8: \xff", Lines: []worker.Line{}})

	for field := range reflect.TypeFor[worker.Answer]().NumField() { // each member alone: no other must hide it
		answer := worker.Answer{Verdict: worker.Placed, Code: worker.CodePlaced}
		member := reflect.ValueOf(&answer).Elem().Field(field)
		switch member.Kind() {
		case reflect.Pointer:
			member.Set(reflect.New(member.Type().Elem()))
		case reflect.Bool:
			member.SetBool(true)
		default:
			fill(member)
		}
		sameJSON(t, &answer)
	}
	for field := range reflect.TypeFor[worker.PlacedOrder]().NumField() {
		order := worker.PlacedOrder{ID: "1"}
		fill(reflect.ValueOf(&order).Elem().Field(field))
		sameJSON(t, &worker.Answer{Orders: []worker.PlacedOrder{order, {ID: "2"}}})
	}
}
