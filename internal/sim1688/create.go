package sim1688

import "cmp"

// create makes an order. Faults of the shape stage decide how the answer is told; the books are entered either way.
func (g *gateway) create(c *call) answer {
	for _, name := range []string{"flow", "addressParam", "cargoParamList"} {
		if c.get(name) == "" {
			return missing(name)
		}
	}
	lines, refused := readLines(c.get("cargoParamList"))
	if refused == nil {
		refused = checkDelivery(c)
	}
	if refused != nil {
		return createRefused(refused)
	}
	c.lines = lines
	shape := g.faults.strike(stageShape, c)
	if shape.Kind == "refuse" {
		return createRefused(refuse(shape.code(), -1))
	}
	return g.enter(c, shape)
}

func (g *gateway) enter(c *call, shape Fault) answer {
	p := purchase{account: c.account, ref: c.get("outOrderId"), lines: c.lines, split: shape.Kind == "order_list", district: c.district}
	var failed []failedOffer
	if shape.Kind == "partial" {
		last := len(p.lines) - 1
		failed = []failedOffer{newFailedOffer(p.lines[last], shape.code())}
		p.lines = p.lines[:last]
	}
	p.late = g.faults.strike(stageVisibility, c).delay()
	placed, refused := g.books.place(p)
	if refused != nil {
		return createRefused(refused)
	}
	for _, e := range placed {
		g.courier.orderChanged(e, "ORDER_BUYER_VIEW_BUYER_MAKE")
	}
	return created(shape, placed, failed)
}

func (f Fault) code() string { return cmp.Or(f.Code, "500_004") }

type createAnswer struct {
	Success any           `json:"success"`
	Code    string        `json:"code,omitempty"`
	Message string        `json:"message,omitempty"`
	Result  *createResult `json:"result,omitempty"`
}

// createResult tells one order in its single fields, or several in orderList.
type createResult struct {
	OrderID string        `json:"orderId,omitempty"`
	Total   int64         `json:"totalSuccessAmount,omitempty"` // fen
	Post    *int64        `json:"postFee,omitempty"`            // fen
	Failed  []failedOffer `json:"failedOfferList,omitempty"`
	Orders  []listedOrder `json:"orderList,omitempty"`
}

type failedOffer struct {
	OfferID string `json:"offerId"`
	SpecID  string `json:"specId,omitempty"`
	Code    string `json:"errorCode"`
	Message string `json:"errorMessage"`
}

func newFailedOffer(line Line, code string) failedOffer {
	return failedOffer{OfferID: line.OfferID, SpecID: line.SpecID, Code: code, Message: meaning(code)}
}

type listedOrder struct {
	OrderID string `json:"orderId"`
	Amount  int64  `json:"orderAmmount"` // the platform's spelling; fen
	Post    int64  `json:"postFee"`      // fen
	Success bool   `json:"success"`
	Code    string `json:"resultCode"`
}

func createRefused(r *refusal) answer {
	return ok(createAnswer{Success: false, Code: r.code, Message: r.message})
}

// created tells of orders that exist, in the shape a fault asks for.
func created(shape Fault, placed []entry, failed []failedOffer) answer {
	result := createResult{OrderID: placed[0].OrderID, Total: placed[0].TotalFen, Post: &placed[0].PostFen, Failed: failed}
	whole := createAnswer{Success: true, Result: &result}
	switch shape.Kind {
	case "order_list":
		result = createResult{Orders: listed(placed)}
	case "text_success":
		whole.Success = "true"
	case "success_without_id":
		result = createResult{}
	case "empty_object":
		return ok(struct{}{})
	case "id_beside_failure":
		whole.Success, whole.Code, whole.Message = false, shape.code(), meaning(shape.code())
	case "un_nested":
		return ok(struct {
			Success bool `json:"success"`
			createResult
		}{true, result})
	}
	return ok(whole)
}

func listed(placed []entry) []listedOrder {
	list := make([]listedOrder, len(placed))
	for i, e := range placed {
		list[i] = listedOrder{OrderID: e.OrderID, Amount: e.TotalFen, Post: e.PostFen, Success: true}
	}
	return list
}
