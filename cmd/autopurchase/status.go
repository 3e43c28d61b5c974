package main

import (
	"context"
	"strings"
	"time"
)

// beatEvery is how often a worker says on purchase.queue.status.<instance> how the queue is.
const beatEvery = 5 * time.Second

// queueStatus is how the queue is, as one worker sees it: what the schema queue-status describes.
type queueStatus struct {
	Depth         uint64    `json:"depth"`
	InFlight      int       `json:"in_flight"`
	OldestSeconds int64     `json:"oldest_seconds"`
	Paused        bool      `json:"paused"`
	PausedBecause string    `json:"paused_because,omitempty"`
	ProductsLeft  int64     `json:"products_left"` // of the default pool
	At            time.Time `json:"at"`
}

// status answers on purchase.queue.status. What cannot be asked now is left out: that the worker answers at all, and why it
// stands still, matters most when something is down.
func (p *workerPart) status(ctx context.Context) any {
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	status := queueStatus{At: time.Now().UTC()}
	if depth, err := p.bus.Depth(ctx); err == nil {
		status.Depth, status.InFlight = depth.Waiting+uint64(depth.InFlight), depth.InFlight
		if !depth.Oldest.IsZero() {
			status.OldestSeconds = int64(status.At.Sub(depth.Oldest).Seconds())
		}
	}
	status.ProductsLeft, _ = p.pool.Left(ctx, defaultPool)
	var reasons []string
	for _, pause := range p.worker.Vitals().Pauses {
		reasons = append(reasons, string(pause.Code)+": "+pause.Reason)
	}
	status.Paused, status.PausedBecause = len(reasons) > 0, strings.Join(reasons, "; ")
	return status
}
