package channel

import "autopurchase/worker"

// Most bodies are orders and answers as appendOrder and appendAnswer write them, and are read the same way: member by member. The texts that
// are read are parts of one copy of the body.

// readQuick reads a body into an order or an answer, or says false, and leaves it empty, for one that is written in any other way, right or
// wrong, and for whatever else is to be read.
func readQuick(body []byte, into any) bool {
	switch into := into.(type) {
	case *worker.Order:
		return inWhole(body, into, (*scan).order)
	case *worker.Answer:
		return inWhole(body, into, (*scan).answer)
	}
	return false
}

func inWhole[T any](body []byte, into *T, read func(*scan, *T)) bool {
	p := scan{rest: body, whole: string(body)}
	read(&p, into)
	if p.lost || len(p.rest) > 0 {
		*into = *new(T)
		return false
	}
	return true
}

func (p *scan) order(o *worker.Order) {
	p.open(`{`)
	p.member("reference", &o.Reference)
	p.member("app_key", &o.AppKey)
	p.member("flow", &o.Flow)
	p.said("message", &o.Message)
	p.said("trade_type", &o.TradeType)
	p.open(`,"deliver_to":{`)
	p.address(&o.DeliverTo)
	p.must(`},"lines":[`)
	for more := true; more && !p.lost; more = p.word(`,`) {
		var line worker.Line
		p.open(`{`)
		p.member("offer_id", &line.OfferID)
		p.said("spec_id", &line.SpecID)
		p.must(`,"quantity":`)
		line.Quantity = int64(p.number())
		p.must(`}`)
		o.Lines = append(o.Lines, line)
	}
	p.must(`]}`)
}

func (p *scan) address(a *worker.Address) {
	p.said("address_id", &a.AddressID)
	p.said("full_name", &a.FullName)
	p.said("mobile", &a.Mobile)
	p.said("phone", &a.Phone)
	p.said("post_code", &a.PostCode)
	p.said("province", &a.Province)
	p.said("city", &a.City)
	p.said("area", &a.Area)
	p.said("town", &a.Town)
	p.said("address", &a.Address)
	p.said("district_code", &a.DistrictCode)
}

func (p *scan) answer(a *worker.Answer) {
	var verdict, code string
	p.open(`{`)
	p.member("verdict", &verdict)
	p.member("code", &code)
	a.Verdict, a.Code = worker.Verdict(verdict), worker.Code(code)
	p.said("reason", &a.Reason)
	if p.word(`,"orders":[`) {
		for more := true; more && !p.lost; more = p.word(`,`) {
			var order worker.PlacedOrder
			p.open(`{`)
			p.member("id", &order.ID)
			order.Total, order.Postage, order.Discount = worker.Fen(p.some("total")), worker.Fen(p.some("postage")), worker.Fen(p.some("discount"))
			p.must(`}`)
			a.Orders = append(a.Orders, order)
		}
		p.must(`]`)
	}
	a.Retry = int(p.some("retry_ms"))
	p.must(`}`)
}

// open begins an object.
func (p *scan) open(text string) {
	p.must(text)
	p.fresh = true
}

// member reads a text that has to be there, said one that may be left out, and some a number above 0 that may.
func (p *scan) member(name string, into *string) { p.lost = !p.said(name, into) || p.lost }

func (p *scan) said(name string, into *string) bool {
	if !p.called(name, `":"`) {
		return false
	}
	*into = p.text()
	return true
}

func (p *scan) some(name string) int64 {
	if !p.called(name, `":`) {
		return 0
	}
	return int64(p.number())
}

// called reads a member's name, or nothing where that does not come next.
func (p *scan) called(name, end string) bool {
	rest := p.rest
	if p.word(`,`) == p.fresh || !p.word(`"`) || !p.word(name) || !p.word(end) {
		p.rest = rest
		return false
	}
	p.fresh = false
	return true
}
