package schemas_test

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/nats-io/nats.go"
)

// A publisher needs a NATS client and JSON, and nothing of this module: it asks for a purchase on a subject of its own and waits
// for the one result.
func Example() {
	url, stop := demo() // where NATS is: of autopurchase up, or of demo --keep as here
	defer stop()
	conn, err := nats.Connect(url)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer conn.Close()

	// The result's subject is the request's with another word in it. Listen first: nothing can be missed then.
	results, err := conn.SubscribeSync("purchase.result.acme.PR-1")
	if err != nil {
		fmt.Println(err)
		return
	}
	request := `{
		"request_id": "PR-1",
		"deliver_to": {"full_name": "张三", "mobile": "13800138000", "province": "上海", "city": "上海市", "address": "陕西南路1号"},
		"lines": [{"offer_id": "610006179011", "quantity": 2, "seller": "b2b-2200000000013"}]
	}`
	// The stream acknowledges what it has stored. A second request with this id is refused with err_code 10077.
	ack, err := conn.Request("purchase.request.acme.PR-1", []byte(request), 5*time.Second)
	if err != nil {
		fmt.Println(err)
		return
	}
	var stored struct {
		Stream string
		Error  struct{ Description string }
	}
	if err := json.Unmarshal(ack.Data, &stored); err != nil || stored.Error.Description != "" {
		fmt.Println(stored.Error.Description, err)
		return
	}
	msg, err := results.NextMsg(time.Minute)
	if err != nil {
		fmt.Println(err)
		return
	}
	var result struct {
		RequestID string `json:"request_id"`
		Outcome   string
		Code      string
		Reason    string
		Orders    []struct {
			OrderID string `json:"order_id"` // text: it is longer than what a float holds
		}
	}
	if err := json.Unmarshal(msg.Data, &result); err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(stored.Stream, result.RequestID, result.Outcome, len(result.Orders), "order", result.Reason)
	// Output: PURCHASE_REQUESTS PR-1 placed 1 order
}
