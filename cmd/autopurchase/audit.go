package main

import (
	"context"

	"autopurchase/internal/sim1688"
	"autopurchase/worker"
)

// audit compares the results with the books of the simulated 1688, which counts for itself: what was promised is judged by
// what was ordered, never by our own counters.
func (s *stage) audit(ctx context.Context, got results) (summary, error) {
	sum := summary{Requests: len(s.samples), Results: len(got)}
	for _, result := range got {
		sum.count(result.Outcome)
	}
	sum.judge(got, s.ordered())
	sum.judgeKeys(s.sim.Keys())
	return sum, s.describeKeys(ctx, &sum)
}

func (s *summary) count(outcome worker.Outcome) {
	switch outcome {
	case worker.OutcomePlaced:
		s.Placed++
	case worker.OutcomePartial:
		s.Partial++
	case worker.OutcomeRefused:
		s.Refused++
	case worker.OutcomeCancelled:
		s.Cancelled++
	case worker.OutcomeUnknown:
		s.Unknown++
	}
}

// ordered gives the samples' orders in the simulator's books, by our reference.
func (s *stage) ordered() map[string][]sim1688.Order {
	books := map[string][]sim1688.Order{}
	for _, order := range s.sim.Orders(sim1688.OrderFilter{}) {
		_, ref, _, ours := worker.ParseReference(order.OutOrderID)
		if id, err := worker.DecodeRef(ref); ours && err == nil && s.asked(id) {
			books[order.OutOrderID] = append(books[order.OutOrderID], order)
		}
	}
	return books
}

// judge finds doubled orders (more than one for a reference) and lost ones: a request without a result, an order that a
// result names and 1688 does not have, and an order that 1688 has and no result accounts for.
func (s *summary) judge(got results, books map[string][]sim1688.Order) {
	s.Lost = s.Requests - len(got)
	accounted := map[string]bool{}
	for _, result := range got {
		for _, order := range result.Orders {
			accounted[order.OutOrderID] = true
			if !has(books[order.OutOrderID], order.OrderID) {
				s.Lost++
			}
		}
		for _, open := range result.Unknown {
			accounted[open.OutOrderID] = true
		}
	}
	for reference, orders := range books {
		s.OrdersAt1688 += len(orders)
		s.Duplicates += calls(orders) - 1
		if !accounted[reference] {
			s.Lost++
		}
		for _, order := range orders {
			s.Products += order.Products
		}
	}
}

// calls counts the create calls behind the orders: the platform may split one call into several orders.
func calls(orders []sim1688.Order) int {
	distinct := map[int64]bool{}
	for _, order := range orders {
		distinct[order.Call] = true
	}
	return len(distinct)
}

func has(orders []sim1688.Order, id string) bool {
	for _, order := range orders {
		if order.OrderID == id {
			return true
		}
	}
	return false
}

func (s *summary) judgeKeys(books []sim1688.KeyBook) {
	for _, key := range books {
		s.OverDrawn += key.OverDrawn
	}
}

// describeKeys adds what the pool says of this run's keys, and how often one took over from another.
func (s *stage) describeKeys(ctx context.Context, sum *summary) error {
	infos, err := s.system.work.pool.Keys(ctx, defaultPool)
	if err != nil {
		return err
	}
	mine := map[string]bool{}
	for _, key := range s.keys {
		mine[key] = true
	}
	for _, info := range infos {
		if !mine[info.AppKey] {
			continue
		}
		sum.Keys = append(sum.Keys, keySummary{AppKey: info.AppKey, Limit: info.Limit, Used: info.Used, Held: info.Held, State: string(info.State)})
		if info.State == "spent" {
			sum.Rotations++
		}
	}
	return nil
}
