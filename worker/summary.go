package worker

import (
	"slices"
	"time"
)

// Ask takes in what was asked for, and when.
func (s *Summary) Ask(r Request, at time.Time) {
	s.Pool, s.Lines, s.AskedAt, s.Sellers, s.Offers = r.Pool, len(r.Lines), at.UTC(), nil, nil
	for _, line := range r.Lines {
		s.Sellers, s.Offers = union(s.Sellers, line.Seller), union(s.Offers, line.OfferID)
		for _, a := range line.Alternatives {
			s.Offers = union(s.Offers, a.OfferID)
		}
	}
}

// Decide takes in the latest result.
func (s *Summary) Decide(r Result) {
	s.State, s.Code, s.Reason = LifeState(r.Outcome), r.Code, r.Reason
	s.Products, s.Attempt, s.DecidedAt = r.Products, r.Attempt, r.DecidedAt.UTC()
	s.AppKeys, s.OrderIDs = union(nil, r.AppKey), nil
	for _, order := range r.Orders {
		s.AppKeys, s.OrderIDs = union(union(s.AppKeys, order.AppKey), order.AlsoOn...), union(s.OrderIDs, order.OrderID)
	}
	for _, open := range r.Unknown {
		s.AppKeys = union(union(s.AppKeys, open.AppKey), open.AlsoOn...)
	}
}

// union adds what is not in a list yet.
func union(list []string, values ...string) []string {
	for _, value := range values {
		if value != "" && !slices.Contains(list, value) {
			list = append(list, value)
		}
	}
	return list
}
