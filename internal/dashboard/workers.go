package dashboard

import (
	"net/http"

	"autopurchase/worker"
)

// workersPage is the workers, and which relay each is connected to.
type workersPage struct {
	Workers []worker.Instance
	Relays  []relayView
	Problem string
}

// relayView is a relay and how many workers are connected to it.
type relayView struct {
	Relay   string
	Workers int
}

func (d *Dashboard) workersPage(r *http.Request) (body, error) {
	status, err := d.status.get(r.Context(), "")
	if err != nil {
		return workersPage{Problem: "Nobody says how the workers are: " + err.Error()}, nil //nolint:nilerr // the page says it
	}
	p := workersPage{Workers: status.Instances}
	at := map[string]int{}
	for _, i := range status.Instances {
		if i.Relay == "" {
			continue
		}
		place, known := at[i.Relay]
		if !known {
			place = len(p.Relays)
			at[i.Relay] = place
			p.Relays = append(p.Relays, relayView{Relay: i.Relay})
		}
		p.Relays[place].Workers++
	}
	return p, nil
}
