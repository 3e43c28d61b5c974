package sim1688

import "encoding/json"

// tradeView is an order as the list and the detail show it. Amounts are yuan, but the discount, which is fen.
type tradeView struct {
	Base  baseInfo      `json:"baseInfo"`
	Items []productItem `json:"productItems"`
	Ship  logistics     `json:"nativeLogistics"`
}

type baseInfo struct {
	ID       json.Number `json:"id"` // a number above 2^53; idOfStr is the one to trust
	IDOfStr  string      `json:"idOfStr"`
	OutID    string      `json:"outOrderId,omitempty"`
	Status   string      `json:"status"`
	Total    json.Number `json:"totalAmount"`
	Shipping json.Number `json:"shippingFee"`
	Discount int64       `json:"discount"`
	Created  string      `json:"createTime"`
	Buyer    string      `json:"buyerID"`
	Seller   string      `json:"sellerID"`
}

type productItem struct {
	ProductID json.Number `json:"productID"`
	SpecID    string      `json:"specId,omitempty"`
	Quantity  int64       `json:"quantity"`
	Price     json.Number `json:"price"`
	Amount    json.Number `json:"itemAmount"`
}

type logistics struct {
	Items []logisticsItem `json:"logisticsItems,omitempty"`
}

type logisticsItem struct {
	Number  string `json:"logisticsBillNo"`
	Carrier string `json:"logisticsCompanyName"`
}

func view(e entry) tradeView {
	v := tradeView{Base: baseInfo{
		ID: json.Number(e.OrderID), IDOfStr: e.OrderID, OutID: e.OutOrderID, Status: e.Status,
		Total: yuan(e.TotalFen), Shipping: yuan(e.PostFen), Discount: e.Discount, Created: gatewayTime(e.CreatedAt), Buyer: e.Member, Seller: e.seller,
	}}
	for _, p := range e.Parcels {
		v.Ship.Items = append(v.Ship.Items, logisticsItem(p))
	}
	for _, line := range e.Lines {
		v.Items = append(v.Items, productItem{
			ProductID: json.Number(line.OfferID), SpecID: line.SpecID, Quantity: line.Quantity,
			Price: yuan(line.PriceFen), Amount: yuan(line.PriceFen * line.Quantity),
		})
	}
	return v
}

const maxPageSize = 50

// orderList pages through the buyer's orders, newest first; outOrderId narrows it to one reference, createStartTime and createEndTime to
// the time between them. The platform's answer has no
// success field.
func (g *gateway) orderList(c *call) answer {
	page, pageOK := c.number("page", 1, 1_000_000)
	size, sizeOK := c.number("pageSize", 20, maxPageSize)
	if !pageOK || !sizeOK {
		return denied(invalid("page or pageSize"))
	}
	from, fromOK := c.moment("createStartTime")
	to, toOK := c.moment("createEndTime")
	if !fromOK || !toOK {
		return denied(invalid("createStartTime or createEndTime"))
	}
	found, total := g.books.buyerOrders(query{member: c.account.Member, ref: c.get("outOrderId"), from: from, to: to, page: page, size: size})
	views := make([]tradeView, len(found))
	for i, e := range found {
		views[i] = view(e)
	}
	return ok(map[string]any{"result": views, "totalRecord": total})
}

// buyerView shows one order, asked by its id or by the buyer's own reference (the newest, if there are several).
func (g *gateway) buyerView(c *call) answer {
	if c.get("webSite") == "" {
		return missing("webSite")
	}
	e, found := g.wanted(c)
	if !found {
		return ok(map[string]any{"success": "false", "errorCode": "SIM_ORDER_NOT_FOUND", "errorMessage": meaning("SIM_ORDER_NOT_FOUND")})
	}
	return ok(map[string]any{"success": "true", "result": view(e)})
}

func (g *gateway) wanted(c *call) (entry, bool) {
	if id := c.get("orderId"); id != "" {
		return g.books.buyerOrder(c.account.Member, id)
	}
	if c.get("outOrderId") == "" {
		return entry{}, false
	}
	found, _ := g.books.buyerOrders(query{member: c.account.Member, ref: c.get("outOrderId"), page: 1, size: 1})
	if len(found) == 0 {
		return entry{}, false
	}
	return found[0], true
}

func (g *gateway) cancel(c *call) answer {
	for _, name := range []string{"webSite", "tradeID", "cancelReason"} {
		if c.get(name) == "" {
			return missing(name)
		}
	}
	switch c.get("cancelReason") {
	case "buyerCancel", "sellerGoodsLack", "other":
	default:
		return denied(invalid("cancelReason"))
	}
	e, refused := g.books.cancel(c.account.Member, c.get("tradeID"))
	if refused != nil {
		return denied(refused)
	}
	g.courier.orderChanged(e, "ORDER_BUYER_VIEW_ORDER_BUYER_CLOSE")
	return ok(map[string]any{"success": true})
}
