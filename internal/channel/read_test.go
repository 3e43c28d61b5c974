package channel

import (
	"reflect"
	"testing"

	"github.com/go-json-experiment/json"

	"autopurchase/worker"
)

// sameBody wants a body that is read by its places to be what any JSON says.
func sameBody[T any](t *testing.T, body []byte) (quick bool) {
	t.Helper()
	var got, want T
	if !readQuick(body, &got) {
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%s: left %+v", body, got)
		}
		return false
	}
	if err := json.Unmarshal(body, &want, strict); err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("%s read as\n%+v, want\n%+v, %v", body, got, want, err)
	}
	return true
}

func written(t *testing.T, body any) []byte {
	t.Helper()
	text, err := appendBody(nil, body)
	if err != nil {
		t.Fatal(err)
	}
	return text[len(`,"body":`) : len(text)-1]
}

func TestOurOwnBodiesAreReadByTheirPlaces(t *testing.T) {
	full := worker.Order{Reference: "acme.PR-1-1", AppKey: "1000001", Flow: "general", Message: "加急 <&>\u2028", TradeType: "fxassure",
		Lines: []worker.Line{{OfferID: "1", SpecID: "2", Quantity: 3}, {OfferID: "4", Quantity: 1 << 53}}}
	address := reflect.ValueOf(&full.DeliverTo).Elem()
	for i := range address.NumField() {
		address.Field(i).SetString("上海" + address.Type().Field(i).Name)
	}
	orders := []worker.Order{full, order("acme.PR-1-1"), {Lines: []worker.Line{{Quantity: 1}}}}
	for i := range address.NumField() { // each alone, and each left out
		one, others := order("acme.PR-1-1"), full
		one.DeliverTo = worker.Address{}
		reflect.ValueOf(&one.DeliverTo).Elem().Field(i).SetString("x")
		reflect.ValueOf(&others.DeliverTo).Elem().Field(i).SetString("")
		orders = append(orders, one, others)
	}
	for _, o := range orders {
		if body := written(t, &o); !sameBody[worker.Order](t, body) {
			t.Errorf("%s is left to the general reader", body)
		}
	}
	for _, a := range []worker.Answer{
		placed("acme.PR-1-1"), {Verdict: worker.Absent}, *unknown("关闭"), {Verdict: worker.NotAttempted, Code: worker.CodeThrottled, Retry: 500},
		{Verdict: worker.Placed, Orders: []worker.PlacedOrder{{ID: "1", Total: 5, Postage: 4, Discount: 3}, {ID: "2", Discount: 1}, {}}, Retry: 1},
	} {
		if body := written(t, &a); !sameBody[worker.Answer](t, body) {
			t.Errorf("%s is left to the general reader", body)
		}
	}
}

// TestOtherBodiesAreLeftToTheGeneralReader has what others may write, and what is wrong.
func TestOtherBodiesAreLeftToTheGeneralReader(t *testing.T) {
	quoted, holding := order("acme.PR-1-1"), placed("acme.PR-1-1")
	quoted.Message, holding.Orders[0].Holds = `"x"`, []worker.SKU{{OfferID: "1"}}
	for _, body := range [][]byte{
		written(t, &quoted), written(t, &holding), written(t, &worker.Answer{More: true}), written(t, &worker.Order{Lines: []worker.Line{}}),
		written(t, &worker.Order{Lines: []worker.Line{{OfferID: "1"}}}), []byte(`{}`), []byte(`{"reference"`),
		[]byte(`{"verdict":"absent","code":"absent"} `), []byte(`{"verdict":"absent","code":"absent","more":1}`), []byte(`{"verdict":"absent"}`),
		[]byte(`{"code":"absent","verdict":"absent"}`), []byte(`{,"verdict":"absent","code":"absent"}`), []byte("{\"verdict\":\"\xff\",\"code\":\"\"}"),
		[]byte("{\"verdict\":\"\n\",\"code\":\"\"}"), []byte(`{"verdict":"absent","code":"absent","retry_ms":0}`), []byte(`{"verdict":"absent","code":"absent","retry_ms":1.5}`),
		[]byte(`{"verdict":"absent","code":"absent","retry_ms":9223372036854775808}`), []byte(`{"verdict":"placed","code":"placed","orders":[]}`),
		[]byte(`{"verdict":"placed","code":"placed","orders":[{"id":"1"},]}`), []byte(`{"verdict":"placed","verdict":"placed","code":"placed"}`),
	} {
		if sameBody[worker.Answer](t, body) || sameBody[worker.Order](t, body) {
			t.Errorf("%s is read by its places", body)
		}
	}
}

func FuzzReadQuick(f *testing.F) {
	o := order("acme.PR-1-1")
	text, _ := appendAsk(nil, 7, opPlace, "", 1, &o)
	var ask frame
	_ = ask.decodeQuick(text)
	f.Add([]byte(ask.Body))
	f.Add([]byte(`{"verdict":"placed","code":"placed","reason":"","orders":[{"id":"1","total":2,"postage":1}],"retry_ms":1}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		sameBody[worker.Order](t, body)
		sameBody[worker.Answer](t, body)
	})
}
