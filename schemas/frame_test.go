package schemas

import (
	"errors"
	"math"

	"autopurchase/worker"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// envelope is a frame of the order channel as Go sees it; the bodies are the domain's own types.
type envelope struct {
	Version  int            `json:"v"`
	Type     string         `json:"type"`
	ID       uint64         `json:"id,string"`
	Op       string         `json:"op"`
	Deadline int64          `json:"deadline_ms"`
	Trace    string         `json:"trace"`
	Body     jsontext.Value `json:"body"`
}

type lookup struct {
	AppKey    string `json:"app_key"`
	Reference string `json:"reference"`
}

// checkup asks for one of the known checks.
type checkup struct {
	AppKey string `json:"app_key"`
	What   check  `json:"what"`
}

type check worker.Check

func (c check) known() bool {
	switch worker.Check(c) {
	case worker.CheckTime, worker.CheckConnect, worker.CheckPush, worker.CheckToken, worker.CheckPreview, worker.CheckAgreement:
		return true
	}
	return false
}

var errFrame = errors.New("not a frame")

// decodeFrame reads what is sent today; receivers are more lenient with members that they do not know.
func decodeFrame(body []byte) error {
	var e envelope
	if err := json.Unmarshal(body, &e, json.RejectUnknownMembers(true)); err != nil {
		return err
	}
	if e.Version != 1 || e.Type != "hello" && (e.ID == 0 || e.ID > math.MaxInt64) {
		return errFrame
	}
	if e.Type == "confirm" {
		return nil
	}
	into := bodyOf(e)
	if into == nil || e.Body.Kind() != '{' {
		return errFrame
	}
	err := json.Unmarshal(e.Body, into, json.RejectUnknownMembers(true))
	if c, isCheck := into.(*checkup); err == nil && isCheck && !c.What.known() {
		return errFrame
	}
	return err
}

func bodyOf(e envelope) any {
	switch e.Type + e.Op {
	case "hello":
		return new(struct {
			Clock int64  `json:"clock_ms"`
			Relay string `json:"relay"`
		})
	case "askplace", "askpreview":
		return new(worker.Order)
	case "askfind", "askprobe":
		return new(lookup)
	case "asklist":
		return new(worker.Leaf)
	case "askcheck":
		return new(checkup)
	case "askauthorize":
		return new(worker.Authorization)
	case "askdetail", "askcancel":
		return new(struct {
			AppKey  string `json:"app_key"`
			OrderID string `json:"order_id"`
		})
	case "askpay":
		return new(worker.Charge)
	case "askpaylink":
		return new(struct {
			AppKey   string   `json:"app_key"`
			OrderIDs []string `json:"order_ids"`
		})
	case "reply":
		return new(worker.Answer)
	case "push":
		return new(worker.Push)
	}
	return nil
}
