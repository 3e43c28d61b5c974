package sim1688

import (
	"cmp"
	"strconv"
	"time"

	"github.com/go-json-experiment/json/jsontext"
)

const (
	minPullSize = 20
	maxPullSize = 200
)

// messageList pages through the key's unconfirmed pushes, oldest first. Confirming shifts later pages.
func (g *gateway) messageList(c *call) answer {
	page, pageOK := c.number("page", 1, 1_000_000)
	size, sizeOK := c.number("pageSize", minPullSize, maxPullSize)
	from, fromOK := bound(c.get("createStartTime"))
	to, toOK := bound(c.get("createEndTime"))
	if !pageOK || !sizeOK || size < minPullSize || !fromOK || !toOK {
		return denied(invalid("createStartTime, createEndTime, page or pageSize"))
	}
	var found []event
	for _, p := range g.courier.unconfirmed(c.account.AppKey) {
		early, late := !from.IsZero() && p.born.Before(from), !to.IsZero() && p.born.After(to)
		if !early && !late && cmp.Or(c.get("type"), p.topic) == p.topic && cmp.Or(c.get("userInfo"), p.member) == p.member {
			found = append(found, p.event())
		}
	}
	start := min((page-1)*size, len(found))
	shown := append([]event{}, found[start:min(start+size, len(found))]...)
	return ok(map[string]any{"pushMessagePage": map[string]any{"datas": shown, "totalCount": len(found)}})
}

// bound reads an end of the period: China's wall clock, or 17 digits with an offset; empty is open.
func bound(text string) (time.Time, bool) {
	if text == "" {
		return time.Time{}, true
	}
	if t, err := time.ParseInLocation(time.DateTime, text, china); err == nil {
		return t, true
	}
	if len(text) == len("20180807153006000+0800") {
		text = text[:14] + "." + text[14:]
	}
	t, err := time.Parse("20060102150405.000-0700", text)
	return t, err == nil
}

// messageConfirm ends the life of the pushes in msgIdList; ids the platform does not know are passed over.
func (g *gateway) messageConfirm(c *call) answer {
	if c.get("msgIdList") == "" {
		return missing("msgIdList")
	}
	var ids []jsontext.Value
	if err := decode([]byte(c.get("msgIdList")), &ids); err != nil {
		return denied(invalid("msgIdList"))
	}
	for _, id := range ids {
		n, isID := (frame{RelatedID: id}).related()
		if !isID {
			return denied(invalid("msgIdList: " + strconv.Quote(string(id))))
		}
		g.courier.confirm(c.account.AppKey, n)
	}
	return ok(map[string]any{"isSuccess": true})
}
