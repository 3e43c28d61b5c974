package sim1688

// meanings holds the refusal codes of the official documentation and of public clients, and the simulator's own (SIM_). The
// texts are for people; a client decides by the code.
var meanings = map[string]string{
	"500_001": "商品不支持在线交易",
	"500_002": "只支持同一供应商的商品下单，或缺少specId",
	"500_003": "specId不属于该商品",
	"500_004": "库存不足",
	"500_005": "不满足最小起订量",
	"500_006": "不满足混批规则",
	"500_007": "没有代销关系",
	"500_008": "商品价格为0",
	"500_009": "不满足起批量",

	"BOOKED_BEYOND_THE_MAX_QUANTITY":    "超过可售数量",
	"BOOKED_LESS_THAN_LEAST_QUANTITY":   "小于最小起订量",
	"QUANTITY_UNMATCH_SELLUNIT_SCALE":   "数量不符合销售单位",
	"UNSUPPORT_MIX":                     "不支持混批",
	"LESS_THAN_MIX_BEGIN":               "不满足混批起批量",
	"PRODUCT_TRADE_STAT_ERROR":          "商品交易状态异常",
	"PROXY_RELATED_NOT_FUND":            "没有代销关系",
	"CLOSE_ORDER_TOO_FAST":              "订单创建后10秒内不能关闭",
	"SIM_INVALID_PARAM":                 "invalid parameter",
	"SIM_TOO_MANY_SKUS":                 "more than 50 SKUs in one order",
	"SIM_MESSAGE_TOO_LONG":              "message is longer than 500 characters",
	"SIM_ADDRESS_TOO_LONG":              "address is longer than 200 characters",
	"SIM_ORDER_NOT_FOUND":               "this buyer has no such order",
	"SIM_ORDER_NOT_UNPAID":              "only an unpaid order can be cancelled",
	"SIM_NO_AGREEMENT":                  "this buyer has no agreement to pay without a password",
	"SIM_WRONG_AMOUNT":                  "payAmount is not what the order comes to",
	"SIM_TRADE_TYPE_NOT_IN_THE_PREVIEW": "tradeType is none that the preview lists",
}

// meaning is the text that goes with a code; a code nobody explained is its own text.
func meaning(code string) string {
	if text, known := meanings[code]; known {
		return text
	}
	return code
}
