package sim1688

import (
	"net/http"
	"reflect"
	"strconv"
	"strings"
	"testing"
)

// answerOf is a create's answer as a client reads it.
type answerOf struct {
	Success any
	Code    string
	Result  struct {
		OrderID            string
		TotalSuccessAmount int64
		PostFee            *int64
		FailedOfferList    []failedOffer
		OrderList          []listedOrder
	}
}

func TestCreate(t *testing.T) {
	for _, api := range []string{fastCreate, trade + "alibaba.trade.createCrossOrder"} {
		t.Run(api, func(t *testing.T) {
			w := start(t)
			lines := someLines(3)
			var got answerOf
			w.call(api, createParams("acme.PR1-1", lines)...).into(t, &got)
			orders := w.Orders(OrderFilter{})
			if len(orders) != 1 {
				t.Fatalf("%d orders", len(orders))
			}
			o := orders[0]
			if got.Success != true || got.Result.OrderID != o.OrderID || got.Result.TotalSuccessAmount != o.TotalFen || *got.Result.PostFee != o.PostFen {
				t.Errorf("answer %+v for order %+v", got, o)
			}
			var goods int64
			for i, offer := range offersOf(1, 3) {
				goods += 2 * offer.PriceFen
				lines[i].PriceFen = offer.PriceFen
			}
			if o.PostFen != 400 || o.TotalFen != goods+400 {
				t.Errorf("total %d, postage %d, goods %d", o.TotalFen, o.PostFen, goods)
			}
			want := Order{OrderID: o.OrderID, OutOrderID: "acme.PR1-1", AppKey: testKey, Member: "b2b-buyer", Call: 1, Products: 3,
				Lines: lines, Status: "waitbuyerpay", TotalFen: o.TotalFen, PostFen: 400, CreatedAt: w.clock.Now(), Payments: []Payment{}, Parcels: []Parcel{}}
			if !reflect.DeepEqual(o, want) {
				t.Errorf("got %+v\nwant %+v", o, want)
			}
		})
	}
}

func TestOrderIDsDoNotFitAFloat(t *testing.T) {
	w := start(t)
	ids := map[float64]string{}
	for range 3 {
		var got answerOf
		w.create("", someLines(1)[0]).into(t, &got)
		id, err := strconv.ParseInt(got.Result.OrderID, 10, 64)
		if err != nil || id <= 1<<53 {
			t.Fatalf("order id %q", got.Result.OrderID)
		}
		ids[float64(id)] = got.Result.OrderID
	}
	if len(ids) == 3 {
		t.Error("a client that keeps ids in a float would not notice")
	}
}

func TestCreateRefused(t *testing.T) {
	all := DefaultCatalogue()
	notByAPI, free, soldOut, bulk, plain := all[55], all[56], all[57], all[58], all[59]
	usual := someLines(1)[0]
	two := offersOf(2, 1)[0]
	item := func(o Offer, spec string) string {
		text := `{"offerId":` + o.OfferID + `,"quantity":9`
		if spec != "-" {
			text += `,"specId":"` + spec + `"`
		}
		return text + `}`
	}
	usualItem := `{"offerId":` + usual.OfferID + `,"specId":"` + usual.SpecID + `","quantity":`
	tests := []struct{ name, cargo, code string }{
		{"offer unknown", `[{"offerId":999999999999,"quantity":1}]`, "500_001"},
		{"offer not by API", "[" + item(notByAPI, notByAPI.SpecIDs[0]) + "]", "500_001"},
		{"two sellers", "[" + usualItem + "1}," + item(two, two.SpecIDs[0]) + "]", "500_002"},
		{"specId missing", "[" + item(two, "-") + "]", "500_002"},
		{"specId of another offer", "[" + item(two, usual.SpecID) + "]", "500_003"},
		{"specId empty", "[" + item(two, "") + "]", "500_003"},
		{"specId empty, offer without SKUs", "[" + item(plain, "") + "]", "500_003"},
		{"specId for an offer without SKUs", "[" + item(plain, usual.SpecID) + "]", "500_003"},
		{"out of stock", "[" + item(soldOut, soldOut.SpecIDs[0]) + "]", "500_004"},
		{"more than the stock, in two lines", "[" + usualItem + "600000000}," + usualItem + "600000000}]", "500_004"},
		{"below the minimum", "[" + item(bulk, bulk.SpecIDs[0]) + "]", "500_005"},
		{"price 0", "[" + item(free, free.SpecIDs[0]) + "]", "500_008"},
		{"fraction of a piece", "[" + usualItem + "1.5}]", "QUANTITY_UNMATCH_SELLUNIT_SCALE"},
		{"quantity 0", "[" + usualItem + "0}]", "SIM_INVALID_PARAM"},
		{"quantity as text", "[" + usualItem + `"1"}]`, "SIM_INVALID_PARAM"},
		{"quantity without end", "[" + usualItem + "1e300}]", "SIM_INVALID_PARAM"},
		{"offerId with exponent", `[{"offerId":6e11,"quantity":1}]`, "SIM_INVALID_PARAM"},
		{"no goods", `[]`, "SIM_INVALID_PARAM"},
		{"not JSON", `offerId`, "SIM_INVALID_PARAM"},
		{"51 SKUs", "[" + strings.Repeat(usualItem+"1},", 50) + usualItem + "1}]", "SIM_TOO_MANY_SKUS"},
	}
	w := start(t)
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			r := w.call(fastCreate, "flow", "general", "addressParam", home, "cargoParamList", test.cargo, "outOrderId", "acme.A-1")
			r.mustHave(t, http.StatusOK, `"success":false`, `"code":"`+test.code+`"`, `"message":"`)
		})
	}
	if books := w.Keys()[0]; books.Orders != 0 || books.Products != 0 {
		t.Errorf("refused calls were counted: %+v", books)
	}
	w.create("acme.A-1", Line{OfferID: usual.OfferID, SpecID: usual.SpecID, Quantity: plentyOfStock}).
		mustHave(t, http.StatusOK, `"success":true`) // what a refused order had reserved is back on the shelf
	w.create("acme.A-2", Line{OfferID: plain.OfferID, Quantity: 1}).mustHave(t, http.StatusOK, `"success":true`)
	w.create("acme.A-3", Line{OfferID: bulk.OfferID, SpecID: bulk.SpecIDs[0], Quantity: 10}).mustHave(t, http.StatusOK, `"success":true`)
}

func TestCreateChecksDelivery(t *testing.T) {
	w := start(t)
	place := func(street string) string { return `{"fullName":"张三","address":"` + street + `"}` }
	tests := []struct {
		name    string
		changed []string
		want    string
	}{
		{"message of 500", []string{"message", strings.Repeat("急", 500)}, `"success":true`},
		{"message of 501", []string{"message", strings.Repeat("急", 501)}, "SIM_MESSAGE_TOO_LONG"},
		{"address of 200", []string{"addressParam", place(strings.Repeat("路", 200))}, `"success":true`},
		{"address of 201", []string{"addressParam", place(strings.Repeat("路", 201))}, "SIM_ADDRESS_TOO_LONG"},
		{"address on file", []string{"addressParam", `{"addressId":12345}`}, `"success":true`},
		{"address without a name", []string{"addressParam", `{"address":"x"}`}, "SIM_INVALID_PARAM"},
		{"address not JSON", []string{"addressParam", `x`}, "SIM_INVALID_PARAM"},
		{"trade type of the preview", []string{"tradeType", tradeMode}, `"success":true`},
		{"trade type of nowhere", []string{"tradeType", "x"}, "SIM_TRADE_TYPE_NOT_IN_THE_PREVIEW"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			w.call(fastCreate, append(createParams("a", someLines(1)), test.changed...)...).mustHave(t, http.StatusOK, test.want)
		})
	}
	for _, name := range []string{"flow", "addressParam", "cargoParamList"} {
		w.call(fastCreate, append(createParams("a", someLines(1)), name, "")...).mustHave(t, http.StatusBadRequest, "gw.ParamMissing", name)
	}
}

// Whether the platform refuses a second create of one reference is not known, so the simulator must not protect its client.
func TestRepeatedCreateMakesASecondOrder(t *testing.T) {
	w := start(t)
	w.create("acme.PR1-1", someLines(1)...)
	w.create("acme.PR1-1", someLines(1)...)
	orders := w.Orders(OrderFilter{OutOrderID: "PR1-1"})
	if len(orders) != 2 || orders[0].Call == orders[1].Call {
		t.Errorf("orders %+v", orders)
	}
}

func TestProductsAndOverdraft(t *testing.T) {
	for count, want := range map[string]int64{"lines": 3, "units": 6} {
		t.Run(count, func(t *testing.T) {
			w := start(t, func(cfg *Config) { cfg.Count, cfg.Keys[0].Limit = count, 4 })
			w.create("a", someLines(3)...)
			w.create("b", someLines(3)...).mustHave(t, http.StatusOK, `"success":true`) // never refused over the limit
			books := w.Keys()[0]
			if books != (KeyBook{AppKey: testKey, Products: 2 * want, Orders: 2, Limit: 4, OverDrawn: 2*want - 4}) {
				t.Errorf("books %+v", books)
			}
		})
	}
}

func TestPreview(t *testing.T) {
	w := start(t)
	other, last := offersOf(2, 1)[0], DefaultCatalogue()[55]
	lines := append(someLines(2), Line{OfferID: other.OfferID, SpecID: other.SpecIDs[0], Quantity: 1},
		Line{OfferID: last.OfferID, SpecID: last.SpecIDs[0], Quantity: 1})
	var got struct {
		Success  bool
		Previews []orderPreview `json:"orderPreviewResuslt"`
	}
	w.call(trade+"alibaba.createOrder.preview", createParams("", lines)...).into(t, &got)
	if !got.Success || len(got.Previews) != 3 {
		t.Fatalf("got %+v", got)
	}
	first := got.Previews[0]
	offers := offersOf(1, 2)
	goods := 2 * (offers[0].PriceFen + offers[1].PriceFen)
	if first.SumPaymentNoPostage != goods || first.SumCarriage != 400 || first.SumPayment != goods+400 || len(first.TradeModes) != 1 {
		t.Errorf("first %+v, goods %d", first, goods)
	}
	if len(first.Cargo) != 2 || first.Cargo[0].Price != yuan(offers[0].PriceFen) || first.Cargo[0].Amount != yuan(2*offers[0].PriceFen) {
		t.Errorf("cargo %+v", first.Cargo)
	}
	if modes := got.Previews[2].TradeModes; len(modes) != 0 {
		t.Errorf("an offer that cannot be ordered by API has modes %v", modes)
	}
	lines[0].Quantity = plentyOfStock
	for range 2 { // a preview takes nothing off the shelf
		w.call(trade+"alibaba.createOrder.preview", createParams("", lines)...).mustHave(t, http.StatusOK, `"success":true`)
	}
	lines[0].Quantity = plentyOfStock + 1
	w.call(trade+"alibaba.createOrder.preview", createParams("", lines)...).
		mustHave(t, http.StatusOK, `"success":false`, `"errorCode":"500_004"`, `"errorMsg":`)
	w.call(trade+"alibaba.createOrder.preview").mustHave(t, http.StatusBadRequest, "gw.ParamMissing")
	w.call(trade+"alibaba.createOrder.preview", "addressParam", home, "cargoParamList", "x").mustHave(t, http.StatusOK, "SIM_INVALID_PARAM")
	if orders := w.Orders(OrderFilter{}); len(orders) != 0 {
		t.Errorf("a preview ordered %v", orders)
	}
}
