package alibaba

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"strconv"
	"strings"

	"autopurchase/worker"
)

// Frame types of the message websocket (official client). A CONNECT_ACK exists, a HEARTBEAT_ACK does not.
const (
	frameConnect   = "CONNECT"
	frameAck       = "CONNECT_ACK"
	frameHeartbeat = "HEARTBEAT"
	framePush      = "SERVER_PUSH"
	frameConfirm   = "CONFIRM"
	frameSystem    = "SYSTEM"
	frameClose     = "CLOSE"
)

// outFrame is a frame to the platform, its fields in the official client's order.
type outFrame struct {
	AppKey         string      `json:"appKey"`
	CostInIsv      int64       `json:"costInIsv"` // milliseconds from push to confirm
	ID             string      `json:"id,omitempty"`
	MsgSource      string      `json:"msgSource,omitempty"`
	PubTime        int64       `json:"pubTime"`
	RelatedID      json.Number `json:"relatedId,omitempty"`
	RelatedMsgTime json.Number `json:"relatedMsgTime,omitempty"`
	Sign           string      `json:"sign,omitempty"`
	Type           string      `json:"type"`
}

// inFrame is a frame from the platform.
type inFrame struct {
	Type      string `json:"type"`
	ID        text   `json:"id"`
	PubTime   text   `json:"pubTime"`
	Content   text   `json:"content"`
	MsgSource text   `json:"msgSource"` // REAL, MOCK or nothing
}

// content is what a push carries. One public client reads everything one level deeper, from "message".
type content struct {
	MsgID    text    `json:"msgId"`
	GmtBorn  text    `json:"gmtBorn"` // milliseconds
	Type     text    `json:"type"`
	Data     textual `json:"data"`
	Message  textual `json:"message"`
	UserInfo text    `json:"userInfo"`
}

// textual is JSON that comes as it is, or as the text of it.
type textual []byte

// UnmarshalJSON takes any JSON value.
func (t *textual) UnmarshalJSON(raw []byte) error {
	var inner text
	if err := inner.UnmarshalJSON(raw); err != nil {
		return err
	}
	*t = textual(bytes.TrimSpace([]byte(inner)))
	return nil
}

// object reads into v if there is an object to read.
func (t textual) object(v any) bool { return len(t) > 0 && t[0] == '{' && json.Unmarshal(t, v) == nil }

// orderData are the fields of the order and logistics topics that say which order it is about, and what became of it.
type orderData struct {
	OrderID  text `json:"orderId"`
	Status   text `json:"currentStatus"`
	BatchPay []struct {
		OrderID text `json:"orderId"`
		Status  text `json:"status"`
	} `json:"batchPay"`
	Trace  *logistics `json:"OrderLogisticsTracingModel"`
	Change *logistics `json:"MailNoChangeModel"`
}

// logistics is what is told of a parcel, of one order or several.
type logistics struct {
	Status  text `json:"statusChanged"`
	Number  text `json:"mailNo"`
	Carrier text `json:"cpCode"`
	Old     text `json:"oldMailNo"`
	New     text `json:"newMailNo"`
	Items   []struct {
		OrderID text `json:"orderId"`
	} `json:"orderLogsItems"`
}

// parcel is the parcel as it is now; none if it has no number.
func (l logistics) parcel() []worker.Parcel {
	number := firstText(l.New, l.Number)
	if number == "" {
		return nil
	}
	return []worker.Parcel{{Number: number, CarrierCode: string(l.Carrier), Trace: string(l.Status), Replaces: string(l.Old)}}
}

// pushes reads a push: one for each order it names, or one without an order. A content that cannot be read is one push
// without a topic: it is for the receiver to say whether it was kept.
func pushes(appKey string, frame inFrame) []worker.Push {
	var c content
	textual(frame.Content).object(&c)
	if c.Type == "" && c.MsgID == "" {
		c.Message.object(&c)
	}
	push := worker.Push{
		ID: firstText(c.MsgID, frame.ID, fingerprint(frame.Content)), AppKey: appKey, Topic: string(c.Type), At: frame.PubTime.millis(),
		Source: worker.SourcePush, Raw: string(frame.Content),
	}
	if born := c.GmtBorn.millis(); born > 0 {
		push.At = born
	}
	var data orderData
	c.Data.object(&data)
	return data.each(push)
}

// fingerprint stands for the id of a push that has none, so that its repeats are known as such.
func fingerprint(content text) text {
	digest := sha256.Sum256([]byte(content))
	return text("sha256-" + hex.EncodeToString(digest[:16]))
}

// each makes one push for each order. Several get an id of their own, so that a receiver that drops repeats keeps them all.
func (d orderData) each(push worker.Push) (all []worker.Push) {
	add := func(orderID, status text, parcels []worker.Parcel) {
		one := push
		one.OrderID, _ = orderID.orderID()
		one.Status, one.Parcels = string(status), parcels
		all = append(all, one)
	}
	for _, pay := range d.BatchPay {
		add(pay.OrderID, pay.Status, nil)
	}
	for _, model := range []*logistics{d.Trace, d.Change} {
		if model == nil {
			continue
		}
		for _, item := range model.Items {
			add(item.OrderID, model.Status, model.parcel())
		}
	}
	if len(all) == 0 {
		add(d.OrderID, d.Status, nil)
	}
	for i := range all[1:] {
		all[i+1].ID += "." + strconv.Itoa(i+2)
	}
	return all
}

// millis reads milliseconds of Unix time; 0 when there are none.
func (t text) millis() int64 {
	n, err := strconv.ParseInt(strings.TrimSpace(string(t)), 10, 64)
	if err != nil || n < 0 {
		return 0
	}
	return n
}

// number gives the text as a JSON number, none if it is not a whole one.
func (t text) number() json.Number {
	if _, err := strconv.ParseInt(string(t), 10, 64); err != nil {
		return ""
	}
	return json.Number(t)
}
