package alibaba

import (
	"errors"
	"net/http"
	"reflect"
	"strings"
	"testing"

	"autopurchase/worker"
)

const ours = "acme.PR-1-1"

// looking serves one answer to the list, others to the detail by outOrderId and by order id.
func looking(t *testing.T, list, byReference, byID string) *Client {
	return gateway(t, func(w http.ResponseWriter, r *http.Request) {
		body := list
		switch {
		case strings.Contains(r.URL.Path, "getBuyerOrderList"):
			if r.PostFormValue("outOrderId") != ours {
				t.Errorf("list asked for %q", r.PostFormValue("outOrderId"))
			}
		case r.PostFormValue("orderId") != "":
			body = byID
		default:
			body = byReference
		}
		if body == "" {
			t.Errorf("%s was not to be called", r.URL.Path)
		}
		if status, rest, cut := strings.Cut(body, "|"); cut {
			w.WriteHeader(map[string]int{"500": 500, "502": 502}[status])
			body = rest
		}
		_, _ = w.Write([]byte(body))
	})
}

func TestFind(t *testing.T) {
	const (
		none     = `{"result":[],"totalRecord":0}`
		notFound = `{"success":"false","errorCode":"ORDER_NOT_FOUND","errorMessage":"x"}`
		mine     = `{"baseInfo":{"id":2257000000000000944,"idOfStr":"2257000000000000941","outOrderId":"acme.PR-1-1","status":"waitbuyerpay","totalAmount":39.98,"shippingFee":"5"}}`
		ended    = `{"baseInfo":{"idOfStr":"12","outOrderId":"acme.PR-1-1","status":"cancel","totalAmount":1}}`
		other    = `{"baseInfo":{"idOfStr":"13","outOrderId":"acme.PR-1-10"}}`
		nameless = `{"baseInfo":{"idOfStr":"14"}}`
	)
	list := func(orders ...string) string { return `{"result":[` + strings.Join(orders, ",") + `]}` }
	detail := func(order string) string { return `{"success":"true","result":` + order + `}` }
	found := one("2257000000000000941", 3998, 500)
	for name, c := range map[string]struct {
		list, byReference, byID string
		verdict                 worker.Verdict
		orders                  []worker.PlacedOrder
	}{
		"listed":                        {list(mine), "", "", worker.Placed, found},
		"listed, cancelled":             {list(ended), "", "", worker.Placed, one("12", 100, 0)},
		"listed, split in two":          {list(mine, ended), "", "", worker.Placed, append(found[:1:1], one("12", 100, 0)...)},
		"listed beside another":         {list(other, mine), "", "", worker.Placed, found},
		"listed without reference":      {list(nameless), "", detail(mine), worker.Placed, found},
		"nameless, and not ours":        {list(nameless), notFound, detail(other), worker.Absent, nil},
		"only in the detail":            {none, detail(mine), "", worker.Placed, found},
		"nowhere":                       {none, notFound, "", worker.Absent, nil},
		"nowhere, count as text":        {`{"totalRecord":"0","result":null}`, notFound, "", worker.Absent, nil},
		"another's, complete":           {list(other), notFound, "", worker.Absent, nil},
		"detail of another's":           {none, detail(other), "", worker.Absent, nil},
		"detail that does not say":      {none, detail(nameless), "", worker.Absent, nil},
		"another's, more pages":         {`{"result":[` + other + `],"totalRecord":400}`, notFound, "", worker.Unknown, nil},
		"an entry without an id":        {list(`{"baseInfo":{"outOrderId":"acme.PR-1-1"}}`), notFound, "", worker.Unknown, nil},
		"empty answer":                  {`{}`, "", "", worker.Unknown, nil},
		"business error":                {`{"success":"false","errorCode":"X"}`, "", "", worker.Unknown, nil},
		"HTML":                          {`502|<html>`, "", "", worker.Unknown, nil},
		"empty list with status 500":    {`500|` + none, "", "", worker.Unknown, nil},
		"detail fails inside":           {none, `{"success":"false","errorCode":"SYSTEM_ERROR"}`, "", worker.Unknown, nil},
		"detail is empty":               {none, `{}`, "", worker.Unknown, nil},
		"detail is HTML":                {none, `502|<html>`, "", worker.Unknown, nil},
		"token":                         {`{"error_code":"401"}`, "", "", worker.NotAttempted, nil},
		"throttled at the second":       {none, `{"error_code":"gw.QosAppFrequencyLimit"}`, "", worker.NotAttempted, nil},
		"parameter missing is no no":    {`{"error_code":"gw.ParamMissing"}`, "", "", worker.Unknown, nil},
		"gateway error that none knows": {`{"error_code":"gw.Strange"}`, "", "", worker.Unknown, nil},
	} {
		t.Run(name, func(t *testing.T) {
			got := looking(t, c.list, c.byReference, c.byID).Find(t.Context(), testKey, ours)
			if got.Verdict != c.verdict || !reflect.DeepEqual(got.Orders, c.orders) {
				t.Errorf("got %+v", got)
			}
			if got.TokenRejected != (name == "token") {
				t.Errorf("token rejected: %v", got.TokenRejected)
			}
		})
	}
}

// TestFindMeetsOrdersThatComeBetweenItsCalls: the list was asked too early, and the detail tells of one of two orders.
func TestFindMeetsOrdersThatComeBetweenItsCalls(t *testing.T) {
	const order = `{"baseInfo":{"idOfStr":"%s","outOrderId":"acme.PR-1-1"}}`
	first, second := strings.Replace(order, "%s", "21", 1), strings.Replace(order, "%s", "22", 1)
	for name, again := range map[string]string{
		"both listed by then": `{"result":[` + second + `,` + first + `]}`,
		"one listed by then":  `{"result":[` + first + `]}`,
		"the list fails then": `502`,
	} {
		asked := 0
		client := gateway(t, func(w http.ResponseWriter, r *http.Request) {
			body := `{"success":"true","result":` + second + `}`
			if strings.Contains(r.URL.Path, "getBuyerOrderList") {
				if body = `{"result":[],"totalRecord":0}`; asked > 0 {
					body = again
				}
				asked++
			}
			_, _ = w.Write([]byte(body))
		})
		got := client.Find(t.Context(), testKey, ours)
		ids := map[string]bool{}
		for _, o := range got.Orders {
			ids[o.ID] = true
		}
		if again == `502` {
			if got.Verdict != worker.Unknown || len(ids) != 0 {
				t.Errorf("%s: got %+v", name, got)
			}
		} else if got.Verdict != worker.Placed || len(got.Orders) != 2 || !ids["21"] || !ids["22"] {
			t.Errorf("%s: got %+v", name, got)
		}
	}
}

func TestDetail(t *testing.T) {
	client := answering(t, 200, `{"success":"true","result":{"baseInfo":{"id":2257000000000000944,"idOfStr":"2257000000000000941",`+
		`"outOrderId":"acme.PR-1-1","status":"waitsellersend","totalAmount":"0.30","shippingFee":0.1}}}`)
	got, err := client.Detail(t.Context(), testKey, "2257000000000000941")
	want := Detail{OrderID: "2257000000000000941", Reference: ours, Status: "waitsellersend", Total: 30, Postage: 10}
	if err != nil || got != want {
		t.Errorf("got %+v, %v", got, err)
	}
	client = answering(t, 200, `{"success":"false","errorCode":"ORDER_NOT_FOUND","errorMessage":"x `+testKey.Secret+`"}`)
	_, err = client.Detail(t.Context(), testKey, "1")
	if _, ok := errors.AsType[*NotFoundError](err); !ok || strings.Contains(err.Error(), testKey.Secret) {
		t.Errorf("got %v", err)
	}
}

// TestFindTellsWhatTheOrdersHold: item by item, if the platform shows all orders of the reference and all that they hold.
func TestFindTellsWhatTheOrdersHold(t *testing.T) {
	const (
		base     = `{"baseInfo":{"idOfStr":"%s","outOrderId":"acme.PR-1-1"},"productItems":%i}`
		item     = `{"productID":700000000001,"specId":"aaaa","quantity":2}`
		other    = `{"productID":"700000000002","quantity":1.0}`
		notFound = `{"success":"false","errorCode":"ORDER_NOT_FOUND","errorMessage":"x"}`
	)
	order := func(id, items string) string { return strings.NewReplacer("%s", id, "%i", items).Replace(base) }
	list := func(orders ...string) string { return `{"result":[` + strings.Join(orders, ",") + `]}` }
	both := []worker.SKU{{OfferID: "700000000001", SpecID: "aaaa"}, {OfferID: "700000000002"}}
	for name, c := range map[string]struct {
		list, byID string
		want       []worker.SKU
	}{
		"one order":                   {list(order("1", "["+item+","+other+"]")), "", both},
		"two orders":                  {list(order("1", "["+item+"]"), order("2", "["+other+"]")), "", both},
		"one does not say":            {list(order("1", "["+item+"]"), order("2", "[]")), "", nil},
		"no items":                    {list(`{"baseInfo":{"idOfStr":"1","outOrderId":"acme.PR-1-1"}}`), "", nil},
		"items of another shape":      {list(order("1", `{"item":1}`)), "", nil},
		"an item without an offer":    {list(order("1", `[{"specId":"aaaa"}]`)), "", nil},
		"more orders than are listed": {`{"result":[` + order("1", "["+item+"]") + `],"totalRecord":2}`, "", nil},
		"asked for by its id":         {list(`{"baseInfo":{"idOfStr":"1"}}`), `{"success":"true","result":` + order("1", "["+item+","+other+"]") + `}`, both},
		"an offer id through a float": {list(order("1", `[{"productID":7.00000000001e11}]`)), "", nil},
	} {
		t.Run(name, func(t *testing.T) {
			got := looking(t, c.list, notFound, c.byID).Find(t.Context(), testKey, ours)
			if got.Verdict != worker.Placed || !reflect.DeepEqual(got.Ordered, c.want) {
				t.Errorf("%s, %+v", got.Verdict, got.Ordered)
			}
		})
	}
}

// TestFindSaysWhatEachHolds, so that orders which were made of one call can be told apart, and what was taken off.
func TestFindSaysWhatEachHolds(t *testing.T) {
	order := func(id, items string) string {
		return `{"baseInfo":{"idOfStr":"` + id + `","outOrderId":"` + ours + `","totalAmount":1,"discount":"25"},"productItems":` + items + `}`
	}
	c := looking(t, `{"result":[`+order("11", `[{"productID":7,"specId":"`+spec+`"},{"productID":8}]`)+`,`+order("12", `[{"productID":9}]`)+`,`+order("13", `null`)+`]}`, "", "")
	got := c.Find(t.Context(), Credentials{AppKey: "1", Secret: "s"}, ours).Orders
	want := []worker.PlacedOrder{
		{ID: "11", Total: 100, Discount: 25, Holds: []worker.SKU{{OfferID: "7", SpecID: spec}, {OfferID: "8"}}},
		{ID: "12", Total: 100, Discount: 25, Holds: []worker.SKU{{OfferID: "9"}}},
		{ID: "13", Total: 100, Discount: 25},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
}
