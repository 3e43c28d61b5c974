package sim1688

import "encoding/json"

// orderPreview is one order as the platform would make it. Sums are fen, prices of goods yuan.
type orderPreview struct {
	SumPayment          int64          `json:"sumPayment"`
	SumCarriage         int64          `json:"sumCarriage"`
	SumPaymentNoPostage int64          `json:"sumPaymentNoCarriage"`
	Discount            int64          `json:"discountFee"`
	TradeModes          []string       `json:"tradeModeNameList"` // empty: cannot be ordered by API
	Cargo               []cargoPreview `json:"cargoList"`
}

type cargoPreview struct {
	OfferID  string      `json:"offerId"`
	SpecID   string      `json:"specId,omitempty"`
	Code     string      `json:"resultCode,omitempty"`
	Message  string      `json:"message,omitempty"`
	Quantity int64       `json:"quantity"`
	Price    json.Number `json:"finalUnitPrice"`
	Amount   json.Number `json:"amount"`
}

// preview prices a purchase: one entry per supplier, because the platform splits by supplier here and only here.
func (g *gateway) preview(c *call) answer {
	for _, name := range []string{"addressParam", "cargoParamList"} {
		if c.get(name) == "" {
			return missing(name)
		}
	}
	lines, refused := readLines(c.get("cargoParamList"))
	if refused != nil {
		return previewRefused(refused, nil)
	}
	c.lines = lines
	shape := g.faults.strike(stageShape, c)
	if shape.Kind == "refuse" {
		return previewRefused(refuse(shape.code(), -1), nil)
	}
	previews, refused := g.books.preview(lines, shape.Kind == "order_list")
	if refused != nil {
		return previewRefused(refused, previews)
	}
	success := any(true)
	switch shape.Kind {
	case "text_success":
		success = "true"
	case "partial":
		cargo := previews[len(previews)-1].Cargo
		cargo[len(cargo)-1].Code, cargo[len(cargo)-1].Message = shape.code(), meaning(shape.code())
	}
	return ok(map[string]any{"success": success, "orderPreviewResuslt": previews}) // the platform's spelling
}

// previewRefused names the lines that are refused, if it is about lines. Whether 1688's does is not known.
func previewRefused(r *refusal, previews []orderPreview) answer {
	said := map[string]any{"success": false, "errorCode": r.code, "errorMsg": r.message}
	if len(previews) > 0 {
		said["orderPreviewResuslt"] = previews
	}
	return ok(said)
}

// preview makes an entry for each supplier, or for each line if the order is split further. If lines are refused they say why, and
// the first reason is the whole one's.
func (b *books) preview(lines []Line, split bool) (previews []orderPreview, first *refusal) {
	b.mu.Lock()
	defer b.mu.Unlock()
	at := map[string]int{} // seller → index of its preview
	for i, line := range lines {
		code := b.wouldRefuse(line)
		if code != "" && first == nil {
			first = refuse(code, i)
		}
		g := b.shelf[line.OfferID]
		if g == nil {
			g = &good{}
		}
		n, begun := at[g.Seller]
		if !begun || split {
			n = len(previews)
			at[g.Seller] = n
			previews = append(previews, orderPreview{TradeModes: []string{tradeMode}})
		}
		previews[n].add(g, line)
		if code != "" {
			cargo := &previews[n].Cargo[len(previews[n].Cargo)-1]
			cargo.Code, cargo.Message = code, meaning(code)
		}
	}
	return previews, first
}

// wouldRefuse looks at one line by itself. An offer that cannot be ordered by API can still be seen.
func (b *books) wouldRefuse(line Line) string {
	g := b.shelf[line.OfferID]
	if g != nil && g.NotByAPI {
		return ""
	}
	code := b.take(&line, line.OfferID)
	if code == "" {
		b.giveBack([]Line{line})
	}
	return code
}

func (p *orderPreview) add(g *good, line Line) {
	amount := g.PriceFen * line.Quantity
	p.SumPaymentNoPostage += amount
	p.SumCarriage = max(p.SumCarriage, g.PostFen)
	p.Discount = max(p.Discount, g.DiscountFen)
	p.SumPayment = p.SumPaymentNoPostage + p.SumCarriage - p.Discount
	if g.NotByAPI {
		p.TradeModes = []string{}
	}
	p.Cargo = append(p.Cargo, cargoPreview{
		OfferID: line.OfferID, SpecID: line.SpecID, Quantity: line.Quantity, Price: yuan(g.PriceFen), Amount: yuan(amount),
	})
}
