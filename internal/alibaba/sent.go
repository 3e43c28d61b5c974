package alibaba

import (
	"encoding/json"

	"autopurchase/worker"
)

// sent is what was sent for an order, as its detail has it. It is nothing where it cannot be read: an order exists all the same.
type sent struct {
	Items []struct {
		Number  text `json:"logisticsBillNo"`
		Carrier text `json:"logisticsCompanyName"`
	} `json:"logisticsItems"`
}

// UnmarshalJSON takes an object, or nothing in any form.
func (s *sent) UnmarshalJSON(raw []byte) error {
	type plain sent
	if json.Unmarshal(raw, (*plain)(s)) != nil {
		*s = sent{}
	}
	return nil
}

// parcels are those with a number, each once.
func (s sent) parcels() (parcels []worker.Parcel) {
	known := map[text]bool{"": true}
	for _, item := range s.Items {
		if !known[item.Number] {
			known[item.Number] = true
			parcels = append(parcels, worker.Parcel{Number: string(item.Number), Carrier: string(item.Carrier)})
		}
	}
	return parcels
}
