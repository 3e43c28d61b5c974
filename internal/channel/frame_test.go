package channel

import (
	"errors"
	"strings"
	"testing"

	"autopurchase/worker"
)

func TestFramesReadBack(t *testing.T) {
	o, a, p := order("acme.PR-1-1"), placed("acme.PR-1-1"), paid
	o.Message = "加急 & 100% \"好\" <b>"
	ask, err := appendAsk(nil, 7, opPlace, "", 1767225600000, &o)
	if err != nil {
		t.Fatal(err)
	}
	reply, _ := appendReply(nil, 9223372036854775807, &a)
	push, _ := appendPush(nil, 3, &p)
	for _, test := range []struct {
		text []byte
		want frame
	}{
		{appendHello(nil, 5, "r1"), frame{Type: typeHello}},
		{ask, frame{Type: typeAsk, ID: 7, Op: opPlace, Deadline: 1767225600000}},
		{reply, frame{Type: typeReply, ID: 9223372036854775807}},
		{push, frame{Type: typePush, ID: 3}},
		{appendConfirm(nil, 3), frame{Type: typeConfirm, ID: 3}},
	} {
		f := frame{Op: "left over", Deadline: 1, Body: []byte(`{"left":"over"}`)}
		if err := f.decode(test.text); err != nil {
			t.Errorf("%s: %v", test.text, err)
		}
		if f.Version != 1 || f.Type != test.want.Type || f.ID != test.want.ID || f.Op != test.want.Op || f.Deadline != test.want.Deadline {
			t.Errorf("%s read as %+v", test.text, f)
		}
	}
	var f frame
	var back worker.Order
	if err := errors.Join(f.decode(ask), decodeBody(f.Body, &back, strict)); err != nil || back.Message != o.Message || back.DeliverTo != o.DeliverTo {
		t.Errorf("order came back as %+v, %v", back, err)
	}
	if err := f.decode(appendConfirm(nil, 3)); err != nil || len(f.Body) != 0 {
		t.Errorf("a body was left over: %s, %v", f.Body, err)
	}
}

func TestFrameErrorsRepeatNoValue(t *testing.T) {
	for _, text := range []string{
		`{"v":"13800000000"}`,
		`{"v":1,"type":"ask","id":"13800000000x","op":"find"}`,
		`{"v":1,"type":"ask","id":"007","op":"find"}13800000000`,
		`{"v":1,"type":"ask","id":"-1","op":"13800000000"}`,
		`{"v":1,"type":"ask","id":"0","op":"13800000000"}`,
		`{"v":1,"type":"ask","id":1,"op":"13800000000"}`,
		`["13800000000"]`, `"13800000000"`, ``, `{"v":1`,
	} {
		var f frame
		err := f.decode([]byte(text))
		if err == nil || !errors.Is(err, errFrame) && !errors.Is(err, errVersion) {
			t.Errorf("%s: %v", text, err)
		} else if strings.Contains(err.Error(), "138") {
			t.Errorf("%s: the value is repeated: %v", text, err)
		}
	}
}

func FuzzDecode(f *testing.F) {
	o := order("acme.PR-1-1")
	ask, _ := appendAsk(nil, 7, opPlace, "", 1767225600000, &o)
	f.Add(ask)
	f.Add([]byte(`{"v":1,"type":"reply","id":"7","body":{"verdict":"absent"}}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		var read frame
		if err := read.decode(text); err != nil {
			if !errors.Is(err, errFrame) && !errors.Is(err, errVersion) {
				t.Errorf("an error of another kind: %v", err)
			}
			return
		}
		if read.Version != version || read.Type != typeHello && read.ID == 0 {
			t.Errorf("accepted %+v", read)
		}
		var body worker.Order
		_ = decodeBody(read.Body, &body, strict)
	})
}
