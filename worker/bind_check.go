package worker

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"
)

// showTime bounds one question to 1688 about an order, since a person waits for the answer.
const showTime = 10 * time.Second

// skew is how much 1688's clock and the broker's may differ.
const skew = time.Minute

// candidate finds the order of the request that the word is about.
func (b *Binder) candidate(ctx context.Context, w Binding) (*file, *Ended, error) {
	f, err := b.open(ctx, w.Tenant, w.RequestID)
	if err != nil {
		return nil, nil, err
	}
	if f.into != "" {
		return nil, nil, w.wrong("request_id", partOf+f.into+": bind to that")
	}
	var without []*Ended
	for _, e := range f.ended {
		has := sameOrders(e.Claim.Part.Orders, []string{w.OrderID})
		switch {
		case w.Reference == e.Claim.Reference, w.Reference == "" && has:
			return f, e, w.occupied(e)
		case len(e.Claim.Part.Orders) == 0:
			without = append(without, e)
		}
	}
	switch {
	case w.Reference != "":
		return nil, nil, w.wrong("out_order_id", "is no order of this request")
	case len(without) == 0:
		return f, f.ended[0], w.occupied(f.ended[0])
	case len(without) > 1:
		return nil, nil, w.wrong("out_order_id", "must name one of the request's orders that have none at 1688: "+references(without))
	}
	return f, without[0], nil
}

func references(ended []*Ended) string {
	var list []string
	for _, e := range ended {
		list = append(list, e.Claim.Reference)
	}
	return strings.Join(list, ", ")
}

// occupied is why no order is bound to one that has another.
func (w Binding) occupied(e *Ended) error {
	if len(e.Claim.Part.Orders) == 0 || sameOrders(e.Claim.Part.Orders, []string{w.OrderID}) {
		return nil
	}
	return w.wrong("order_id", "is not bound: "+e.Claim.Reference+" "+tell(e.Claim.Part))
}

func (w Binding) wrong(field, reason string) error {
	return &Invalid{RequestID: w.RequestID, Field: field, Reason: reason}
}

// show asks 1688 for the order, with the claim's key or another of its account, or with a key of each account that may pay for the
// request until one has it.
func (b *Binder) show(ctx context.Context, f *file, e *Ended, w Binding) (OrderDetail, string, error) {
	holders, err := b.Holders.Holders(ctx, f.asked.Pool)
	if err != nil {
		return OrderDetail{}, "", err
	}
	holders, whose := f.payers(e, holders)
	asked, mute := map[string]bool{}, ""
	for _, h := range holders {
		if h.Account != "" && asked[h.Account] {
			continue
		}
		answer := b.detail(ctx, h.AppKey, w.OrderID)
		switch answer.Verdict {
		case Placed:
			return *answer.Detail, h.AppKey, nil
		case Absent:
			asked[h.Account] = true
		default:
			mute = joined(mute, "app key "+h.AppKey+": "+answer.Reason)
		}
	}
	if mute != "" {
		return OrderDetail{}, "", &Trouble{Code: CodeChannelDown, Reason: "1688 cannot be asked for the order now: " + mute}
	}
	return OrderDetail{}, "", w.wrong("order_id", "is no order that 1688 shows to "+whose)
}

func (b *Binder) detail(ctx context.Context, appKey, orderID string) Answer {
	ctx, cancel := context.WithTimeout(ctx, showTime)
	defer cancel()
	return b.Books.Detail(ctx, appKey, orderID)
}

// payers are the keys whose buyer may have made the order, and who that is in words. Of one that may have been sent it is the
// account of the key that sent it.
func (f *file) payers(e *Ended, all []Holder) ([]Holder, string) {
	keys := e.Claim.Keys()
	if keys[0] == "" || !f.mayExist(e) && len(e.Claim.Part.Orders) == 0 {
		if f.asked.Account == "" {
			return all, "any buyer account of pool " + f.asked.Pool
		}
		return slices.DeleteFunc(slices.Clone(all), func(h Holder) bool { return h.Account != f.asked.Account }), "the buyer account " + f.asked.Account
	}
	var own, same []Holder
	for _, key := range keys {
		h := Holder{AppKey: key}
		if at := slices.IndexFunc(all, func(h Holder) bool { return h.AppKey == key }); at >= 0 {
			h = all[at]
		}
		own = append(own, h)
		for _, other := range all {
			if other.Account != "" && other.Account == h.Account && !slices.Contains(keys, other.AppKey) {
				same = append(same, other)
			}
		}
	}
	return append(own, same...), "the buyer account of app key " + strings.Join(keys, ", ")
}

// compare says how the order differs from what was asked for. That it is another request's is an error.
func (b *Binder) compare(ctx context.Context, f *file, e *Ended, w Binding, order OrderDetail) (differences []string, err error) {
	switch _, _, _, ours := ParseReference(order.Reference); {
	case order.Reference == e.Claim.Reference || order.Reference == "":
	case ours:
		return nil, w.wrong("order_id", "is the order of "+order.Reference+", which it was made for")
	default:
		differences = append(differences, "it was made by an app, as "+order.Reference)
	}
	bond, entry, err := b.Register.Bond(ctx, w.OrderID)
	if err != nil {
		return nil, err
	}
	if entry != 0 && bond.OutOrderID != e.Claim.Reference {
		return nil, w.wrong("order_id", bond.Holds())
	}
	differences = append(differences, order.goodsDiffer(e.Child.Order)...)
	differences = append(differences, order.circumstancesDiffer(f.asked)...)
	doubt, err := b.doubt(ctx, f, e, w)
	if err != nil {
		return nil, err
	}
	again, err := b.askedAgain(ctx, f)
	return append(append(differences, doubt...), again...), err
}

// doubt says whether 1688 may have, or be about to make, another order for the same.
func (b *Binder) doubt(ctx context.Context, f *file, e *Ended, w Binding) (doubts []string, err error) {
	if !f.mayExist(e) {
		return nil, nil
	}
	if found, _ := b.find(ctx, f.asked.Pool, e); found.Verdict == Placed && !sameOrders(found.Orders, []string{w.OrderID}) {
		return nil, w.wrong("order_id", "is not bound: 1688 has "+idsOf(found.Orders)+" for it")
	}
	if e.Claim.State == ClaimSent {
		doubts = append(doubts, "it was sent and not answered yet: 1688 may still make an order of it")
	}
	return doubts, nil
}

// askedAgain says whether the request was asked for again under another id.
func (b *Binder) askedAgain(ctx context.Context, f *file) ([]string, error) {
	root, n := f.asked.root()
	again := retryID(root, n+1)
	if len(again) > MaxID { // then it never was
		return nil, nil
	}
	next, found, err := b.Record.Asked(ctx, f.asked.Tenant, again)
	if err != nil || !found || next.Origin != f.asked.ID {
		return nil, err
	}
	return []string{"the request was asked for again as " + next.ID}, nil
}

// goodsDiffer compares offers, specifications and quantities.
func (d OrderDetail) goodsDiffer(order Order) (differences []string) {
	if len(d.Items) == 0 {
		return []string{"1688 does not say what it holds"}
	}
	wanted := map[SKU]int64{}
	var skus []SKU
	for _, line := range order.Lines {
		sku := SKU{line.OfferID, line.SpecID}
		if wanted[sku] == 0 {
			skus = append(skus, sku)
		}
		wanted[sku] += line.Quantity
	}
	for _, sku := range skus {
		there, lines := int64(0), 0
		for _, item := range d.Items {
			if item.sku().is(Line{OfferID: sku.OfferID, SpecID: sku.SpecID}) {
				there, lines = there+item.Quantity, lines+1
			}
		}
		switch {
		case lines == 0:
			differences = append(differences, "it lacks "+sku.words())
		case there != wanted[sku]:
			differences = append(differences, fmt.Sprintf("it holds %d of %s, and %d are asked for", there, sku.words(), wanted[sku]))
		}
	}
	for _, item := range d.Items {
		if sku := item.sku(); !sku.isIn(order.Lines) {
			differences = append(differences, "it holds "+sku.words()+", which is not asked for")
		}
	}
	return differences
}

func (g Goods) sku() SKU { return SKU{OfferID: g.OfferID, SpecID: g.SpecID} }

func (s SKU) words() string {
	if s.SpecID == "" {
		return "offer " + s.OfferID
	}
	return "offer " + s.OfferID + " spec " + s.SpecID
}

// circumstancesDiffer compares what else is known of it.
func (d OrderDetail) circumstancesDiffer(asked Asked) (differences []string) {
	if Closed(d.Status) {
		differences = append(differences, "1688 has closed it: "+d.Status)
	}
	if asked.MaxTotal > 0 && d.Total > asked.MaxTotal {
		differences = append(differences, "its total of "+d.Total.Yuan()+" is above max_total "+asked.MaxTotal.Yuan())
	}
	if made := time.UnixMilli(d.Made); d.Made > 0 && made.Add(skew).Before(asked.Published) {
		differences = append(differences, "it was made at "+made.UTC().Format(time.RFC3339)+", before the request was published")
	}
	return differences
}
