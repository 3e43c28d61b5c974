package alibaba

import (
	"encoding/json"
	"strings"

	"autopurchase/worker"
)

// business are the fields that say how a call went, in all the spellings that the platform uses for them.
type business struct {
	Success      text `json:"success"`
	Code         text `json:"code"`
	Message      text `json:"message"`
	ErrorCode    text `json:"errorCode"`
	ErrorMsg     text `json:"errorMsg"`
	ErrorMessage text `json:"errorMessage"`
	ErroMsg      text `json:"erroMsg"` // sic
	ResultCode   text `json:"resultCode"`
}

// complaint is what a call was turned down with.
type complaint struct{ code, message string }

func (b business) complaint() complaint {
	c := complaint{
		code:    firstText(b.ErrorCode, b.Code, b.ResultCode),
		message: firstText(b.ErrorMsg, b.ErrorMessage, b.ErroMsg, b.Message),
	}
	return c.unpacked()
}

// unpacked looks into a message that is JSON itself: the code may stand in there alone.
func (c complaint) unpacked() complaint {
	if _, known := refusal(c.code); known || !strings.HasPrefix(strings.TrimSpace(c.message), "{") {
		return c
	}
	var inner business
	if json.Unmarshal([]byte(c.message), &inner) != nil {
		return c
	}
	code := firstText(inner.ErrorCode, inner.Code, inner.ResultCode)
	if _, known := refusal(code); known || c.code == "" {
		c.code = code
	}
	if message := firstText(inner.ErrorMsg, inner.ErrorMessage, inner.ErroMsg, inner.Message); message != "" {
		c.message = message
	}
	return c
}

// words puts code and message into one line, without what is private.
func (c complaint) words(private []string) string {
	if c.message == "" {
		return "1688: " + words(c.code, private)
	}
	return "1688: " + words(c.code+" "+c.message, private)
}

// refusals are the official documentation's codes for orders that 1688 will not take.
var refusals = map[string]worker.Code{
	"500_001": worker.CodeNotSold,
	"500_002": worker.CodeManySellers,
	"500_003": worker.CodeUnknownSpec,
	"500_004": worker.CodeOutOfStock,
	"500_005": worker.CodeBelowMinimum,
	"500_006": worker.CodeMixRule,
	"500_007": worker.CodeNoConsignment,
	"500_008": worker.CodeZeroPrice,
	"500_009": worker.CodeBelowBatch,
}

// refusalEnds are codes that come with a prefix such as FAIL_BIZ_, once or twice: only their end counts.
var refusalEnds = []struct {
	end  string
	code worker.Code
}{
	{"BOOKED_BEYOND_THE_MAX_QUANTITY", worker.CodeAboveMaximum},
	{"BOOKED_LESS_THAN_LEAST_QUANTITY", worker.CodeBelowMinimum},
	{"QUANTITY_UNMATCH_SELLUNIT_SCALE", worker.CodeSellUnit},
	{"UNSUPPORT_MIX", worker.CodeMixRule},
	{"LESS_THAN_MIX_BEGIN", worker.CodeMixRule},
	{"PRODUCT_TRADE_STAT_ERROR", worker.CodeNotSold},
	{"PROXY_RELATED_NOT_FUND", worker.CodeNoConsignment}, // sic
}

// refusal maps one of the platform's codes; known is false for a code that is in no list.
func refusal(code string) (mapped worker.Code, known bool) {
	if mapped, known = refusals[code]; known {
		return mapped, true
	}
	for _, r := range refusalEnds {
		if strings.HasSuffix(code, r.end) {
			return r.code, true
		}
	}
	return worker.CodeRefused, false
}

// faultWords mark codes that speak of a fault inside the platform: what became of the order is not known then. Codes are
// an open set, so this errs on the side of not knowing.
var faultWords = []string{"SYSTEM", "TIMEOUT", "TIME_OUT", "EXCEPTION", "INTERNAL", "UNAVAILABLE", "UNKNOWN", "BUSY", "RETRY", "ISP"}

func isFault(code string) bool {
	upper := strings.ToUpper(code)
	for _, word := range faultWords {
		if strings.Contains(upper, word) {
			return true
		}
	}
	return len(code) == 3 && code[0] == '5' // an HTTP status in disguise
}
