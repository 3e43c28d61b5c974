package sim1688

import "errors"

// Orders returns the orders that exist and match, oldest first.
func (s *Sim) Orders(filter OrderFilter) []Order { return s.books.list(filter) }

// Keys returns what was counted for each key, sorted by app key.
func (s *Sim) Keys() []KeyBook { return s.books.keys() }

// AddKey makes a key known. It returns an error that names the field if the key is wrong or known already.
func (s *Sim) AddKey(key Key) error { return s.books.addKey(key) }

// Inject puts these faults in force in place of those before; none ends every fault. It changes nothing and returns an error
// naming the fault and the field if one is wrong.
func (s *Sim) Inject(list ...Fault) error { return s.faults.replace(list) }

// Faults returns the faults in force and how often each fired.
func (s *Sim) Faults() []FaultBook { return s.faults.books() }

// SetStock sets what is left of an SKU, or of every SKU of the offer if spec is empty.
func (s *Sim) SetStock(offerID, spec string, stock int64) error {
	return s.books.setStock(offerID, spec, stock)
}

// SetPrice sets what an offer costs from now on, in fen.
func (s *Sim) SetPrice(offerID string, fen int64) error { return s.books.setPrice(offerID, fen) }

// SetOrderPrice gives an unpaid order another price, in fen and with its postage, and pushes that. It returns an error if there is
// no such order that is unpaid.
func (s *Sim) SetOrderPrice(orderID string, total, post int64) error {
	e, refused := s.books.setOrderPrice(orderID, total, post)
	if refused != nil {
		return errors.New("order_id: " + refused.message)
	}
	s.courier.orderChanged(e, "ORDER_BUYER_VIEW_ORDER_PRICE_MODIFY")
	return nil
}

// CloseOrder lets the seller close an unpaid order, and pushes that. It returns an error if there is no such order that is unpaid.
func (s *Sim) CloseOrder(orderID string) error {
	e, refused := s.books.closeOrder(orderID)
	if refused != nil {
		return errors.New("order_id: " + refused.message)
	}
	s.courier.orderChanged(e, "ORDER_BUYER_VIEW_ORDER_SELLER_CLOSE")
	return nil
}

// Push sends an event to every session of the key, and again until it is confirmed, three times in all. It returns the push's
// id, or "" if the key is not known or data cannot be written as JSON.
func (s *Sim) Push(appKey, topic string, data any) (pushID string) {
	return s.push(appKey, topic, sourceReal, data)
}

// PushMock is Push with the source MOCK: what a person sends from the platform's page to test an app's messages.
func (s *Sim) PushMock(appKey, topic string, data any) (pushID string) {
	return s.push(appKey, topic, sourceMock, data)
}

func (s *Sim) push(appKey, topic, source string, data any) (pushID string) {
	a := s.books.account(appKey)
	text, err := encodeAny(data)
	if a == nil || err != nil {
		return ""
	}
	return s.courier.publish(a.key(), topic, source, text)
}

// key names the account on a push, without its secrets.
func (a *account) key() Key { return Key{AppKey: a.AppKey, Member: a.Member} }

// Unconfirmed returns the ids of a key's pushes that nobody confirmed, oldest first.
func (s *Sim) Unconfirmed(appKey string) []string {
	ids := []string{}
	for _, p := range s.courier.unconfirmed(appKey) {
		ids = append(ids, p.event().MsgID.String())
	}
	return ids
}

// Sessions returns how many message-websocket sessions of a key are connected.
func (s *Sim) Sessions(appKey string) int { return s.courier.listeners(appKey) }

// Reset takes orders, counts, faults, pushes, stock and prices back to the start. Keys, tokens and sessions stay.
func (s *Sim) Reset() {
	s.books.reset()
	s.courier.reset()
	_ = s.faults.replace(nil) // no fault is a wrong one
}
