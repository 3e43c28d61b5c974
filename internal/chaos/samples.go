package chaos

import (
	"fmt"
	"math/rand/v2"

	"autopurchase/internal/sim1688"
	"autopurchase/worker"
)

// tenant publishes the requests.
const tenant = "chaos"

// samples makes the requests of a seed: one to four lines of one or two sellers, and one line in thirty sold out. Every third is to be
// paid for without a person.
func samples(seed uint64, n int) []worker.Request {
	random := rand.New(rand.NewPCG(seed, 2))
	var offers, soldOut []sim1688.Offer
	for _, offer := range sim1688.DefaultCatalogue() {
		switch {
		case offer.Stock == 0:
			soldOut = append(soldOut, offer)
		case !offer.NotByAPI && offer.PriceFen > 0 && offer.MinQuantity <= 1:
			offers = append(offers, offer)
		}
	}
	requests := make([]worker.Request, n)
	for i := range requests {
		r := worker.Request{ID: fmt.Sprintf("PR.%d", i), Pool: "default", Flow: "general", Pay: "none", DeliverTo: worker.Address{
			FullName: "张三", Mobile: "13800138000", PostCode: "200000", Province: "上海", City: "上海市", Area: "黄浦区", Address: "陕西南路1号",
		}}
		if i%3 == 0 {
			r.Pay = worker.PayAuto
		}
		for _, at := range random.Perm(len(offers))[:1+random.IntN(4)] {
			offer := offers[at]
			if random.IntN(30) == 0 {
				offer = soldOut[random.IntN(len(soldOut))]
			}
			line := worker.Line{OfferID: offer.OfferID, Quantity: int64(1 + random.IntN(3)), Seller: offer.Seller}
			if len(offer.SpecIDs) > 0 {
				line.SpecID = offer.SpecIDs[random.IntN(len(offer.SpecIDs))]
			}
			r.Lines = append(r.Lines, line)
		}
		requests[i] = r
	}
	return requests
}

func products(requests []worker.Request) (sum int) {
	for _, r := range requests {
		sum += len(r.Lines)
	}
	return sum
}
