package channel

import (
	stdjson "encoding/json"
	"fmt"
	"strconv"

	"github.com/go-json-experiment/json/jsontext"

	"autopurchase/worker"
)

// appendBody ends a frame with its body. What every purchase sends, an order and what became of it, is written member by member; all else
// by its tags, which takes several times as long. Both say the same.
func appendBody(to []byte, body any) ([]byte, error) {
	to = append(to, `,"body":`...)
	switch body := body.(type) {
	case *worker.Order:
		return append(appendOrder(to, body), '}'), nil
	case *worker.Answer:
		if brief(body) {
			return append(appendAnswer(to, body), '}'), nil
		}
	}
	text, err := stdjson.Marshal(body) // writes faster than the package that reads
	if err != nil {
		return nil, fmt.Errorf("%w: body cannot be written", errFrame)
	}
	return append(append(to, text...), '}'), nil
}

func appendOrder(to []byte, o *worker.Order) []byte {
	to = member(append(to, '{'), "reference", o.Reference)
	to = member(to, "app_key", o.AppKey)
	to = member(to, "flow", o.Flow)
	to = said(to, "message", o.Message)
	to = said(to, "trade_type", o.TradeType)
	to = appendAddress(append(to, `,"deliver_to":`...), &o.DeliverTo)
	to = append(to, `,"lines":[`...)
	for i := range o.Lines {
		line := &o.Lines[i]
		to = member(append(after(to, i), '{'), "offer_id", line.OfferID)
		to = said(to, "spec_id", line.SpecID)
		to = append(count(to, "quantity", line.Quantity), '}')
	}
	return append(to, `]}`...)
}

func appendAddress(to []byte, a *worker.Address) []byte {
	to = said(append(to, '{'), "address_id", a.AddressID)
	to = said(to, "full_name", a.FullName)
	to = said(to, "mobile", a.Mobile)
	to = said(to, "phone", a.Phone)
	to = said(to, "post_code", a.PostCode)
	to = said(to, "province", a.Province)
	to = said(to, "city", a.City)
	to = said(to, "area", a.Area)
	to = said(to, "town", a.Town)
	to = said(to, "address", a.Address)
	to = said(to, "district_code", a.DistrictCode)
	return append(to, '}')
}

// brief says whether an answer has nothing that appendAnswer does not write.
func brief(a *worker.Answer) bool {
	for i := range a.Orders {
		if len(a.Orders[i].Holds) > 0 {
			return false
		}
	}
	return len(a.Failed)+len(a.Ordered)+len(a.Quotes)+len(a.Listed) == 0 && a.Proof == nil && a.Detail == nil && a.Link == nil && !a.More
}

func appendAnswer(to []byte, a *worker.Answer) []byte {
	to = member(append(to, '{'), "verdict", string(a.Verdict))
	to = member(to, "code", string(a.Code))
	to = said(to, "reason", a.Reason)
	for i := range a.Orders {
		if i == 0 {
			to = append(to, `,"orders":[`...)
		}
		order := &a.Orders[i]
		to = member(append(after(to, i), '{'), "id", order.ID)
		to = some(to, "total", int64(order.Total))
		to = some(to, "postage", int64(order.Postage))
		to = append(some(to, "discount", int64(order.Discount)), '}')
	}
	if len(a.Orders) > 0 {
		to = append(to, ']')
	}
	return append(some(to, "retry_ms", int64(a.Retry)), '}')
}

// member writes a text, said one that is not empty, count a number, and some one that is not 0.
func member(to []byte, name, text string) []byte {
	to, _ = jsontext.AppendQuote(called(to, name), text) // what is no UTF-8 is written as U+FFFD
	return to
}

func said(to []byte, name, text string) []byte {
	if text == "" {
		return to
	}
	return member(to, name, text)
}

func count(to []byte, name string, n int64) []byte {
	return strconv.AppendInt(called(to, name), n, 10)
}

func some(to []byte, name string, n int64) []byte {
	if n == 0 {
		return to
	}
	return count(to, name, n)
}

// called writes a member's name.
func called(to []byte, name string) []byte {
	if to[len(to)-1] != '{' {
		to = append(to, ',')
	}
	return append(append(append(to, '"'), name...), `":`...)
}

// after parts an element of a list from the one before it.
func after(to []byte, i int) []byte {
	if i == 0 {
		return to
	}
	return append(to, ',')
}
