package channel

import (
	"bytes"
	"testing"

	"github.com/go-json-experiment/json"

	"autopurchase/worker"
)

// generally reads a message as any JSON.
func generally(message []byte) (f frame, err error) {
	err = json.Unmarshal(message, &f)
	return f, err
}

func sameFrame(a, b frame) bool {
	return a.Version == b.Version && a.Type == b.Type && a.ID == b.ID && a.Op == b.Op && a.Deadline == b.Deadline && a.Trace == b.Trace &&
		bytes.Equal(a.Body, b.Body)
}

func TestOurOwnFramesAreReadByTheirPlaces(t *testing.T) {
	o, a := order("acme.PR-1-1"), placed("acme.PR-1-1")
	o.Message = `"}{\" \\`
	ask, _ := appendAsk(nil, 7, opPlace, "", 1767225600000, &o)
	traced, _ := appendAsk(nil, 1<<53, opFind, "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", 1, &lookup{AppKey: "1000001"})
	reply, _ := appendReply(nil, 922337203685477580, &a)
	for _, text := range [][]byte{ask, traced, reply} {
		quick := frame{Op: "left over", Trace: "left over", Body: []byte(`{"left":"over"}`)}
		if !quick.decodeQuick(text) {
			t.Errorf("%s is left to the general decoder", text)
		}
		if want, err := generally(text); err != nil || !sameFrame(quick, want) {
			t.Errorf("%s read as %+v, want %+v, %v", text, quick, want, err)
		}
	}
}

// TestOtherFramesAreLeftToTheGeneralDecoder has what others may write, and what breaks the protocol.
func TestOtherFramesAreLeftToTheGeneralDecoder(t *testing.T) {
	for _, text := range []string{
		``, `{`, `{"v":1,"type":"reply"`, `{"v":1,"type":"reply","id":"7"}`, `{"v":1,"type":"reply","id":"7","body":`,
		`{ "v":1,"type":"reply","id":"7","body":{}}`,
		`{"v":1,"type":"reply","id":"7","body":{}} `,
		`{"v":1,"type":"reply","id":"7","body":{}},"body":{}}`,
		`{"v":1,"type":"reply","id":"7","body":{},"more":1}`,
		`{"v":1,"type":"reply","id":"7","body":{"a":"}"`,
		`{"v":1,"type":"reply","id":"7","body":{"a":"\`,
		`{"v":1,"type":"reply","id":"7","body":[]}`,
		`{"v":1,"type":"reply","id":"7","body":}`,
		`{"v":1,"type":"reply","id":"7","body":"{}"}`,
		`{"v":1,"type":"reply","id":"0","body":{}}`,
		`{"v":1,"type":"reply","id":"07","body":{}}`,
		`{"v":1,"type":"reply","id":"","body":{}}`,
		`{"v":1,"type":"reply","id":"-7","body":{}}`,
		`{"v":1,"type":"reply","id":"9223372036854775808","body":{}}`,
		`{"v":1,"type":"reply","id":"18446744073709551623","body":{}}`,
		`{"v":2,"type":"reply","id":"7","body":{}}`,
		`{"v":1,"type":"ask","id":"7","op":"fi\u006ed","deadline_ms":1,"body":{}}`,
		`{"v":1,"type":"ask","id":"7","op":"find","deadline_ms":1.5,"body":{}}`,
		`{"v":1,"type":"ask","id":"7","op":"find","deadline_ms":-1,"body":{}}`,
		`{"v":1,"type":"ask","id":"7","op":"find","body":{}}`,
		"{\"v\":1,\"type\":\"ask\",\"id\":\"7\",\"op\":\"\xff\",\"deadline_ms\":1,\"body\":{}}",
		`{"v":1,"type":"hello","body":{"clock_ms":1}}`,
	} {
		f := frame{Body: []byte(`{"left":"over"}`)}
		if f.decodeQuick([]byte(text)) {
			t.Errorf("%s is read by its places, as %+v", text, f)
		}
		want, unreadable := generally([]byte(text))
		err := f.decode([]byte(text))
		if (err == nil) && (unreadable != nil || !sameFrame(f, want)) {
			t.Errorf("%s: read as %+v, want %+v, %v", text, f, want, unreadable)
		}
	}
}

func FuzzDecodeQuick(f *testing.F) {
	o := order("acme.PR-1-1")
	ask, _ := appendAsk(nil, 7, opPlace, "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", 1767225600000, &o)
	f.Add(ask)
	f.Add([]byte(`{"v":1,"type":"reply","id":"7","body":{"verdict":"absent"}}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		var quick frame
		if !quick.decodeQuick(text) {
			return
		}
		want, err := generally(text)
		if err == nil && !sameFrame(quick, want) {
			t.Errorf("%s read as %+v, want %+v", text, quick, want)
		}
		var body worker.Order
		if err != nil && decodeBody(quick.Body, &body) == nil {
			t.Errorf("%s is no JSON (%v), but its body is", text, err)
		}
	})
}
