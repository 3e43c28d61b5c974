package alibaba

import (
	"net/http"
	"reflect"
	"strings"
	"testing"

	"golang.org/x/text/encoding/simplifiedchinese"

	"autopurchase/worker"
)

const (
	spec = "aaaa0000aaaa0000aaaa0000aaaa0000"
	huge = "2257000000000000973" // a float would make it ...000
)

func one(id string, total, postage worker.Fen) []worker.PlacedOrder {
	return []worker.PlacedOrder{{ID: id, Total: total, Postage: postage}}
}

// Every shape a create call has been answered with, and what is known after it.
func TestCreateAnswers(t *testing.T) {
	for name, c := range map[string]struct {
		status  int
		body    string
		verdict worker.Verdict
		code    worker.Code
		orders  []worker.PlacedOrder
	}{
		"one order": {200, `{"success":true,"result":{"orderId":"` + huge + `","totalSuccessAmount":3998,"postFee":500}}`,
			worker.Placed, worker.CodePlaced, one(huge, 3998, 500)},
		"id as a number": {200, `{"success":true,"result":{"orderId":` + huge + `,"totalSuccessAmount":"3998"}}`,
			worker.Placed, worker.CodePlaced, one(huge, 3998, 0)},
		"not nested": {200, `{"success":true,"orderId":"` + huge + `","postFee":"500"}`,
			worker.Placed, worker.CodePlaced, one(huge, 0, 500)},
		"success as text": {200, `{"success":"true","result":{"orderId":"` + huge + `"}}`,
			worker.Placed, worker.CodePlaced, one(huge, 0, 0)},
		"several orders": {200, `{"success":true,"result":{"orderId":"","orderList":[{"orderId":"11","orderAmmount":100,"postFee":1,"success":true},` +
			`{"orderId":12,"orderAmmount":"200","success":"true"}]}}`,
			worker.Placed, worker.CodePlaced, []worker.PlacedOrder{{ID: "11", Total: 100, Postage: 1}, {ID: "12", Total: 200}}},
		"the same order twice": {200, `{"success":true,"orderId":"11","result":{"orderId":"11","orderList":[{"orderId":"11","orderAmmount":9}]}}`,
			worker.Placed, worker.CodePlaced, one("11", 9, 0)},
		"id beside success false": {200, `{"success":false,"code":"500_004","message":"库存不足","result":{"orderId":"` + huge + `"}}`,
			worker.Placed, worker.CodePlaced, one(huge, 0, 0)},
		"id beside a gateway error": {500, `{"error_code":"gw.Timeout","orderId":"` + huge + `"}`,
			worker.Placed, worker.CodePlaced, one(huge, 0, 0)},
		"a part without id": {200, `{"success":true,"result":{"orderList":[{"orderId":"11","success":true},{"success":false,"resultCode":"500_004"}]}}`,
			worker.Placed, worker.CodePlaced, one("11", 0, 0)},
		"amount as a float": {200, `{"success":true,"result":{"orderId":"11","totalSuccessAmount":39.98}}`,
			worker.Placed, worker.CodePlaced, one("11", 0, 0)},
		"amounts with decimals that are 0": {200, `{"success":true,"result":{"orderId":"11","totalSuccessAmount":"3998.00","postFee":5E2}}`,
			worker.Placed, worker.CodePlaced, one("11", 3998, 500)},
		"an amount below 0": {200, `{"success":true,"result":{"orderId":"11","totalSuccessAmount":-3998,"postFee":"-1.0"}}`,
			worker.Placed, worker.CodePlaced, one("11", 0, 0)},
		"an amount that is none": {200, `{"success":true,"result":{"orderId":"11","totalSuccessAmount":"3,998","postFee":"1e99"}}`,
			worker.Placed, worker.CodePlaced, one("11", 0, 0)},
		"partial": {200, `{"success":true,"result":{"orderId":"11","failedOfferList":[{"offerId":700000000002,"errorCode":"500_004","errorMessage":"x"}]}}`,
			worker.Placed, worker.CodePartial, one("11", 0, 0)},

		"out of stock":           {200, `{"success":false,"code":"500_004","message":"库存不足"}`, worker.Refused, worker.CodeOutOfStock, nil},
		"false as text":          {200, `{"success":"false","code":"500_001"}`, worker.Refused, worker.CodeNotSold, nil},
		"several sellers":        {400, `{"success":false,"errorCode":"500_002","errorMsg":"x"}`, worker.Refused, worker.CodeManySellers, nil},
		"other spelling":         {200, `{"success":false,"errorCode":"500_003","errorMessage":"x"}`, worker.Refused, worker.CodeUnknownSpec, nil},
		"below minimum":          {200, `{"success":false,"code":"500_005","erroMsg":"x"}`, worker.Refused, worker.CodeBelowMinimum, nil},
		"mix rule":               {200, `{"success":false,"code":"500_006"}`, worker.Refused, worker.CodeMixRule, nil},
		"no consignment":         {200, `{"success":false,"code":"500_007"}`, worker.Refused, worker.CodeNoConsignment, nil},
		"price is zero":          {200, `{"success":false,"code":"500_008"}`, worker.Refused, worker.CodeZeroPrice, nil},
		"below batch":            {200, `{"success":false,"code":"500_009"}`, worker.Refused, worker.CodeBelowBatch, nil},
		"prefix once":            {200, `{"success":false,"code":"FAIL_BIZ_BOOKED_BEYOND_THE_MAX_QUANTITY"}`, worker.Refused, worker.CodeAboveMaximum, nil},
		"prefix twice":           {200, `{"success":false,"code":"FAIL_BIZ_FAIL_BIZ_QUANTITY_UNMATCH_SELLUNIT_SCALE"}`, worker.Refused, worker.CodeSellUnit, nil},
		"least quantity":         {200, `{"success":false,"code":"BOOKED_LESS_THAN_LEAST_QUANTITY"}`, worker.Refused, worker.CodeBelowMinimum, nil},
		"no mixing":              {200, `{"success":false,"code":"UNSUPPORT_MIX"}`, worker.Refused, worker.CodeMixRule, nil},
		"mixing begins later":    {200, `{"success":false,"code":"FAIL_BIZ_LESS_THAN_MIX_BEGIN"}`, worker.Refused, worker.CodeMixRule, nil},
		"product state":          {200, `{"success":false,"code":"PRODUCT_TRADE_STAT_ERROR"}`, worker.Refused, worker.CodeNotSold, nil},
		"no relation":            {200, `{"success":false,"code":"PROXY_RELATED_NOT_FUND"}`, worker.Refused, worker.CodeNoConsignment, nil},
		"no success, known code": {200, `{"code":"500_004","message":"x"}`, worker.Refused, worker.CodeOutOfStock, nil},
		"code within the result": {200, `{"success":false,"code":"200","result":{"success":false,"resultCode":"500_004"}}`, worker.Refused, worker.CodeOutOfStock, nil},
		"code of a listed order": {200, `{"success":false,"result":{"orderList":[{"success":false,"resultCode":"500_004"}]}}`, worker.Refused, worker.CodeOutOfStock, nil},
		"JSON as the message":    {200, `{"success":false,"errorMsg":"{\"errorCode\":\"FAIL_BIZ_UNSUPPORT_MIX\",\"message\":\"x\"}"}`, worker.Refused, worker.CodeMixRule, nil},
		"JSON beside a code":     {200, `{"success":false,"code":"BIZ_1","errorMsg":"{\"code\":\"500_004\"}"}`, worker.Refused, worker.CodeOutOfStock, nil},
		"every line failed":      {200, `{"success":false,"result":{"failedOfferList":[{"offerId":"1","errorCode":"500_004"}]}}`, worker.Refused, worker.CodeOutOfStock, nil},
		"a code in no list":      {200, `{"success":false,"code":"BUYER_IS_SELLER","message":"x"}`, worker.Refused, worker.CodeRefused, nil},
		"parameter missing":      {400, `{"error_code":"gw.ParamMissing","error_message":"flow"}`, worker.Refused, worker.CodeRefused, nil},

		"success without id":       {200, `{"success":true,"result":{}}`, worker.Unknown, worker.CodeNoAnswer, nil},
		"success beside a refusal": {200, `{"success":true,"code":"500_004","message":"x"}`, worker.Unknown, worker.CodeNoAnswer, nil},
		"success, lines failed":    {200, `{"success":true,"result":{"failedOfferList":[{"offerId":"1","errorCode":"500_004"}]}}`, worker.Unknown, worker.CodeNoAnswer, nil},
		"id zero":                  {200, `{"success":true,"result":{"orderId":0}}`, worker.Unknown, worker.CodeNoAnswer, nil},
		"id as a float":            {200, `{"success":false,"code":"500_004","result":{"orderId":2.257e18}}`, worker.Unknown, worker.CodeNoAnswer, nil},
		"several ids in a text":    {200, `{"success":true,"result":{"orderId":"11,12"}}`, worker.Unknown, worker.CodeNoAnswer, nil},
		"result of another kind":   {200, `{"success":false,"code":"500_004","result":["11"]}`, worker.Unknown, worker.CodeNoAnswer, nil},
		"refusal, empty result":    {200, `{"success":false,"code":"500_004","result":""}`, worker.Refused, worker.CodeOutOfStock, nil},
		"code without success":     {200, `{"code":"BUYER_IS_SELLER"}`, worker.Unknown, worker.CodeNoAnswer, nil},
		"false and nothing else":   {200, `{"success":false}`, worker.Unknown, worker.CodeNoAnswer, nil},
		"false and words alone":    {200, `{"success":false,"message":"系统繁忙"}`, worker.Unknown, worker.CodeNoAnswer, nil},
		"a fault inside":           {200, `{"success":false,"code":"SYSTEM_ERROR","message":"x"}`, worker.Unknown, worker.CodeNoAnswer, nil},
		"a time-out inside":        {200, `{"success":false,"code":"isp.service-timeout"}`, worker.Unknown, worker.CodeNoAnswer, nil},
		"a status as code":         {200, `{"success":false,"code":"500"}`, worker.Unknown, worker.CodeNoAnswer, nil},
		"empty object":             {200, `{}`, worker.Unknown, worker.CodeNoAnswer, nil},
		"null":                     {200, `null`, worker.Unknown, worker.CodeNoAnswer, nil},
		"array":                    {200, `[]`, worker.Unknown, worker.CodeNoAnswer, nil},
		"nothing":                  {200, ``, worker.Unknown, worker.CodeNoAnswer, nil},
		"cut short":                {200, `{"success":false,"code":"500_0`, worker.Unknown, worker.CodeNoAnswer, nil},
		"HTML":                     {502, `<html>502</html>`, worker.Unknown, worker.CodeNoAnswer, nil},
		"refusal with status 500":  {500, `{"success":false,"code":"500_004"}`, worker.Unknown, worker.CodeNoAnswer, nil},
		"redirect":                 {302, ``, worker.Unknown, worker.CodeNoAnswer, nil},
		"gateway error in no list": {200, `{"error_code":"gw.InvokeTimeout","error_message":"x"}`, worker.Unknown, worker.CodeNoAnswer, nil},
		"too long":                 {200, `{"success":false,"code":"500_004","message":"` + strings.Repeat("x", maxBody) + `"}`, worker.Unknown, worker.CodeNoAnswer, nil},

		"token":               {401, `{"error_code":"401","error_message":"Request need user authorized"}`, worker.NotAttempted, worker.CodeUnauthorized, nil},
		"token, as a number":  {200, `{"error_code":401}`, worker.NotAttempted, worker.CodeUnauthorized, nil},
		"signature":           {400, `{"error_code":"gw.SignatureInvalid"}`, worker.NotAttempted, worker.CodeUnauthorized, nil},
		"signature missing":   {400, `{"error_code":"gw.SignatureMissing"}`, worker.NotAttempted, worker.CodeUnauthorized, nil},
		"app key":             {400, `{"error_code":"gw.AppKeyNotFound"}`, worker.NotAttempted, worker.CodeUnauthorized, nil},
		"no such call":        {400, `{"error_code":"gw.APIUnsupported"}`, worker.NotAttempted, worker.CodeUnauthorized, nil},
		"no permission":       {400, `{"error_code":"gw.APIACLDecline"}`, worker.NotAttempted, worker.CodeUnauthorized, nil},
		"throttled":           {200, `{"error_code":"gw.QosAppFrequencyLimit"}`, worker.NotAttempted, worker.CodeThrottled, nil},
		"throttled otherwise": {503, `{"error_code":"gw.QosRequestLimit"}`, worker.NotAttempted, worker.CodeThrottled, nil},
	} {
		t.Run(name, func(t *testing.T) {
			got := answering(t, c.status, c.body).Create(t.Context(), testKey, testOrder())
			if got.Verdict != c.verdict || got.Code != c.code || !reflect.DeepEqual(got.Orders, c.orders) {
				t.Errorf("got %+v", got)
			}
			if (got.Verdict == worker.Placed) != (len(got.Orders) > 0) {
				t.Errorf("verdict %s with %d orders", got.Verdict, len(got.Orders))
			}
			odd := got.Verdict != worker.Placed || strings.Contains(c.body, "false")
			if (got.Reason != "") != odd {
				t.Errorf("reason %q", got.Reason)
			}
		})
	}
}

func TestFailedLinesAreThoseOfTheOrder(t *testing.T) {
	body := `{"success":true,"result":{"orderId":"11","failedOfferList":[` +
		`{"offerId":700000000001,"errorCode":"500_004","errorMessage":"库存不足"},` +
		`{"offerId":"700000000002","specId":"","errorCode":"FAIL_BIZ_PRODUCT_TRADE_STAT_ERROR"}]}}`
	got := answering(t, 200, body).Create(t.Context(), testKey, testOrder())
	want := []worker.FailedOffer{
		{OfferID: "700000000001", SpecID: spec, Code: worker.CodeOutOfStock, Reason: "1688: 500_004 库存不足"},
		{OfferID: "700000000002", Code: worker.CodeNotSold, Reason: "1688: FAIL_BIZ_PRODUCT_TRADE_STAT_ERROR"},
	}
	if !reflect.DeepEqual(got.Failed, want) {
		t.Errorf("got %+v", got.Failed)
	}
}

func TestOnlyARejectedTokenAsksForARefresh(t *testing.T) {
	for body, want := range map[string]bool{
		`{"error_code":"401"}`:                       true,
		`{"error_code":"gw.SignatureInvalid"}`:       false,
		`{"error_code":"gw.APIACLDecline"}`:          false,
		`{"success":false,"code":"401"}`:             false,
		`{"success":true,"result":{"orderId":"11"}}`: false,
	} {
		if got := answering(t, 200, body).Create(t.Context(), testKey, testOrder()); got.TokenRejected != want {
			t.Errorf("%s: got %v", body, got.TokenRejected)
		}
	}
}

func TestCreateSendsWhatTheDocumentationAsksFor(t *testing.T) {
	for api, call := range map[API]string{"": "fastCreateOrder", Fast: "fastCreateOrder", Cross: "createCrossOrder"} {
		cred := testKey
		cred.API = api
		got := gateway(t, func(w http.ResponseWriter, r *http.Request) {
			path := "param2/1/com.alibaba.trade/alibaba.trade." + call + "/1000001"
			if r.Method != http.MethodPost || r.URL.Path != "/openapi/"+path || r.URL.RawQuery != "" {
				t.Errorf("%s %s", r.Method, r.URL)
			}
			if r.Header.Get("Idempotency-Key") != "" {
				t.Error("an Idempotency-Key lets the HTTP client send the order again")
			}
			if err := r.ParseForm(); err != nil {
				t.Error(err)
			}
			checkForm(t, path, r)
			_, _ = w.Write([]byte(`{"success":true,"result":{"orderId":"11"}}`))
		}).Create(t.Context(), cred, testOrder())
		if got.Verdict != worker.Placed {
			t.Errorf("%q: %+v", api, got)
		}
	}
}

func checkForm(t *testing.T, path string, r *http.Request) {
	t.Helper()
	var signed Params
	for key, values := range r.PostForm {
		if len(values) != 1 || values[0] == "" {
			t.Errorf("%s: sent empty or more than once", key)
		}
		signed = append(signed, Param{key, values[0]})
	}
	if r.PostForm.Get("_aop_signature") != Sign(testKey.Secret, path, signed) {
		t.Error("the signature is not that of the values received")
	}
	for key, want := range map[string]string{
		"flow":           "general",
		"outOrderId":     "acme.PR-1-1",
		"message":        `加急 & 100% "好" +1 <b>`,
		"access_token":   testKey.AccessToken,
		"cargoParamList": `[{"offerId":700000000001,"specId":"` + spec + `","quantity":2},{"offerId":700000000002,"quantity":1}]`,
		"addressParam": `{"fullName":"张三三","mobile":"13800138000","provinceText":"上海","cityText":"上海市",` +
			`"address":"陕西南路1号"}`,
	} {
		if got := r.PostForm.Get(key); got != want {
			t.Errorf("%s: got %s, want %s", key, got, want)
		}
	}
}

func TestOrderThatCannotBeWrittenIsRefusedUnsent(t *testing.T) {
	client := gateway(t, func(http.ResponseWriter, *http.Request) { t.Error("was sent") })
	offer, address := testOrder(), testOrder()
	offer.Lines[1].OfferID = "7e11"
	address.DeliverTo = worker.Address{AddressID: "12a"}
	for field, order := range map[string]worker.Order{"lines[1].offer_id": offer, "deliver_to.address_id": address} {
		got := client.Create(t.Context(), testKey, order)
		if got.Verdict != worker.Refused || got.Code != worker.CodeInvalid || !strings.HasPrefix(got.Reason, field+": ") {
			t.Errorf("%s: %+v", field, got)
		}
	}
}

// The platform may repeat in its words what it was sent.
func TestReasonsHoldNoSecretAndNoBuyer(t *testing.T) {
	echo := testKey.Secret + " " + testKey.AccessToken + " 张三三 13800138000 陕西南路1号\n\x01 end"
	body := strings.NewReplacer("\n", `\n`, "\x01", `\u0001`).Replace(echo)
	for name, answer := range map[string]string{
		"refusal": `{"success":false,"code":"500_004","message":"` + body + `"}`,
		"placed":  `{"success":false,"code":"500_004","message":"` + body + `","orderId":"11"}`,
		"unknown": `{"message":"` + body + `"}`,
		"gateway": `{"error_code":"gw.SignatureInvalid","error_message":"` + body + `"}`,
		"line":    `{"success":false,"result":{"failedOfferList":[{"offerId":"1","errorCode":"500_004","errorMessage":"` + body + `"}]}}`,
		"HTML":    `<html>` + body,
	} {
		got := answering(t, 200, answer).Create(t.Context(), testKey, testOrder())
		said := got.Reason
		for _, f := range got.Failed {
			said += f.Reason
		}
		for _, private := range append(testKey.private(), "张三三", "13800138000", "陕西南路1号", "\n", "\x01") {
			if strings.Contains(said, private) {
				t.Errorf("%s: %q is in %q", name, private, said)
			}
		}
		if name != "HTML" && !strings.Contains(said, "end") {
			t.Errorf("%s: the platform's words are missing: %q", name, said)
		}
	}
}

func TestWordsInGB18030AreReadable(t *testing.T) {
	body, err := simplifiedchinese.GB18030.NewEncoder().String(`{"success":false,"code":"500_004","message":"库存不足"}`)
	if err != nil {
		t.Fatal(err)
	}
	got := answering(t, 200, body).Create(t.Context(), testKey, testOrder())
	if got.Code != worker.CodeOutOfStock || got.Reason != "1688: 500_004 库存不足" {
		t.Errorf("got %+v", got)
	}
}
