package alibaba

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
)

// Agreement asks whether the buyer account has an agreement to pay by Alipay without a password: bound and signed (official
// documentation: isopen). It says why not, for people, "" if it has. Errors: *GatewayError, *CallError.
func (c *Client) Agreement(ctx context.Context, cred Credentials) (missing string, err error) {
	got, err := c.call(ctx, cred, trade+"alibaba.trade.pay.protocolPay.isopen", nil)
	if err != nil {
		return "", err
	}
	var answer struct {
		gatewayAnswer
		business
		Result textual `json:"result"`
	}
	if err := decode(got.body, &answer); err != nil {
		return "", &CallError{Sent: true, Err: fmt.Errorf("agreement: HTTP %d: %w", got.status, err)}
	}
	if gateway := answer.err(cred.private()); gateway != nil {
		return "", gateway
	}
	agreements := agreementsIn(answer.Result)
	if agreements == nil {
		if said := answer.complaint(); said.code+said.message != "" {
			return "", &GatewayError{Code: words(said.code, cred.private()), Message: words(said.message, cred.private())}
		}
		return "", &CallError{Sent: true, Err: errors.New("agreement: none is listed in its answer")}
	}
	return unpaid(agreements), nil
}

type agreement struct {
	Channel text `json:"payChannel"`
	Bound   text `json:"bindingStatus"`
	Signed  text `json:"signedStatus"`
}

// agreementsIn finds the list: the official example has one result in another, its field list only one.
func agreementsIn(result textual) []agreement {
	for range 2 {
		var level struct {
			Agreements []agreement `json:"paymentAgreements"`
			Result     textual     `json:"result"`
		}
		if !result.object(&level) || level.Agreements != nil {
			return level.Agreements
		}
		result = level.Result
	}
	return nil
}

func unpaid(agreements []agreement) string {
	for _, a := range agreements {
		switch {
		case !strings.EqualFold(string(a.Channel), "alipay"):
		case !a.Bound.yes():
			return "no Alipay account is bound to the buyer account"
		case !a.Signed.yes():
			return "the agreement to pay by Alipay without a password is not signed"
		default:
			return ""
		}
	}
	return "1688 lists no agreement for Alipay"
}

// Permitted asks whether the app may use the order API, by a preview of an offer that does not exist: the gateway checks the
// permission before the parameters (several public clients agree), so that any answer about the order itself says that it may.
// That the create calls are permitted together with the preview is not known. Errors: *GatewayError when the gateway turned the
// call down, *CallError.
func (c *Client) Permitted(ctx context.Context, cred Credentials) error {
	const nothing = `[{"offerId":1,"quantity":1}]`
	const nowhere = `{"provinceText":"浙江省","cityText":"杭州市","areaText":"滨江区","address":"网商路699号","fullName":"test","mobile":"13000000000"}`
	got, err := c.call(ctx, cred, previewCall, Params{
		{"flow", "general"}, {"addressParam", nowhere}, {"cargoParamList", nothing},
	})
	if err != nil {
		return err
	}
	var answer struct {
		gatewayAnswer
		business
		Previews json.RawMessage `json:"orderPreviewResuslt"` // sic
	}
	if err := decode(got.body, &answer); err != nil {
		return &CallError{Sent: true, Err: fmt.Errorf("preview: HTTP %d: %w", got.status, err)}
	}
	if gateway := answer.err(cred.private()); gateway != nil {
		if gateway.Code == "gw.ParamMissing" {
			return nil
		}
		return gateway
	}
	if said := answer.complaint(); isFault(said.code) || said.code == "" && answer.Success == "" && answer.Previews == nil {
		return &CallError{Sent: true, Err: errors.New("preview: its answer says nothing")}
	}
	return nil
}
