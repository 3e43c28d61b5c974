package worker

import "context"

// carried is a context with what travels with a request.
type carried struct {
	context.Context
	along context.Context
}

// carry gives the context to handle a delivery under.
func (d *Delivery) carry(ctx context.Context) context.Context {
	if d.Context == nil {
		return ctx
	}
	return carried{ctx, d.Context}
}

// Value is that of the one or the other.
func (c carried) Value(key any) any {
	if value := c.Context.Value(key); value != nil {
		return value
	}
	return c.along.Value(key)
}
