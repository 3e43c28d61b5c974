package alibaba

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"autopurchase/worker"
)

// Missed is a push that nobody confirmed: the platform keeps it to be asked for.
type Missed struct {
	ID     string        // by which it is confirmed
	Pushes []worker.Push // one for each order that it names
}

const (
	openNamespace = "1/cn.alibaba.open/"
	// MissedPage is how many pushes one look shows (official documentation: 20 to 200).
	MissedPage = 200
)

type missedAnswer struct {
	gatewayAnswer
	business
	Page *missedPage `json:"pushMessagePage"`
}

type missedPage struct {
	List []json.RawMessage `json:"datas"`
}

// Missed lists pushes of the app between two moments that nobody confirmed, the first page of them: confirming shifts later
// pages, so that this one is to be read again. It needs no token. Errors: *GatewayError, *CallError.
func (c *Client) Missed(ctx context.Context, cred Credentials, from, to time.Time) ([]Missed, error) {
	cred.AccessToken = ""
	got, err := c.call(ctx, cred, openNamespace+"push.query.messageList", Params{
		{"createStartTime", gatewayTime(from.UnixMilli())}, {"createEndTime", gatewayTime(to.UnixMilli())},
		{"page", "1"}, {"pageSize", strconv.Itoa(MissedPage)},
	})
	if err != nil {
		return nil, err
	}
	var answer missedAnswer
	if err := decode(got.body, &answer); err != nil {
		return nil, &CallError{Sent: true, Err: fmt.Errorf("HTTP %d: %w", got.status, err)}
	}
	if gateway := answer.err(cred.private()); gateway != nil {
		return nil, gateway
	}
	if answer.Page == nil || answer.Success.no() {
		return nil, &CallError{Sent: true, Err: errors.New("no list of messages; " + answer.complaint().words(cred.private()))}
	}
	var all []Missed
	for _, raw := range answer.Page.List {
		if m := missed(cred.AppKey, raw); m.ID != "" { // else it cannot be confirmed, and the live session may have it
			all = append(all, m)
		}
	}
	return all, nil
}

// missed reads a listed push, which has the form of a push's content.
func missed(appKey string, raw json.RawMessage) Missed {
	var c content
	_ = json.Unmarshal(raw, &c)
	m := Missed{ID: string(c.MsgID), Pushes: pushes(appKey, inFrame{ID: c.MsgID, Content: text(raw)})}
	for i := range m.Pushes {
		m.Pushes[i].Source = worker.SourceList
	}
	return m
}

// ConfirmMissed ends the life of listed pushes. Those that the platform does not know are passed over. Errors: *GatewayError,
// *CallError.
func (c *Client) ConfirmMissed(ctx context.Context, cred Credentials, ids []string) error {
	cred.AccessToken = ""
	got, err := c.call(ctx, cred, openNamespace+"push.message.confirm", Params{{"msgIdList", "[" + strings.Join(ids, ",") + "]"}})
	if err != nil {
		return err
	}
	var answer struct {
		gatewayAnswer
		business
	}
	if err := decode(got.body, &answer); err != nil {
		return &CallError{Sent: true, Err: fmt.Errorf("HTTP %d: %w", got.status, err)}
	}
	if gateway := answer.err(cred.private()); gateway != nil {
		return gateway
	}
	return nil
}
