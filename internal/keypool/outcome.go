package keypool

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"autopurchase/worker"
)

// How much of the words that came with an outcome is kept.
const (
	reasonLimit       = 512 // bytes
	failedReasonLimit = 128 // bytes
)

// outcome is a settled part as it is kept in a claim; the state and the time have fields of their own.
type outcome struct {
	// Code is left out when it says no more than the state.
	Code   worker.Code `json:"c,omitempty"`
	Reason string      `json:"r,omitempty"`
	Orders []order     `json:"o,omitempty"`
	Failed []failed    `json:"f,omitempty"`
}

type order struct {
	ID      string     `json:"i"`
	Total   worker.Fen `json:"t,omitempty"`
	Postage worker.Fen `json:"p,omitempty"`
	// Discount and Lines are known of few orders.
	Discount worker.Fen `json:"d,omitempty"`
	Lines    []int      `json:"l,omitempty"`
}

type failed struct {
	OfferID string        `json:"i"`
	SpecID  string        `json:"s,omitempty"`
	Code    worker.Code   `json:"c,omitempty"`
	Reason  string        `json:"r,omitempty"`
	Tried   []worker.Code `json:"t,omitempty"`
}

// abridge gives an outcome as it will be read back from a claim, so that nobody tells more of it than a redelivery would.
func abridge(part worker.Part) *worker.Part {
	part.Code = cmp.Or(part.Code, worker.Code(part.State))
	part.Reason = shorten(part.Reason, reasonLimit)
	part.Orders = slices.Clone(part.Orders)
	for i := range part.Orders {
		part.Orders[i].Holds = nil
	}
	part.Failed = slices.Clone(part.Failed)
	for i := range part.Failed {
		part.Failed[i].Reason = shorten(part.Failed[i].Reason, failedReasonLimit)
	}
	return &part
}

// pack writes an abridged outcome as the pieces r0, r1, …
func pack(part *worker.Part) []string {
	o := outcome{Code: part.Code, Reason: part.Reason}
	if string(part.Code) == string(part.State) {
		o.Code = ""
	}
	for _, p := range part.Orders {
		o.Orders = append(o.Orders, order{ID: p.ID, Total: p.Total, Postage: p.Postage, Discount: p.Discount, Lines: p.Lines})
	}
	for _, f := range part.Failed {
		o.Failed = append(o.Failed, failed(f))
	}
	text, terse := o.terse()
	if !terse {
		text, _ = json.Marshal(o) // texts and numbers only: it cannot fail
	}
	pieces := make([]string, 0, len(text)/fieldLimit+1)
	for len(text) > fieldLimit {
		pieces, text = append(pieces, string(text[:fieldLimit])), text[fieldLimit:]
	}
	return append(pieces, string(text))
}

// terse writes what most outcomes say in few words: one order's id, total and postage.
func (o outcome) terse() ([]byte, bool) {
	if o.Code != "" || o.Reason != "" || len(o.Failed) > 0 || len(o.Orders) != 1 {
		return nil, false
	}
	p := o.Orders[0]
	if _, err := strconv.ParseUint(p.ID, 10, 64); err != nil || p.Discount != 0 || len(p.Lines) > 0 {
		return nil, false
	}
	text := append([]byte(p.ID), ' ')
	text = append(strconv.AppendInt(text, int64(p.Total), 10), ' ')
	return strconv.AppendInt(text, int64(p.Postage), 10), true
}

// read reads what terse wrote, or JSON.
func (o *outcome) read(text string) error {
	if strings.HasPrefix(text, "{") {
		return json.Unmarshal([]byte(text), o)
	}
	var p order
	if _, err := fmt.Sscanf(text, "%s %d %d", &p.ID, &p.Total, &p.Postage); err != nil {
		return err
	}
	o.Orders = []order{p}
	return nil
}

// unpack reads what pack wrote into a part whose state is set.
func unpack(text string, part *worker.Part) error {
	if text == "" {
		return nil
	}
	var o outcome
	if err := o.read(text); err != nil {
		return fmt.Errorf("outcome of a claim cannot be read: %w", err)
	}
	part.Code, part.Reason = cmp.Or(o.Code, worker.Code(part.State)), o.Reason
	for _, p := range o.Orders {
		part.Orders = append(part.Orders, worker.PlacedOrder{ID: p.ID, Total: p.Total, Postage: p.Postage, Discount: p.Discount, Lines: p.Lines})
	}
	for _, f := range o.Failed {
		part.Failed = append(part.Failed, worker.FailedOffer(f))
	}
	return nil
}

// shorten cuts a text at a whole character within limit bytes and says so by an ellipsis.
func shorten(text string, limit int) string {
	text = strings.ToValidUTF8(text, "\uFFFD")
	if len(text) <= limit {
		return text
	}
	const ellipsis = "…"
	end := limit - len(ellipsis)
	for !utf8.RuneStart(text[end]) {
		end--
	}
	return text[:end] + ellipsis
}
