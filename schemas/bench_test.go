package schemas

import (
	"bytes"
	"encoding/json"
	"fmt"
	"testing"

	"autopurchase/worker"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// benchRequest is a request of so many lines.
func benchRequest(lines int) []byte {
	request := worker.Request{
		ID: "PR-20260301-0001", Pool: "default", MaxTotal: 99990,
		DeliverTo: worker.Address{
			FullName: "王小二", Mobile: "13800000000", Province: "上海", City: "上海市", Area: "徐汇区", Address: "陕西南路1号",
		},
	}
	for i := range lines {
		request.Lines = append(request.Lines, worker.Line{
			OfferID: fmt.Sprintf("7000000000%02d", i), SpecID: "0123456789abcdef0123456789abcdef", Quantity: 2, UnitPrice: 1999, Seller: "s",
		})
	}
	return AppendRequest(nil, request)
}

// BenchmarkRequest reads the same bytes with the codec, with a JSON Schema validator, and with encoding/json, which checks
// nothing.
func BenchmarkRequest(b *testing.B) {
	schema := compile(b, "request")
	for _, lines := range []int{1, 10} {
		body := benchRequest(lines)
		run := func(name string, read func() error) {
			b.Run(fmt.Sprintf("lines=%d/%s", lines, name), func(b *testing.B) {
				b.ReportAllocs()
				b.SetBytes(int64(len(body)))
				for b.Loop() {
					if err := read(); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
		run("codec", func() error { _, err := DecodeRequest(body); return err })
		run("validator", func() error {
			value, err := jsonschema.UnmarshalJSON(bytes.NewReader(body))
			if err != nil {
				return err
			}
			return schema.Validate(value)
		})
		run("encoding-json", func() error { var value any; return json.Unmarshal(body, &value) })
	}
}

func BenchmarkAppendResult(b *testing.B) {
	result := worker.Result{
		RequestID: "PR-20260301-0001", Outcome: worker.OutcomePlaced, Code: worker.CodePlaced, AppKey: "1000001", Products: 1, Attempt: 1,
		Orders: []worker.ResultOrder{{
			OrderID: "2257000000000000973", OutOrderID: "acme.PR-1-1", AppKey: "1000001", Products: 1, Total: 4498, Lines: []int{0},
		}},
	}
	b.ReportAllocs()
	var dst []byte
	for b.Loop() {
		dst = AppendResult(dst[:0], result)
	}
}

func BenchmarkDecodeResult(b *testing.B) {
	body := AppendResult(nil, worker.Result{RequestID: "PR-1", Outcome: worker.OutcomePlaced, Code: worker.CodePlaced, Attempt: 1})
	b.ReportAllocs()
	for b.Loop() {
		if _, err := DecodeResult(body); err != nil {
			b.Fatal(err)
		}
	}
}
