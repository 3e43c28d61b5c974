package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"autopurchase/internal/bus"
	"autopurchase/internal/dashboard"
	"autopurchase/worker"
)

// List asks the index that is kept here, or whoever keeps one.
func (w window) List(ctx context.Context, filter worker.Filter, page worker.Page) (worker.Listing, error) {
	if w.index != nil {
		return w.index.List(ctx, filter, page)
	}
	return bus.OrdersList.Ask(ctx, w.bus, bus.ListOrders{Filter: filter, Limit: page.Limit, After: page.After})
}

// Life asks a worker.
func (w window) Life(ctx context.Context, tenant, id string) (worker.Life, bool, error) {
	life, err := bus.OrdersShow.Ask(ctx, w.bus, bus.ShowOrder{Tenant: tenant, RequestID: id})
	if refusal, ok := errors.AsType[*bus.AdminError](err); ok && refusal.Code == string(worker.DenyUnknownRequest) {
		return life, false, nil
	}
	return life, err == nil, err
}

// Series is the index's.
func (w window) Series(ctx context.Context, minutes int) ([]worker.Minute, error) {
	if w.index == nil {
		return nil, errors.New("no index of the requests is kept here: start the dashboard with --data")
	}
	return w.index.Series(ctx, time.Now(), minutes)
}

// ChangeRequests asks for each request by itself, since one that cannot be changed must not keep the others from it.
func (w window) ChangeRequests(ctx context.Context, c dashboard.RequestChange) (string, error) {
	done, wrong := 0, []error{}
	for _, name := range c.Requests {
		if err := w.changeRequest(ctx, name, c); err != nil {
			wrong = append(wrong, fmt.Errorf("%s / %s: %w", name.Tenant, name.ID, err))
			continue
		}
		done++
	}
	said := fmt.Sprintf("Done for %d of %d requests.", done, len(c.Requests))
	return said, errors.Join(wrong...)
}

func (w window) changeRequest(ctx context.Context, name dashboard.RequestName, c dashboard.RequestChange) error {
	switch c.Do {
	case "cancel":
		return w.cancel(ctx, bus.CancelOrder{Tenant: name.Tenant, RequestID: name.ID, By: c.By, Why: c.Why})
	case "retry":
		_, err := bus.OrdersRetry.Ask(ctx, w.bus, bus.RetryOrder{Tenant: name.Tenant, RequestID: name.ID, Force: c.Force, By: c.By, Why: c.Why})
		return err
	case "placed", "absent":
		_, err := w.bus.ResolveOrder(ctx, bus.ResolveOrder{
			Tenant: name.Tenant, RequestID: name.ID, OutOrderID: c.Order, Placed: c.OrderIDs, Absent: c.Do == "absent", Force: c.Force, By: c.By, Why: c.Why,
		})
		return err
	}
	return errNotYet
}

// cancel takes a request back. That some of it was sent already is told as an error.
func (w window) cancel(ctx context.Context, ask bus.CancelOrder) error {
	got, err := bus.OrdersCancel.Ask(ctx, w.bus, ask)
	if err != nil || got.Cancelled {
		return err
	}
	var wrong []error
	for _, order := range got.Orders {
		if !order.Cancelled {
			wrong = append(wrong, fmt.Errorf("order %s: %s", order.OutOrderID, order.Reason))
		}
	}
	return errors.Join(wrong...)
}
