package worker

// OrderState is where an order at 1688 stands, in our words.
type OrderState string

// The states of an order. It moves along this graph, and may leap over what nobody told of:
//
//	ordered ─► paid ─► shipped_in_part ─► shipped ─► received ─► finished
//	   └─────────┴───────────┴──────────────┴───► closed_by_buyer | closed_by_seller | closed_by_platform | closed
//	             └───────────┴──────────────┴──────────┴───────────┴───► refunded
//
// 1688's words for a refund do not say whether all was paid back, nor whether it is more than asked for: a refunded order may still
// be shipped, received, finished or closed, by an event that is younger than the refund.
const (
	StateOrdered          OrderState = "ordered"
	StatePaid             OrderState = "paid"
	StateShippedInPart    OrderState = "shipped_in_part"
	StateShipped          OrderState = "shipped"
	StateReceived         OrderState = "received"
	StateFinished         OrderState = "finished"
	StateClosedByBuyer    OrderState = "closed_by_buyer"
	StateClosedBySeller   OrderState = "closed_by_seller"
	StateClosedByPlatform OrderState = "closed_by_platform"
	StateClosed           OrderState = "closed" // nobody said by whom
	StateRefunded         OrderState = "refunded"
)

// OrderStates lists the states.
func OrderStates() []OrderState {
	return []OrderState{StateOrdered, StatePaid, StateShippedInPart, StateShipped, StateReceived, StateFinished,
		StateClosedByBuyer, StateClosedBySeller, StateClosedByPlatform, StateClosed, StateRefunded}
}

// OrderEvents lists the events: the states, and what is beside them.
func OrderEvents() []OrderEvent {
	var all []OrderEvent
	for _, state := range OrderStates() {
		all = append(all, OrderEvent(state))
	}
	return append(all, EventPaidInPart, EventPaymentFailed, EventPriceChanged, EventMemo, EventTrace, EventTracking, EventOther)
}

// line is the way of an order to which nothing happens.
var line = map[OrderState]int{StateOrdered: 1, StatePaid: 2, StateShippedInPart: 3, StateShipped: 4, StateReceived: 5, StateFinished: 6}

// Closed says whether the order was ended before it came.
func (s OrderState) Closed() bool {
	return s == StateClosedByBuyer || s == StateClosedBySeller || s == StateClosedByPlatform || s == StateClosed
}

// Final says whether nothing more is expected of an order.
func (s OrderState) Final() bool { return s == StateFinished || s == StateRefunded || s.Closed() }

// Reached says whether an order that stands here has been there on its way; of what is off the way nothing is said.
func (s OrderState) Reached(there OrderState) bool { return line[s] > 0 && line[s] >= line[there] }

// leads says whether the graph has a way from here to there. younger says that what leads there happened after what led here.
func (s OrderState) leads(there OrderState, younger bool) bool {
	switch {
	case s == "":
		return true
	case s == StateRefunded:
		return younger && (there.Closed() || line[there] >= line[StateShippedInPart])
	case s == StateClosed: // that it was somebody is more than nothing
		return there.Closed() && there != StateClosed
	case s.Closed():
		return false
	case there == StateRefunded:
		return line[s] >= line[StatePaid] || younger
	case there.Closed():
		return line[s] < line[StateReceived]
	}
	return line[there] > line[s]
}

const orderTopic = "ORDER_BUYER_VIEW_"

// topics are 1688's names of events, as its documentation has them, and what we call them.
var topics = map[string]OrderEvent{
	orderTopic + "BUYER_MAKE":                  OrderEvent(StateOrdered),
	orderTopic + "ORDER_PRICE_MODIFY":          EventPriceChanged,
	orderTopic + "ORDER_PAY":                   OrderEvent(StatePaid),
	orderTopic + "ORDER_STEP_PAY":              EventPaidInPart,
	orderTopic + "PART_PART_SENDGOODS":         OrderEvent(StateShippedInPart),
	orderTopic + "ANNOUNCE_SENDGOODS":          OrderEvent(StateShipped),
	orderTopic + "ORDER_COMFIRM_RECEIVEGOODS":  OrderEvent(StateReceived), // sic
	orderTopic + "ORDER_SUCCESS":               OrderEvent(StateFinished),
	orderTopic + "ORDER_BUYER_CLOSE":           OrderEvent(StateClosedByBuyer),
	orderTopic + "ORDER_SELLER_CLOSE":          OrderEvent(StateClosedBySeller),
	orderTopic + "ORDER_BOPS_CLOSE":            OrderEvent(StateClosedByPlatform),
	orderTopic + "ORDER_BUYER_REFUND_IN_SALES": OrderEvent(StateRefunded),
	orderTopic + "ORDER_REFUND_AFTER_SALES":    OrderEvent(StateRefunded),
	orderTopic + "MODIFY_MEMO":                 EventMemo,
	"LOGISTICS_BUYER_VIEW_TRACE":               EventTrace,
	"LOGISTICS_MAIL_NO_CHANGE":                 EventTracking,
}

// topicBatchPay tells of several orders that were paid at once, each with a word of its own.
const topicBatchPay, batchPaid = "ORDER_BATCH_PAY", "successed" // sic

func eventOf(topic, status string) OrderEvent {
	if topic == topicBatchPay {
		if status == batchPaid {
			return OrderEvent(StatePaid)
		}
		return EventPaymentFailed
	}
	if event, known := topics[topic]; known {
		return event
	}
	return EventOther
}

// StateOf is the state that a status of 1688's in an order's detail stands for; "" for one whose meaning is not known for sure, such
// as waitlogisticstakein. The set is open.
func StateOf(status string) OrderState {
	switch status {
	case "waitbuyerpay":
		return StateOrdered
	case "waitsellersend":
		return StatePaid
	case "waitbuyerreceive":
		return StateShipped
	case "confirm_goods":
		return StateReceived
	case "success":
		return StateFinished
	case "cancel", "terminated":
		return StateClosed
	}
	return ""
}
