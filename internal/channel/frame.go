package channel

import (
	"errors"
	"fmt"
	"math"
	"strconv"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"autopurchase/worker"
)

// Subprotocol is what both sides must name in the handshake.
const Subprotocol = "autopurchase.v1"

// version is the frames' version; another one is another subprotocol.
const version = 1

// maxFrame is the longest message either side takes, in bytes. A full order is about 10 KiB.
const maxFrame = 1 << 20

// The types of frames.
const (
	typeHello   = "hello"
	typeAsk     = "ask"
	typeReply   = "reply"
	typePush    = "push"
	typeConfirm = "confirm"
)

// The operations a worker asks for.
const (
	opPlace = "place"
	opFind  = "find"
	opProbe = "probe"

	opCheck     = "check"
	opAuthorize = "authorize"
	opPreview   = "preview"
	opDetail    = "detail"
	opList      = "list"
	opPay       = "pay"
	opPayLink   = "paylink"
	opCancel    = "cancel"
)

// frame is the envelope of every message. The body stays JSON until the type, the op and the id have said whose it is, so
// that a body nobody can read harms one ask and not the connection. It is reused from message to message.
type frame struct {
	Version  int            `json:"v"`
	Type     string         `json:"type"`
	ID       uint64         `json:"id,string"`
	Op       string         `json:"op"`
	Deadline int64          `json:"deadline_ms"`
	Trace    string         `json:"trace"` // of an ask, see trace.go
	Body     jsontext.Value `json:"body"`
}

// hello is the first frame's body.
type hello struct {
	Clock int64  `json:"clock_ms"`
	Relay string `json:"relay"` // "" from one that is older than this member
}

// lookup is the body of find and probe.
type lookup struct {
	AppKey    string `json:"app_key"`
	Reference string `json:"reference,omitempty"`
}

// checkup is the body of check.
type checkup struct {
	AppKey string       `json:"app_key"`
	What   worker.Check `json:"what"`
}

// inquiry is the body of detail and of cancel.
type inquiry struct {
	AppKey  string `json:"app_key"`
	OrderID string `json:"order_id"`
}

// linking is the body of paylink.
type linking struct {
	AppKey   string   `json:"app_key"`
	OrderIDs []string `json:"order_ids"`
}

var (
	errVersion = errors.New("frame of another version")
	errFrame   = errors.New("frame breaks the protocol")
)

// decode reads one message into f. Errors are errVersion and errFrame, wrapped; they never repeat a value of the message.
func (f *frame) decode(message []byte) error {
	if f.decodeQuick(message) {
		return nil
	}
	*f = frame{Body: f.Body[:0]}
	if err := json.Unmarshal(message, f); err != nil {
		return fmt.Errorf("%w: %s", errFrame, where(err))
	}
	if f.Version != version {
		return fmt.Errorf("%w: v is %d, not %d", errVersion, f.Version, version)
	}
	if f.Type != typeHello && (f.ID == 0 || f.ID > math.MaxInt64) {
		return fmt.Errorf("%w: id is missing or out of range", errFrame)
	}
	return nil
}

// strict refuses members that the receiver does not know: an order must not lose a condition on its way.
var strict = json.RejectUnknownMembers(true)

// decodeBody reads a frame's body. Errors are errFrame, wrapped.
func decodeBody(body jsontext.Value, into any, options ...json.Options) error {
	if len(body) == 0 || body.Kind() != '{' {
		return fmt.Errorf("%w: body must be an object", errFrame)
	}
	if readQuick(body, into) {
		return nil
	}
	if err := json.Unmarshal(body, into, options...); err != nil {
		return fmt.Errorf("%w: body %s", errFrame, where(err))
	}
	return nil
}

// where names the place of a decoding error. The decoder's own text may repeat a buyer's data.
func where(err error) string {
	if semantic, ok := errors.AsType[*json.SemanticError](err); ok && semantic.JSONPointer != "" {
		return "has a wrong value at " + string(semantic.JSONPointer)
	}
	if syntactic, ok := errors.AsType[*jsontext.SyntacticError](err); ok {
		return "is not JSON at byte " + strconv.FormatInt(syntactic.ByteOffset, 10)
	}
	return "cannot be read"
}

// The frames are written by appending: the envelope's values need no escaping.

func appendHello(to []byte, clock int64, relay string) []byte {
	to = append(to, `{"v":1,"type":"hello","body":{"clock_ms":`...)
	to = append(strconv.AppendInt(to, clock, 10), `,"relay":"`...)
	return append(append(to, relay...), `"}}`...)
}

func appendAsk(to []byte, id uint64, op, trace string, deadline int64, body any) ([]byte, error) {
	to = appendHead(to, typeAsk, id)
	to = append(append(to, `,"op":"`...), op...)
	to = strconv.AppendInt(append(to, `","deadline_ms":`...), deadline, 10)
	if trace != "" {
		to = append(append(append(to, `,"trace":"`...), trace...), '"')
	}
	return appendBody(to, body)
}

func appendReply(to []byte, id uint64, answer *worker.Answer) ([]byte, error) {
	return appendBody(appendHead(to, typeReply, id), answer)
}

func appendPush(to []byte, id uint64, push *worker.Push) ([]byte, error) {
	return appendBody(appendHead(to, typePush, id), push)
}

func appendConfirm(to []byte, id uint64) []byte {
	return append(appendHead(to, typeConfirm, id), '}')
}

func appendHead(to []byte, kind string, id uint64) []byte {
	to = append(append(to, `{"v":1,"type":"`...), kind...)
	return append(strconv.AppendUint(append(to, `","id":"`...), id, 10), '"')
}
