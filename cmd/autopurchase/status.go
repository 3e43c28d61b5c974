package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"autopurchase/worker"
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
	Waiting       string    `json:"waiting,omitempty"`
	ProductsLeft  int64     `json:"products_left"`   // of the default pool
	Relay         string    `json:"relay,omitempty"` // "connected" while it has one
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
	vitals := p.worker.Vitals()
	var reasons []string
	for _, pause := range vitals.Pauses {
		reasons = append(reasons, string(pause.Code)+": "+pause.Reason)
	}
	status.Paused, status.PausedBecause = len(reasons) > 0, strings.Join(reasons, "; ")
	status.Waiting = waiting(vitals.Waiting)
	if p.channel.Ready(ctx) == nil {
		status.Relay = "connected"
	}
	return status
}

// waiting says for which orders no key has room.
func waiting(crowds []worker.Crowd) string {
	var texts []string
	for _, c := range crowds {
		texts = append(texts, fmt.Sprintf("%s: pool %s: no key has room for %d orders since %s, the smallest of %d lines and %d pieces",
			worker.CodeNoKey, c.Pool, c.Orders, c.Since.UTC().Format(time.RFC3339), c.Least.Lines, c.Least.Units))
	}
	return strings.Join(texts, "; ")
}
