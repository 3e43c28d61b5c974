package sim1688

import (
	"encoding/json"
	"strconv"

	"github.com/go-json-experiment/json/jsontext"
)

// frame is what a client sends over the message websocket. Fields the platform does not need are passed over.
type frame struct {
	Type      string         `json:"type"`
	AppKey    string         `json:"appKey"`
	Sign      string         `json:"sign"`
	PubTime   int64          `json:"pubTime"` // milliseconds
	Content   string         `json:"content"`
	RelatedID jsontext.Value `json:"relatedId"` // of a CONFIRM: the push's id, as a number or as text
}

// related is the id of the push a CONFIRM speaks of; false if there is none.
func (f frame) related() (int64, bool) {
	text := string(f.RelatedID)
	if f.RelatedID.Kind() == '"' {
		text = text[1 : len(text)-1]
	}
	id, err := strconv.ParseInt(text, 10, 64)
	return id, err == nil
}

type serverFrame struct {
	Type      string `json:"type"`
	ID        string `json:"id,omitempty"`
	PubTime   int64  `json:"pubTime,omitempty"`
	Content   string `json:"content,omitempty"` // JSON as text in a push, plain text in SYSTEM
	MsgSource string `json:"msgSource,omitempty"`
}

// event is the content of a push, and an element of push.query.messageList.
type event struct {
	MsgID    json.Number     `json:"msgId"`
	GmtBorn  int64           `json:"gmtBorn"` // milliseconds
	Data     json.RawMessage `json:"data"`
	UserInfo string          `json:"userInfo"` // member id
	Type     string          `json:"type"`
	BizKey   string          `json:"bizKey,omitempty"`
}

func (p *push) event() event {
	return event{
		MsgID: json.Number(strconv.FormatInt(p.id, 10)), GmtBorn: p.born.UnixMilli(),
		Data: p.data, UserInfo: p.member, Type: p.topic,
	}
}

func (p *push) frame() []byte {
	return encode(serverFrame{
		Type: "SERVER_PUSH", ID: strconv.FormatInt(p.id, 10), PubTime: p.born.UnixMilli(),
		Content: string(encode(p.event())), MsgSource: p.source,
	})
}

// The sources of a push.
const (
	sourceReal = "REAL"
	sourceMock = "MOCK" // a person tests an app's messages
)

func systemFrame(text string) []byte { return encode(serverFrame{Type: "SYSTEM", Content: text}) }
