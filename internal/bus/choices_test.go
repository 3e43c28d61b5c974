package bus

import (
	"fmt"
	"reflect"
	"sync"
	"testing"
	"time"

	"autopurchase/schemas"
	"autopurchase/worker"
)

// TestTheFirstChoiceStands: of many that are made at once, by several processes. Everybody is told the same one, whoever reads the
// request finds it, and making it again changes nothing.
func TestTheFirstChoiceStands(t *testing.T) {
	t.Parallel()
	b, server := provisioned(t, Config{})
	other := connect(t, Config{URL: server.URL})
	request := worker.Request{ID: "PR.1", Pool: "default", DeliverTo: worker.Address{AddressID: "1"}, Lines: []worker.Line{{OfferID: "1", Quantity: 1}}}
	for n := range worker.MaxAlternatives {
		request.Lines[0].Alternatives = append(request.Lines[0].Alternatives, worker.Alternative{OfferID: fmt.Sprint(n + 2), MaxUnitPrice: 100})
	}
	_, err := b.Submit(bounded(t), "acme", request.ID, schemas.AppendRequest(nil, request))
	must(t, err)
	if _, found, err := b.Choices().Chosen(bounded(t), "acme", "PR=2E1"); found || err != nil {
		t.Errorf("found %v, %v", found, err)
	}
	asked, _, err := b.Asked(bounded(t), "acme", "PR.1")
	if err != nil || asked.Choice != nil {
		t.Errorf("%+v %v", asked.Choice, err)
	}
	stand := make([]worker.Choice, 2*worker.MaxAlternatives)
	var at sync.WaitGroup
	for i := range stand {
		n := i%worker.MaxAlternatives + 1
		choice := worker.Choice{RequestID: "PR.1", Fingerprint: worker.Fingerprint(&asked.Request), At: time.Unix(int64(i), 0).UTC(),
			Chosen: []worker.Chosen{{Line: 0, Alternative: n, OfferID: fmt.Sprint(n + 1)}}}
		from := []*Bus{b, other}[i%2]
		at.Go(func() {
			var err error
			if stand[i], err = from.Choices().Choose(bounded(t), "acme", "PR=2E1", choice); err != nil {
				t.Error(err)
			}
		})
	}
	at.Wait()
	for _, one := range stand {
		if !reflect.DeepEqual(one, stand[0]) {
			t.Errorf("%+v is told, and %+v", stand[0], one)
		}
	}
	again, found, err := other.Choices().Chosen(bounded(t), "acme", "PR=2E1")
	if err != nil || !found || !reflect.DeepEqual(again, stand[0]) {
		t.Errorf("%+v, %v, %v", again, found, err)
	}
	if asked, _, err := b.Asked(bounded(t), "acme", "PR.1"); err != nil || asked.Choice == nil || !reflect.DeepEqual(*asked.Choice, stand[0]) {
		t.Errorf("%+v, %v", asked.Choice, err)
	}
	if n := stored(t, b, StreamChoices); n != 1 {
		t.Errorf("%d are stored", n)
	}
}

// TestAChoiceForAnotherRequestIsNotTheRequests: one that was made under the same id long ago.
func TestAChoiceForAnotherRequestIsNotTheRequests(t *testing.T) {
	t.Parallel()
	b, _ := provisioned(t, Config{})
	body := []byte(`{"request_id": "PR-1", "deliver_to": {"address_id": "1"}, "lines": [{"offer_id": "1", "quantity": 1, "alternatives": [{"offer_id": "2", "max_unit_price": "1"}]}]}`)
	_, err := b.Submit(bounded(t), "acme", "PR-1", body)
	must(t, err)
	_, err = b.Choices().Choose(bounded(t), "acme", "PR-1", worker.Choice{RequestID: "PR-1", Fingerprint: "another", Chosen: []worker.Chosen{{Alternative: 1}}})
	must(t, err)
	if asked, found, err := b.Asked(bounded(t), "acme", "PR-1"); err != nil || !found || asked.Choice != nil || !asked.HasAlternatives() {
		t.Errorf("%+v, %v, %v", asked, found, err)
	}
}
