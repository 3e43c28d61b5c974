package schemas

import (
	"reflect"
	"strings"
	"testing"
	"time"

	"autopurchase/worker"

	"pgregory.net/rapid"
)

func genText(most int) *rapid.Generator[string] {
	letters := rapid.SampledFrom([]rune("aZ09 -.路好🙏\"\\<&/é"))
	return rapid.StringOfN(letters, 1, most, -1).Filter(func(s string) bool { return !isBlank(s) })
}

var (
	genID     = rapid.StringMatching(`[!-~]{1,64}`)
	genName   = rapid.StringMatching(`[A-Za-z0-9_-]{1,64}`)
	genOffer  = rapid.StringMatching(`[1-9][0-9]{0,19}`)
	genSpec   = rapid.StringMatching(`([0-9a-f]{32})?`)
	genFen    = rapid.Map(rapid.Int64Range(0, 999_999_999_999), func(n int64) worker.Fen { return worker.Fen(n) })
	genCount  = rapid.Int64Range(0, maxSafe)
	genMoment = rapid.Map(rapid.Int64Range(-1e12, 1e13), func(n int64) time.Time { return time.UnixMilli(n).UTC() })
	genLines  = rapid.SliceOfN(rapid.IntRange(0, MaxLines-1), 1, 5)
	genCode   = rapid.SampledFrom(worker.Codes())
)

func optionally[T any](t *rapid.T, g *rapid.Generator[T], name string) (v T) {
	if rapid.Bool().Draw(t, name+" said") {
		v = g.Draw(t, name)
	}
	return v
}

func drawAddress(t *rapid.T) worker.Address {
	if rapid.Bool().Draw(t, "by id") {
		return worker.Address{AddressID: genOffer.Draw(t, "address id")}
	}
	return worker.Address{
		FullName: genText(64).Draw(t, "name"), Phone: rapid.StringMatching(`[1-9][0-9]{0,14}(-[0-9]{1,8}){0,2}`).Draw(t, "phone"), Address: genText(200).Draw(t, "address"),
		Mobile: optionally(t, rapid.StringMatching(`[1-9][0-9]{0,31}`), "mobile"), City: genText(64).Draw(t, "city"),
		Town:     optionally(t, genText(64), "town"),
		PostCode: optionally(t, genText(16), "post code"), Province: genText(64).Draw(t, "province"),
		Area: optionally(t, genText(64), "area"), DistrictCode: optionally(t, genText(16), "district"),
	}
}

func drawLine(t *rapid.T) worker.Line {
	return worker.Line{
		OfferID: genOffer.Draw(t, "offer"), SpecID: genSpec.Draw(t, "spec"),
		Quantity:  rapid.Int64Range(1, MaxQuantity).Draw(t, "quantity"),
		UnitPrice: genFen.Draw(t, "price"), Seller: optionally(t, genText(64), "seller"),
		Alternatives: optionally(t, rapid.SliceOfN(rapid.Custom(drawAlternative), 1, worker.MaxAlternatives), "alternatives"),
	}
}

func drawAlternative(t *rapid.T) worker.Alternative {
	return worker.Alternative{OfferID: genOffer.Draw(t, "offer"), SpecID: genSpec.Draw(t, "spec"), MaxUnitPrice: max(1, genFen.Draw(t, "price"))}
}

func drawChosen(t *rapid.T) worker.Chosen {
	return worker.Chosen{Line: rapid.IntRange(0, MaxLines-1).Draw(t, "line"), Alternative: rapid.IntRange(1, worker.MaxAlternatives).Draw(t, "alternative"),
		OfferID: genOffer.Draw(t, "offer"), SpecID: genSpec.Draw(t, "spec")}
}

func drawRequest(t *rapid.T) worker.Request {
	return worker.Request{
		ID: genID.Draw(t, "id"), Pool: genName.Draw(t, "pool"), Payer: genPayer(t),
		DeliverTo: drawAddress(t), Lines: rapid.SliceOfN(rapid.Custom(drawLine), 1, 5).Draw(t, "lines"),
		Note: optionally(t, genText(500), "note"), Flow: rapid.StringMatching(`[a-z0-9_]{1,32}`).Draw(t, "flow"),
		MaxTotal: genFen.Draw(t, "total"), Deadline: optionally(t, genMoment, "deadline"),
		Pay:            rapid.SampledFrom(payWords).Draw(t, "pay"),
		NotBefore:      optionally(t, rapid.Map(rapid.Int64Range(-2e13, -1e12-1), func(n int64) time.Time { return time.UnixMilli(n).UTC() }), "not before"),
		HoldFor:        time.Duration(rapid.Int64Range(0, maxHold).Draw(t, "hold for")) * time.Second,
		Priority:       rapid.SampledFrom(append(worker.Lanes(), "")).Draw(t, "priority"),
		PriceTolerance: rapid.SampledFrom([]string{"", "0", "5", "99.99", "100", "0.5"}).Draw(t, "tolerance"),
	}
}

func TestRequestComesBackAsWritten(t *testing.T) {
	schema := compile(t, "request")
	rapid.Check(t, func(t *rapid.T) {
		want := drawRequest(t)
		body := AppendRequest([]byte("x"), want)[1:]
		if err := validate(schema, body); err != nil {
			t.Fatalf("%s: %v", body, err)
		}
		got, err := DecodeRequest(body)
		if err != nil {
			t.Fatalf("%s: %v", body, err)
		}
		if !sameRequest(*got, want) {
			t.Fatalf("wrote %+v, read %+v", want, *got)
		}
	})
}

// sameRequest compares deadlines as moments: the offset in which they are written does not matter.
func sameRequest(a, b worker.Request) bool {
	sameTime := a.Deadline.Equal(b.Deadline)
	a.Deadline, b.Deadline = time.Time{}, time.Time{}
	return sameTime && reflect.DeepEqual(a, b)
}

func drawResult(t *rapid.T) worker.Result {
	share := rapid.Custom(func(t *rapid.T) worker.Share {
		return worker.Share{Line: rapid.IntRange(0, MaxLines-1).Draw(t, "line"), Goods: genFen.Draw(t, "goods"), Postage: genFen.Draw(t, "postage"), Discount: genFen.Draw(t, "discount")}
	})
	chosen := rapid.SliceOfN(rapid.Custom(drawChosen), 1, 3)
	order := rapid.Custom(func(t *rapid.T) worker.ResultOrder {
		return worker.ResultOrder{
			OrderID: genOffer.Draw(t, "order"), OutOrderID: genText(300).Draw(t, "reference"), AppKey: genName.Draw(t, "key"),
			Products: genCount.Draw(t, "products"), Total: genFen.Draw(t, "total"),
			Postage: genFen.Draw(t, "postage"), Discount: genFen.Draw(t, "discount"), Lines: genLines.Draw(t, "lines"),
			Shares: optionally(t, rapid.SliceOfN(share, 1, 3), "shares"), Alternatives: optionally(t, chosen, "alternatives"),
		}
	})
	failed := rapid.Custom(func(t *rapid.T) worker.FailedLine {
		return worker.FailedLine{
			Line: rapid.IntRange(0, MaxLines-1).Draw(t, "line"), OfferID: genOffer.Draw(t, "offer"), SpecID: genSpec.Draw(t, "spec"),
			Code: genCode.Draw(t, "code"), Reason: optionally(t, genText(500), "reason"),
			Alternative: rapid.IntRange(0, worker.MaxAlternatives).Draw(t, "alternative"), Tried: optionally(t, rapid.SliceOfN(genCode, 1, worker.MaxAlternatives), "tried"),
		}
	})
	open := rapid.Custom(func(t *rapid.T) worker.OpenOrder {
		return worker.OpenOrder{
			OutOrderID: genText(300).Draw(t, "reference"), AppKey: optionally(t, genName, "key"),
			Products: genCount.Draw(t, "products"), Lines: genLines.Draw(t, "lines"), Alternatives: optionally(t, chosen, "alternatives"),
		}
	})
	return worker.Result{
		RequestID: genID.Draw(t, "id"), Outcome: rapid.SampledFrom(outcomes).Draw(t, "outcome"), Code: genCode.Draw(t, "code"),
		Reason: optionally(t, genText(500), "reason"), Orders: optionally(t, rapid.SliceOfN(order, 1, 3), "orders"),
		Failed: optionally(t, rapid.SliceOfN(failed, 1, 3), "failed"), Unknown: optionally(t, rapid.SliceOfN(open, 1, 3), "unknown"),
		AppKey: optionally(t, genName, "key"), Products: genCount.Draw(t, "products"),
		Attempt:   rapid.IntRange(0, 1000).Draw(t, "attempt"),
		DecidedAt: genMoment.Draw(t, "decided"),
	}
}

func TestResultComesBackAsWritten(t *testing.T) {
	schema := compile(t, "result")
	rapid.Check(t, func(t *rapid.T) {
		want := drawResult(t)
		body := AppendResult(nil, want)
		if err := validate(schema, body); err != nil {
			t.Fatalf("%s: %v", body, err)
		}
		if got, err := DecodeResult(body); err != nil || !reflect.DeepEqual(got, want) {
			t.Fatalf("wrote %+v, read %+v: %v", want, got, err)
		}
	})
}

func TestResultIsWrittenLikeThis(t *testing.T) {
	result := worker.Result{
		Tenant: "acme", RequestID: "PR.1", Outcome: worker.OutcomePartial, Code: worker.CodePartial,
		AppKey: "1000001", Products: 1, Attempt: 2,
		Orders: []worker.ResultOrder{{
			OrderID: "2257000000000000973", OutOrderID: "acme.PR=2E1-1", AppKey: "1000001", Products: 1, Total: 4498, Discount: 100, Lines: []int{0},
			Shares: []worker.Share{{Line: 0, Goods: 4498, Discount: 100}},
		}},
		Failed:    []worker.FailedLine{{Line: 1, OfferID: "7", Code: worker.CodeOutOfStock, Reason: "库存\n不足"}},
		DecidedAt: time.Date(2026, 3, 1, 9, 30, 0, 250_999_999, time.FixedZone("", 8*3600)),
	}
	const want = `{"request_id":"PR.1","outcome":"partial","code":"partial","orders":[{"order_id":"2257000000000000973",` +
		`"out_order_id":"acme.PR=2E1-1","app_key":"1000001","products":1,"total":"44.98","discount":"1.00","lines":[0],"shares":[{"line":0,"goods":"44.98","discount":"1.00"}]}],` +
		`"failed_lines":[{"line":1,"offer_id":"7","code":"out_of_stock","reason":"库存 不足"}],` +
		`"app_key":"1000001","products":1,"attempt":2,"decided_at":"2026-03-01T01:30:00.250Z"}`
	if got := string(AppendResult(nil, result)); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	const empty = `{"request_id":"a","outcome":"refused","code":"invalid","orders":[],"products":0,` +
		`"attempt":1,"decided_at":"2026-03-01T00:00:00.000Z"}`
	result = worker.Result{
		RequestID: "a", Outcome: worker.OutcomeRefused, Code: worker.CodeInvalid, Attempt: 1,
		DecidedAt: time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC),
	}
	if got := string(AppendResult(nil, result)); got != empty {
		t.Errorf("got  %s\nwant %s", got, empty)
	}
}

// Whatever words come from outside, what is written is a valid message.
func TestWordsFromOutsideAreMadeLegible(t *testing.T) {
	result, dead := compile(t, "result"), compile(t, "dead-letter")
	rapid.Check(t, func(t *rapid.T) {
		words := rapid.String().Draw(t, "words") + string(rapid.SliceOf(rapid.Byte()).Draw(t, "bytes"))
		words += strings.Repeat("路", rapid.IntRange(0, 600).Draw(t, "n"))
		body := AppendResult(nil, worker.Result{RequestID: "a", Outcome: worker.OutcomeRefused, Code: worker.CodeRefused, Reason: words})
		if err := validate(result, body); err != nil {
			t.Fatalf("%s: %v", body, err)
		}
		letter := worker.DeadLetter{Subject: "purchase.request." + words, Code: worker.CodeInvalid, Field: words, Reason: words}
		body = AppendDeadLetter(nil, letter)
		if err := validate(dead, body); err != nil {
			t.Fatalf("%s: %v", body, err)
		}
	})
}

func TestDeadLetterComesBackAsWritten(t *testing.T) {
	want := worker.DeadLetter{
		Tenant: "acme", Subject: "purchase.request.acme.PR-1", Sequence: 12, RequestID: "PR-1", Code: worker.CodeInvalid,
		Field: "lines[0].quantity", Reason: "must not be null", Attempt: 3, At: time.UnixMilli(1772328600250).UTC(),
	}
	got, err := DecodeDeadLetter(AppendDeadLetter(nil, want))
	if err != nil || got != want {
		t.Errorf("wrote %+v, read %+v: %v", want, got, err)
	}
}

// Two spellings of one meaning read the same.
func TestSpellingsOfOneMeaning(t *testing.T) {
	const body = `{"request_id":"PR-1","deliver_to":{"address_id":"1"},"lines":[{"offer_id":"7","quantity":2,PRICE}],REST}`
	read := func(price, rest string) worker.Request {
		request, err := DecodeRequest([]byte(strings.NewReplacer("PRICE", price, "REST", rest).Replace(body)))
		if err != nil {
			t.Fatal(err)
		}
		return *request
	}
	want := read(`"unit_price":"19.99"`, `"price_tolerance":"5"`)
	if want.Lines[0].UnitPrice != 1999 || want.PriceTolerance != "5" || want.Pool != "default" || want.Flow != "general" || want.Pay != "none" {
		t.Errorf("read %+v", want)
	}
	for _, other := range [][2]string{
		{`"unit_price":"19.990"`, `"price_tolerance":"5.00"`},
		{`"spec_id":"","unit_price":"019.9900"`, `"pool":"default","price_tolerance":"5.0"`},
		{`"\u0075nit_price":"19.99","seller":""`, `"note":"","account":"","price_tolerance":"5","pay":"none"`},
	} {
		if got := read(other[0], other[1]); !reflect.DeepEqual(got.Lines, want.Lines) || worker.Fingerprint(&got) != worker.Fingerprint(&want) {
			t.Errorf("%v reads %+v", other, got)
		}
	}
}

func genPayer(t *rapid.T) worker.Payer {
	return worker.Payer{
		Account: optionally(t, genText(64), "account"), Alipay: optionally(t, rapid.Just(worker.AlipayBusiness), "alipay"),
	}
}
