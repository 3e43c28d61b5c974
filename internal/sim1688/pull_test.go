package sim1688

import (
	"net/http"
	"strconv"
	"testing"
	"time"
)

const (
	pullMessages    = "param2/1/cn.alibaba.open/push.query.messageList"
	confirmMessages = "param2/1/cn.alibaba.open/push.message.confirm"
)

type pulled struct {
	Page struct {
		Datas      []event `json:"datas"`
		TotalCount int     `json:"totalCount"`
	} `json:"pushMessagePage"`
}

func (w *world) pull(params ...string) pulled {
	w.t.Helper()
	var got pulled
	w.call(pullMessages, append(params, "access_token", "")...).into(w.t, &got) // signed, and no token is needed
	return got
}

func TestPullAndConfirm(t *testing.T) {
	w := start(t)
	var ids []string
	for range 25 {
		ids = append(ids, w.Push(testKey, "ORDER_BUYER_VIEW_ORDER_PAY", map[string]string{"orderId": "1"}))
	}
	w.clock.advance(time.Hour)
	late := w.Push(testKey, "ORDER_BUYER_VIEW_ORDER_SUCCESS", map[string]string{"orderId": "1"})

	second := w.pull("page", "2")
	if second.Page.TotalCount != 26 || len(second.Page.Datas) != 6 || second.Page.Datas[0].MsgID.String() != ids[20] {
		t.Fatalf("second page %+v", second)
	}
	for name, params := range map[string][]string{
		"type":         {"type", "ORDER_BUYER_VIEW_ORDER_SUCCESS"},
		"start":        {"createStartTime", "2026-03-01 12:30:00"},
		"start, long":  {"createStartTime", "20260301123000000+0800"},
		"start, short": {"createStartTime", "20260301123000000+0800", "createEndTime", "2026-03-01 14:00:00"},
	} {
		if got := w.pull(params...); got.Page.TotalCount != 1 || got.Page.Datas[0].MsgID.String() != late {
			t.Errorf("by %s: %+v", name, got)
		}
	}
	if got := w.pull("createEndTime", "2026-03-01 12:30:00"); got.Page.TotalCount != 25 {
		t.Errorf("by end: %d", got.Page.TotalCount)
	}
	if got := w.pull("userInfo", "b2b-nobody"); got.Page.TotalCount != 0 || got.Page.Datas == nil {
		t.Errorf("by member: %+v", got)
	}

	w.call(confirmMessages, "msgIdList", "["+ids[0]+`,"`+ids[1]+`",1]`).mustHave(t, http.StatusOK, `"isSuccess":true`)
	if got := w.pull("page", "1"); got.Page.TotalCount != 24 || got.Page.Datas[0].MsgID.String() != ids[2] {
		t.Errorf("after confirming: %d, first %s", got.Page.TotalCount, got.Page.Datas[0].MsgID)
	}
	if got := w.pull("page", "9"); len(got.Page.Datas) != 0 {
		t.Errorf("beyond the end: %+v", got)
	}
}

func TestPullRefused(t *testing.T) {
	w := start(t)
	for _, params := range [][]string{{"page", "0"}, {"pageSize", "19"}, {"pageSize", strconv.Itoa(maxPullSize + 1)}, {"createStartTime", "today"}} {
		w.call(pullMessages, params...).mustHave(t, http.StatusOK, `"success":false`, "SIM_INVALID_PARAM")
	}
	for list, want := range map[string]string{"x": "SIM_INVALID_PARAM", `["x"]`: "SIM_INVALID_PARAM", `[1.5]`: "SIM_INVALID_PARAM"} {
		w.call(confirmMessages, "msgIdList", list).mustHave(t, http.StatusOK, want)
	}
	w.call(confirmMessages).mustHave(t, http.StatusBadRequest, "gw.ParamMissing")
}
