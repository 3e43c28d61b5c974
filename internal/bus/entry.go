package bus

import (
	"encoding/json"
	"strings"

	"autopurchase/schemas"
	"autopurchase/worker"
)

// Entry reads a message of the streams of requests, results, statuses, payments, dead letters, deeds and choices. What cannot be read has its place and no
// more; a request that no worker takes has its id too, and what is wrong with it.
func (m Message) Entry() worker.Entry {
	e := worker.Entry{Stream: m.Stream, Sequence: m.Sequence, At: m.Time}
	switch m.Stream {
	case StreamRequests:
		m.readRequest(&e)
	case StreamResults:
		if result, err := readResult(m.Subject, m.Data); err == nil {
			e.Tenant, e.RequestID, e.Result = result.Tenant, result.RequestID, &result
		}
	case StreamStatus:
		if status, err := schemas.DecodeStatus(m.Data); err == nil {
			status.Tenant, status.Ref = parseTokens(m.Subject[len(statusPrefix):])
			e.Tenant, e.RequestID, e.Status = status.Tenant, status.RequestID, &status
		}
	case StreamPayments:
		if !strings.HasPrefix(m.Subject, paymentPrefix) { // the same stream counts what accounts pay
			break
		}
		if payment, err := readPayment(m.Subject, m.Data); err == nil {
			e.Tenant, e.RequestID, e.Payment = payment.Tenant, payment.RequestID, &payment
		}
	case StreamJournal:
		var deed worker.Deed
		if err := json.Unmarshal(m.Data, &deed); err == nil {
			e.Tenant, e.RequestID, e.Deed = deed.Tenant, deed.RequestID, &deed
		}
	case StreamChoices:
		var choice worker.Choice
		if err := json.Unmarshal(m.Data, &choice); err == nil {
			e.Tenant, _ = parseTokens(m.Subject[len(choicePrefix):])
			e.RequestID, e.Choice = choice.RequestID, &choice
		}
	case StreamDead:
		if letter, err := schemas.DecodeDeadLetter(m.Data); err == nil {
			e.Tenant, e.RequestID, e.Dead = letter.Tenant, letter.RequestID, &letter
			if a := address(letter.Subject, nil); e.RequestID == "" && a.tenant == letter.Tenant { // its body could not be read
				e.RequestID, _ = worker.DecodeRef(a.ref)
			}
		}
	}
	return e
}

// readRequest reads a request as a worker would. It is named by its subject: that is where its result is.
func (m Message) readRequest(e *worker.Entry) {
	a := address(m.Subject, m.Header)
	tenant, ref := a.tenant, a.ref
	id, err := worker.DecodeRef(ref)
	if err != nil || tenant == "" || a.replay > 0 || a.due { // these say what the request said
		return
	}
	request, fault := worker.Admit(&worker.Delivery{Subject: m.Subject, Lane: a.lane, Tenant: tenant, Ref: ref, Body: m.Data, Published: m.Time}, schemas.DecodeRequest)
	if fault != nil {
		request = &worker.Request{Tenant: tenant, ID: id}
	}
	e.Tenant, e.RequestID, e.Request, e.Fault = tenant, id, request, fault
}
