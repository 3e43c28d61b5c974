package main

import (
	"fmt"
	"slices"
	"strings"

	"autopurchase/internal/bus"
	"autopurchase/worker"
)

// pick are the filters that look into messages. Each that is given must fit.
type pick struct {
	codes    []string
	outcomes []string
	appKey   string
	text     string
	order    *bus.Origin // nil for any
}

func (p *pick) bind(s *settings) {
	s.list(&p.codes, "code", "only messages with one of these codes, with commas between them, such as out_of_stock,no_key")
	s.list(&p.outcomes, "outcome", "only results with one of these outcomes, with commas between them: placed, partial, refused, cancelled, unknown")
	s.text(&p.appKey, "key", "", "only messages that name this app key")
	s.text(&p.text, "text", "", "only messages with this in what a line shows of them, in upper or lower case")
	s.check(p.check)
}

func (p *pick) check(terminal) error {
	known := []worker.Outcome{worker.OutcomePlaced, worker.OutcomePartial, worker.OutcomeRefused, worker.OutcomeCancelled, worker.OutcomeUnknown}
	for _, o := range p.outcomes {
		if !slices.Contains(known, worker.Outcome(o)) {
			return fmt.Errorf("--outcome %q: must be placed, partial, refused, cancelled or unknown", o)
		}
	}
	for _, c := range p.codes {
		if !slices.Contains(worker.Codes(), worker.Code(c)) {
			return fmt.Errorf("--code %q: is no code: see autopurchase schema result", c)
		}
	}
	return nil
}

// wants says whether a message fits.
func (p *pick) wants(m bus.Message, of members) bool {
	return p.about(m, of) &&
		(len(p.codes) == 0 || slices.Contains(p.codes, of.text("code"))) &&
		(len(p.outcomes) == 0 || slices.Contains(p.outcomes, of.text("outcome"))) &&
		(p.appKey == "" || of.names(p.appKey)) &&
		(p.text == "" || strings.Contains(strings.ToLower(m.Subject+of.line()), strings.ToLower(p.text)))
}

// about says whether a message is about the order. A tenant's dead letters have one subject together.
func (p *pick) about(m bus.Message, of members) bool {
	return p.order == nil || !strings.HasPrefix(m.Subject, "purchase.dead.") || of.text("request_id") == p.order.ID
}

func (of members) text(name string) string {
	text, _ := of[name].(string)
	return text
}

// names says whether a message names an app key, for itself or for one of its orders.
func (of members) names(appKey string) bool {
	if of.text("app_key") == appKey {
		return true
	}
	for _, name := range []string{"orders", "unknown"} {
		orders, _ := of[name].([]any)
		for _, each := range orders {
			order, _ := each.(map[string]any)
			also, _ := order["also_on"].([]any)
			if members(order).text("app_key") == appKey || slices.Contains(also, any(appKey)) {
				return true
			}
		}
	}
	return false
}
