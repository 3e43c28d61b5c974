package sim1688

import (
	"errors"
	"fmt"
	"slices"
)

// Parcel is something that the seller sent for an order.
type Parcel struct {
	Number  string `json:"number"`
	Carrier string `json:"carrier"`
}

// Progress is a step in the life of an order that buyer and seller take on the website.
type Progress struct {
	OrderID string   `json:"order_id"`
	Step    string   `json:"step"`    // pay, ship_part, ship, receive or finish
	Parcels []Parcel `json:"parcels"` // of ship_part and ship: those that are added
	Silent  bool     `json:"silent"`  // nothing is pushed, as if the push were lost
}

// step is what a Progress makes of an order: 1688's words for it, and from which states it is taken.
type step struct {
	status, topic string
	from          []string
}

const (
	statusSent     = "waitbuyerreceive"
	statusReceived = "confirm_goods"
	statusFinished = "success"
)

var steps = map[string]step{
	"pay":       {statusPaid, "ORDER_PAY", []string{statusUnpaid}},
	"ship_part": {statusPaid, "PART_PART_SENDGOODS", []string{statusPaid}},
	"ship":      {statusSent, "ANNOUNCE_SENDGOODS", []string{statusPaid}},
	"receive":   {statusReceived, "ORDER_COMFIRM_RECEIVEGOODS", []string{statusSent}}, // sic
	"finish":    {statusFinished, "ORDER_SUCCESS", []string{statusReceived}},
}

// Progress takes a step and pushes it. It changes nothing and returns an error that names the field if the order is not there, or
// does not stand where the step begins.
func (s *Sim) Progress(p Progress) error {
	taken, known := steps[p.Step]
	if !known {
		return fmt.Errorf("step: %q is not pay, ship_part, ship, receive or finish", p.Step)
	}
	e, err := s.books.progress(p, taken)
	if err != nil || p.Silent {
		return err
	}
	s.courier.orderChanged(e, "ORDER_BUYER_VIEW_"+taken.topic)
	return nil
}

func (b *books) progress(p Progress, taken step) (entry, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	e := b.byID[p.OrderID]
	switch {
	case e == nil:
		return entry{}, errors.New("order_id: there is no such order")
	case !slices.Contains(taken.from, e.Status):
		return entry{}, fmt.Errorf("step: an order that is %s does not %s", e.Status, p.Step)
	}
	if p.Step == "pay" {
		e.Payments = append(slices.Clip(e.Payments), Payment{OpRequestID: "website", Fen: e.TotalFen, At: b.now()})
	}
	e.Status, e.Parcels = taken.status, append(slices.Clip(e.Parcels), p.Parcels...)
	return *e, nil
}
