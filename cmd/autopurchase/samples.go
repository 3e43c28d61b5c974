package main

import (
	"fmt"
	"math/rand/v2"

	"autopurchase/internal/sim1688"
	"autopurchase/worker"
)

// samples makes purchase requests against a catalogue: one to six lines of one to three sellers, and now and then one that
// 1688 refuses: out of stock, below the minimum quantity, an unknown specId.
type samples struct {
	random  *rand.Rand
	good    []sim1688.Offer // can be ordered in any small quantity
	soldOut []sim1688.Offer
	minimum []sim1688.Offer // sold from a minimum quantity up
}

// refusedOneIn is how rare a sample line is that 1688 refuses.
const refusedOneIn = 40

func newSamples(catalogue []sim1688.Offer, seed uint64) *samples {
	s := &samples{random: rand.New(rand.NewPCG(seed, seed))}
	for _, offer := range catalogue {
		switch {
		case offer.NotByAPI || offer.PriceFen == 0:
			// cannot be ordered at all
		case offer.Stock == 0:
			s.soldOut = append(s.soldOut, offer)
		case offer.MinQuantity > 1:
			s.minimum = append(s.minimum, offer)
		default:
			s.good = append(s.good, offer)
		}
	}
	return s
}

func (s *samples) request(id string) worker.Request {
	return worker.Request{
		ID: id, Pool: "default", Flow: "general", Pay: "none", Lines: s.lines(),
		DeliverTo: worker.Address{
			FullName: "张三", Mobile: "13800138000", PostCode: "200000", Province: "上海", City: "上海市", Area: "黄浦区", Address: "陕西南路1号",
		},
	}
}

// lines picks one to six different offers of up to three sellers.
func (s *samples) lines() []worker.Line {
	want := 1 + s.random.IntN(6)
	sellers := map[string]bool{}
	taken := map[string]bool{}
	var lines []worker.Line
	for tries := 0; len(lines) < want && tries < 200; tries++ {
		line := s.line()
		if taken[line.OfferID] || (len(sellers) == 3 && !sellers[line.Seller]) {
			continue
		}
		taken[line.OfferID], sellers[line.Seller] = true, true
		lines = append(lines, line)
	}
	return lines
}

func (s *samples) line() worker.Line {
	if s.random.IntN(refusedOneIn) > 0 {
		return s.of(s.good, int64(1+s.random.IntN(3)))
	}
	switch s.random.IntN(3) {
	case 0:
		return s.of(s.soldOut, 1)
	case 1:
		return s.of(s.minimum, 1)
	default:
		line := s.of(s.good, 1)
		line.SpecID = fmt.Sprintf("%032x", s.random.Uint64())
		return line
	}
}

func (s *samples) of(offers []sim1688.Offer, quantity int64) worker.Line {
	offer := offers[s.random.IntN(len(offers))]
	line := worker.Line{OfferID: offer.OfferID, Quantity: quantity, UnitPrice: worker.Fen(offer.PriceFen), Seller: offer.Seller}
	if len(offer.SpecIDs) > 0 {
		line.SpecID = offer.SpecIDs[s.random.IntN(len(offer.SpecIDs))]
	}
	return line
}
