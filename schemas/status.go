package schemas

import (
	"encoding/json"
	"slices"

	"autopurchase/worker"
)

const (
	maxEventID = 128
	maxTopic   = 128
	maxParcels = 1000
	maxRaw     = 1 << 18 // characters; the platform's pushes have up to 64 KiB
)

// DecodeStatus reads what happened to an order after it was placed. Tenant and Ref are in the subject and stay "". Errors are
// *worker.Invalid. It is safe for concurrent use and keeps nothing of body.
func DecodeStatus(body []byte) (worker.Status, error) {
	var status worker.Status
	if invalid := decode(body, statusTable, &status); invalid != nil {
		invalid.RequestID = findID(body)
		return worker.Status{}, invalid
	}
	return status, nil
}

// AppendStatus writes a status as LegibleStatus gives it.
func AppendStatus(to []byte, s worker.Status) []byte {
	body, _ := json.Marshal(LegibleStatus(s)) // it is text and times of this age
	return append(to, body...)
}

// LegibleStatus makes visible and cuts what 1688 says in a status, so that it is always read again as it was written.
func LegibleStatus(s worker.Status) worker.Status {
	s.EventID, s.Topic, s.Status = legible(s.EventID, maxEventID), legible(s.Topic, maxTopic), legible(s.Status, maxTopic)
	s.Raw = cut(s.Raw, maxRaw)
	s.Parcels = slices.Clone(s.Parcels)
	if len(s.Parcels) > maxParcels {
		s.Parcels = s.Parcels[:maxParcels]
	}
	for i := range s.Parcels {
		p := &s.Parcels[i]
		for _, text := range []*string{&p.Number, &p.Carrier, &p.CarrierCode, &p.Trace, &p.Replaces} {
			*text = legible(*text, maxTopic)
		}
	}
	s.Parcels = slices.DeleteFunc(s.Parcels, func(p worker.Parcel) bool { return isBlank(p.Number) })
	return s
}

func cut(text string, most int) string {
	if len(text) <= most {
		return text
	}
	if runes := []rune(text); len(runes) > most {
		return string(runes[:most])
	}
	return text
}

var statusTable = table[worker.Status]{
	{"request_id", required, func(r *reader, s *worker.Status) fault { return r.matching(&s.RequestID, worker.CheckID) }},
	{"order_id", required, func(r *reader, s *worker.Status) fault { return r.filled(&s.OrderID, maxOrderID) }},
	{"out_order_id", optional, func(r *reader, s *worker.Status) fault { return r.visible(&s.OutOrderID, maxReference) }},
	{"app_key", optional, func(r *reader, s *worker.Status) fault { return r.visible(&s.AppKey, maxAppKey) }},
	{"event_id", required, func(r *reader, s *worker.Status) fault { return r.filled(&s.EventID, maxEventID) }},
	{"topic", required, func(r *reader, s *worker.Status) fault { return r.filled(&s.Topic, maxTopic) }},
	{"event", optional, func(r *reader, s *worker.Status) fault { return oneOf(r, &s.Event, orderEvents) }},
	{"state", optional, func(r *reader, s *worker.Status) fault { return oneOf(r, &s.State, orderStates) }},
	{"late", optional, func(r *reader, s *worker.Status) fault { return r.truth(&s.Late) }},
	{"status", optional, func(r *reader, s *worker.Status) fault { return r.visible(&s.Status, maxTopic) }},
	{"parcels", optional, func(r *reader, s *worker.Status) fault { return readList(r, &s.Parcels, maxParcels, parcelTable.read) }},
	{"source", optional, func(r *reader, s *worker.Status) fault { return oneOf(r, &s.Source, eventSources) }},
	{"raw", optional, func(r *reader, s *worker.Status) fault { return r.short(&s.Raw, maxRaw) }},
	{"at", required, func(r *reader, s *worker.Status) fault { return r.moment(&s.At) }},
}

var parcelTable = table[worker.Parcel]{
	{"number", required, func(r *reader, p *worker.Parcel) fault { return r.filled(&p.Number, maxTopic) }},
	{"carrier", optional, func(r *reader, p *worker.Parcel) fault { return r.visible(&p.Carrier, maxTopic) }},
	{"carrier_code", optional, func(r *reader, p *worker.Parcel) fault { return r.visible(&p.CarrierCode, maxTopic) }},
	{"trace", optional, func(r *reader, p *worker.Parcel) fault { return r.visible(&p.Trace, maxTopic) }},
	{"replaces", optional, func(r *reader, p *worker.Parcel) fault { return r.visible(&p.Replaces, maxTopic) }},
}

var (
	orderEvents  = worker.OrderEvents()
	orderStates  = worker.OrderStates()
	eventSources = []worker.EventSource{worker.SourcePush, worker.SourceList, worker.SourceDetail}
)
