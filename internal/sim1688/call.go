package sim1688

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// operation is one API of the platform. Its path leaves out "/openapi/" and the app key that ends every path.
type operation struct {
	path    string
	api     string // name, as faults and a key's list of APIs call it
	open    bool   // neither signed nor authorized
	tokens  bool   // needs an access token
	create  bool
	preview bool
	pays    bool
	run     func(*gateway, *call) answer
}

const trade = "param2/1/com.alibaba.trade/"

// operations is filled in init, because the operations' own code looks names up in it.
var operations map[string]operation

func init() {
	operations = map[string]operation{}
	for _, op := range []operation{
		{path: "param2/1/system/currentTime", run: (*gateway).currentTime},
		{path: "http/1/system.oauth2/getToken", open: true, run: (*gateway).getToken},
		{path: "param2/1/system.oauth2/postponeToken", open: true, run: (*gateway).postponeToken},
		{path: trade + "alibaba.trade.pay.protocolPay.isopen", tokens: true, run: (*gateway).agreement},
		{path: trade + "alibaba.trade.pay.protocolPay.preparePay", tokens: true, pays: true, run: (*gateway).preparePay},
		{path: trade + "alibaba.alipay.url.get", tokens: true, run: (*gateway).payLink},
		{path: trade + "alibaba.trade.fastCreateOrder", tokens: true, create: true, run: (*gateway).create},
		{path: trade + "alibaba.trade.createCrossOrder", tokens: true, create: true, run: (*gateway).create},
		{path: trade + "alibaba.createOrder.preview", tokens: true, preview: true, run: (*gateway).preview},
		{path: trade + "alibaba.trade.addresscode.parse", tokens: true, run: (*gateway).parseAddress},
		{path: trade + "alibaba.trade.getBuyerOrderList", tokens: true, run: (*gateway).orderList},
		{path: trade + "alibaba.trade.get.buyerView", tokens: true, run: (*gateway).buyerView},
		{path: trade + "alibaba.trade.cancel", tokens: true, run: (*gateway).cancel},
		{path: "param2/1/cn.alibaba.open/push.query.messageList", run: (*gateway).messageList},
		{path: "param2/1/cn.alibaba.open/push.message.confirm", run: (*gateway).messageConfirm},
	} {
		op.api = op.path[strings.LastIndexByte(op.path, '/')+1:]
		operations[op.path] = op
	}
}

// call is one request that named a known operation and a known key.
type call struct {
	op      operation
	path    string // signed text before the parameters
	account *account
	form    url.Values
	lines   []Line // of a create or preview, once read

	district string // where a create's goods go, once read; "" if it has no code
}

func (c *call) get(name string) string { return c.form.Get(name) }

// number reads a positive whole parameter; absent means the default.
func (c *call) number(name string, def, most int) (int, bool) {
	text := c.get(name)
	if text == "" {
		return def, true
	}
	n, err := strconv.Atoi(text)
	return n, err == nil && n >= 1 && n <= most
}

// answer is an HTTP status and a JSON (or HTML) body.
type answer struct {
	status int
	html   bool
	body   []byte
}

func ok(v any) answer { return answer{status: http.StatusOK, body: encode(v)} }

// failure is an error of the gateway itself, before or beside any business.
func failure(code, message string) answer {
	return answer{status: http.StatusBadRequest, body: encode(map[string]string{"error_code": code, "error_message": message})}
}

func missing(name string) answer {
	return failure("gw.ParamMissing", "required parameter "+name+" is missing")
}

func unauthorized() answer { return failure("401", "Request need user authorized") }

// denied is a business error in the fields that most operations use for it.
func denied(r *refusal) answer {
	return ok(map[string]any{"success": false, "errorCode": r.code, "errorMessage": r.message})
}

func invalid(name string) *refusal {
	return &refusal{code: "SIM_INVALID_PARAM", message: "parameter " + name + " cannot be read", line: -1}
}

// moment reads a parameter that is a time as the platform writes it; absent is the zero time.
func (c *call) moment(name string) (time.Time, bool) {
	text := c.get(name)
	if text == "" {
		return time.Time{}, true
	}
	if len(text) != len("20060102150405000-0700") {
		return time.Time{}, false
	}
	at, err := time.Parse("20060102150405.000-0700", text[:14]+"."+text[14:])
	return at, err == nil
}
