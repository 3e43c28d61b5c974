package bus

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"strconv"

	"github.com/nats-io/nats.go/jetstream"

	"autopurchase/worker"
)

// Keep puts on record what a person did. The same deed by the same person is kept once a day, but for what is about payments. Errors are *worker.Trouble.
func (b *Bus) Keep(ctx context.Context, deed worker.Deed) error {
	body, err := json.Marshal(deed)
	if err != nil {
		return err
	}
	return persist(ctx, "keep what was done", func(ctx context.Context) error {
		_, err := b.js.PublishMsg(ctx, message(journalSubject(deed.Tenant, deed.RequestID), body), jetstream.WithMsgID(deedID(deed)), jetstream.WithExpectStream(StreamJournal))
		return err
	})
}

func deedID(deed worker.Deed) string {
	if deed.Repeats() {
		return rand.Text()
	}
	id := string(deed.What) + ":" + deed.Tenant + "." + deed.RequestID + ":" + deed.OutOrderID + ":" + strconv.FormatUint(deed.Letter, 10) + ":" + deed.By
	if deed.OrderID != "" {
		id += ":" + deed.OrderID + ":" + strconv.FormatUint(deed.Entry, 10)
	}
	return id
}
