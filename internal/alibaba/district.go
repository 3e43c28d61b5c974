package alibaba

import (
	"context"
	"fmt"
	"strings"

	"autopurchase/worker"
)

// District asks for the code of the district that an address is in (official documentation: addresscode.parse), as
// worker.Address.DistrictCode takes it. Placed, without orders, means that the platform named one, Absent that it answered and named
// none; else NotAttempted or Unknown. It changes nothing on the platform.
func (c *Client) District(ctx context.Context, cred Credentials, to worker.Address) (code string, reply Reply) {
	private := append(cred.private(), personal(worker.Order{DeliverTo: to})...)
	got, err := c.call(ctx, cred, trade+"alibaba.trade.addresscode.parse", Params{{"addressInfo", Whereabouts(to)}})
	if err != nil {
		return "", lookedUp(err)
	}
	var answer struct {
		gatewayAnswer
		business
		Result textual `json:"result"`
	}
	if err := decode(got.body, &answer); err != nil {
		return "", unknown(fmt.Sprintf("1688: HTTP %d: %v", got.status, err))
	}
	if gateway := answer.err(private); gateway != nil {
		return "", lookedUp(gateway)
	}
	var found struct {
		Code text `json:"addressCode"`
	}
	switch {
	case got.status >= 500:
		return "", unknown(fmt.Sprintf("1688: HTTP %d", got.status))
	case answer.Result.object(&found) && isDistrict(string(found.Code)):
		return string(found.Code), Reply{Answer: worker.Answer{Verdict: worker.Placed, Code: worker.CodePlaced}}
	}
	return "", Reply{Answer: worker.Answer{Verdict: worker.Absent, Code: worker.CodeAbsent, Reason: "1688 names no district; " + answer.complaint().words(private)}}
}

// isDistrict says whether a text may be the code of a district: digits, as many as those that are known have, or more.
func isDistrict(code string) bool {
	return len(code) >= 6 && len(code) <= 16 && strings.Trim(code, "0123456789") == ""
}

// Whereabouts is an address as one text, as the documentation has it: 浙江省 杭州市 滨江区网商路699号.
func Whereabouts(to worker.Address) string {
	return strings.TrimSpace(to.Province + " " + to.City + " " + to.Area + to.Town + to.Address)
}
