package main

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"autopurchase/internal/bus"
	"autopurchase/internal/channel"
	"autopurchase/worker"
)

// paySettings say what is paid without a person. All workers should be given the same.
type paySettings struct {
	timeout, lookFor time.Duration
	retryUnanswered  bool
	order, day       int // fen
	of               map[string]worker.Ceilings
}

func (p *paySettings) bind(set *settings) {
	const most = 100_000_000_000
	set.duration(&p.timeout, "pay-timeout", 30*time.Second, time.Second, "how long the call may take by which an order with pay auto is paid for")
	set.duration(&p.lookFor, "pay-look-for", 2*time.Minute, 2*time.Second, "how long an order whose payment may have been taken is looked at, if 1688 shows it as unpaid, until it is tried again or waits for a person; at least twice pay-timeout")
	set.flag(&p.retryUnanswered, "pay-retry-unanswered", "try a payment again that 1688 never answered, once it has shown the order as unpaid for pay-look-for, as its documentation allows; how long it takes to show a payment is not known, so that this may pay twice. Without it such a payment waits for a person")
	set.number(&p.order, "pay-order-ceiling", 500_000, 0, most, "the most, in fen, that is paid for one order without a person; 0 for no ceiling")
	set.number(&p.day, "pay-day-ceiling", 5_000_000, 0, most, "the most, in fen, that a buyer account pays in a day of China without a person; 0 for no ceiling")
	var of []string
	set.list(&of, "pay-ceilings", "other ceilings for single accounts, as ACCOUNT=ORDER/DAY in fen, with commas between them; a key without an account is its own")
	set.check(func(terminal) (err error) {
		p.of, err = readCeilings(of)
		return errors.Join(err, p.config().Validate())
	})
}

func readCeilings(texts []string) (map[string]worker.Ceilings, error) {
	all := map[string]worker.Ceilings{}
	for _, text := range texts {
		account, limits, _ := strings.Cut(text, "=")
		order, day, _ := strings.Cut(limits, "/")
		o, errOrder := strconv.ParseUint(order, 10, 40)
		d, errDay := strconv.ParseUint(day, 10, 40)
		if account == "" || errOrder != nil || errDay != nil {
			return nil, fmt.Errorf("--pay-ceilings %q: must be ACCOUNT=ORDER/DAY in fen, such as buyer-1=200000/3000000", text)
		}
		all[account] = worker.Ceilings{Order: worker.Fen(o), Day: worker.Fen(d)}
	}
	return all, nil
}

func (p *paySettings) config() worker.CashierConfig {
	return worker.CashierConfig{PayTimeout: p.timeout, LookFor: p.lookFor, RetryUnanswered: p.retryUnanswered, Ceilings: p.ceilings}
}

func (p *paySettings) ceilings(account string) worker.Ceilings {
	if own, named := p.of[account]; named {
		return own
	}
	return worker.Ceilings{Order: worker.Fen(p.order), Day: worker.Fen(p.day)}
}

// newCashier wires what pays for orders.
func newCashier(s *stores, market *channel.Client, set paySettings, see witness) (*worker.Cashier, error) {
	config := set.config()
	config.Observe = see.observe
	return worker.NewCashier(config, worker.CashierPorts{
		Book: s.bus, Till: s.bus, Teller: market, Record: s.bus, Stopped: s.bus.Stopped,
		Account: func(ctx context.Context, pool, appKey string) (string, error) {
			info, err := s.pool.Show(ctx, pool, appKey)
			return info.Account, err
		},
	})
}

// payAdmin answers what persons say and ask about payments.
type payAdmin struct {
	*stores
	cashier *worker.Cashier
	market  *channel.Client
}

func (a payAdmin) endpoints() []bus.Endpoint {
	return []bus.Endpoint{
		bus.PayStop.Answer(a.turn(true)), bus.PayStart.Answer(a.turn(false)), bus.PayAgree.Answer(a.agree), bus.PayLink.Answer(a.link),
		bus.PayUnpaid.Answer(func(ctx context.Context, _ bus.ListUnpaid) ([]worker.Payment, error) { return a.bus.Unpaid(ctx) }),
	}
}

// turn stops payments, or lets them go on. Who did it and why is on record before payments go on, and after they are stopped.
func (a payAdmin) turn(stopped bool) func(context.Context, bus.TurnPayments) (worker.Switch, error) {
	return func(ctx context.Context, ask bus.TurnPayments) (worker.Switch, error) {
		to := worker.Switch{Stopped: stopped, By: ask.By, Why: ask.Why, At: time.Now().UTC()}
		deed := worker.Deed{What: worker.DeedStarted, Text: "payments go on", By: ask.By, Why: ask.Why, At: to.At}
		if stopped {
			deed.What, deed.Text = worker.DeedStopped, "payments are stopped"
			err := a.bus.Turn(ctx, to)
			return to, errors.Join(err, a.bus.Keep(ctx, deed))
		}
		if err := a.bus.Keep(ctx, deed); err != nil {
			return to, err
		}
		return to, a.bus.Turn(ctx, to)
	}
}

func (a payAdmin) agree(ctx context.Context, ask bus.AgreeToPay) (worker.Payment, error) {
	p, err := a.cashier.Agree(ctx, ask.Agreement())
	if err != nil {
		return p, err
	}
	return p, a.bus.Keep(ctx, worker.Deed{What: worker.DeedAgreed, Tenant: ask.Tenant, RequestID: ask.RequestID, OutOrderID: p.Reference,
		Text: "up to " + ask.Most.Yuan() + " may be paid for order " + p.OrderID, By: ask.By, Why: ask.Why, At: time.Now().UTC()})
}
