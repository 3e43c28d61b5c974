package alibaba

import (
	"encoding/json"
	"reflect"
	"strconv"
	"testing"

	"autopurchase/worker"
)

func TestPushes(t *testing.T) {
	push := func(id, topic, orderID, status string, at int64) worker.Push {
		return worker.Push{ID: id, AppKey: "k", Topic: topic, OrderID: orderID, Status: status, Source: worker.SourcePush, At: at}
	}
	parcel := func(p worker.Push, parcel worker.Parcel) worker.Push {
		p.Parcels = []worker.Parcel{parcel}
		return p
	}
	const paid = "ORDER_BUYER_VIEW_ORDER_PAY"
	for name, c := range map[string]struct {
		content string
		want    []worker.Push
	}{
		"data as an object": {
			`{"msgId":"7001","gmtBorn":1700000000001,"type":"` + paid + `","data":{"orderId":2257000000000000973,"currentStatus":"waitsellersend"}}`,
			[]worker.Push{push("7001", paid, "2257000000000000973", "waitsellersend", 1700000000001)}},
		"data as text, numbers as text": {
			`{"msgId":7001,"gmtBorn":"1700000000001","type":"` + paid + `","data":"{\"orderId\":\"2257000000000000973\"}"}`,
			[]worker.Push{push("7001", paid, "2257000000000000973", "", 1700000000001)}},
		"under message, as text": {
			`{"message":"{\"msgId\":7001,\"type\":\"` + paid + `\",\"data\":{\"orderId\":11}}"}`,
			[]worker.Push{push("7001", paid, "11", "", 1700000000000)}},
		"under message, as an object": {
			`{"message":{"type":"` + paid + `","data":{"orderId":11}}}`,
			[]worker.Push{push("9", paid, "11", "", 1700000000000)}},
		"several paid at once": {
			`{"msgId":"7","type":"ORDER_BATCH_PAY","data":{"batchPay":[{"orderId":11,"status":"successed"},{"orderId":"12","status":"ACCOUNT_FROZEN"}]}}`,
			[]worker.Push{push("7", "ORDER_BATCH_PAY", "11", "successed", 1700000000000), push("7.2", "ORDER_BATCH_PAY", "12", "ACCOUNT_FROZEN", 1700000000000)}},
		"logistics": {
			`{"msgId":"7","type":"LOGISTICS_BUYER_VIEW_TRACE","data":{"OrderLogisticsTracingModel":{"mailNo":"SF1","cpCode":"SF","statusChanged":"SIGN","orderLogsItems":[{"orderId":11},{"orderId":12}]}}}`,
			[]worker.Push{
				parcel(push("7", "LOGISTICS_BUYER_VIEW_TRACE", "11", "SIGN", 1700000000000), worker.Parcel{Number: "SF1", CarrierCode: "SF", Trace: "SIGN"}),
				parcel(push("7.2", "LOGISTICS_BUYER_VIEW_TRACE", "12", "SIGN", 1700000000000), worker.Parcel{Number: "SF1", CarrierCode: "SF", Trace: "SIGN"}),
			}},
		"mail number changed": {
			`{"msgId":"7","type":"LOGISTICS_MAIL_NO_CHANGE","data":"{\"MailNoChangeModel\":{\"oldMailNo\":\"a\",\"newMailNo\":\"b\",\"orderLogsItems\":[{\"orderId\":11}]}}"}`,
			[]worker.Push{parcel(push("7", "LOGISTICS_MAIL_NO_CHANGE", "11", "", 1700000000000), worker.Parcel{Number: "b", Replaces: "a"})}},
		"about no order": {`{"msgId":"7","type":"PRODUCT_CHANGE","data":{"x":1}}`, []worker.Push{push("7", "PRODUCT_CHANGE", "", "", 1700000000000)}},
		"data null":      {`{"msgId":"7","type":"T","data":null}`, []worker.Push{push("7", "T", "", "", 1700000000000)}},
		"not JSON":       {`hello`, []worker.Push{push("9", "", "", "", 1700000000000)}},
		"nothing":        {``, []worker.Push{push("9", "", "", "", 1700000000000)}},
	} {
		t.Run(name, func(t *testing.T) {
			var frame inFrame
			body := `{"type":"SERVER_PUSH","id":9,"pubTime":"1700000000000","content":` + strconv.Quote(c.content) + `}`
			if err := json.Unmarshal([]byte(body), &frame); err != nil {
				t.Fatal(err)
			}
			for i := range c.want {
				c.want[i].Raw = c.content
			}
			if got := pushes("k", frame); !reflect.DeepEqual(got, c.want) {
				t.Errorf("got %+v", got)
			}
		})
	}
}
