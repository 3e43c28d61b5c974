package sim1688

import "strings"

// regions are those that the platform knows here, by their names.
var regions = map[string]string{
	"上海市 黄浦区": "310101", "上海市 徐汇区": "310104", "杭州市 滨江区": "330108", "东莞市": "441900",
}

// parseAddress names the district of an address; of one that it does not know it says so.
func (g *gateway) parseAddress(c *call) answer {
	text := c.get("addressInfo")
	if text == "" {
		return missing("addressInfo")
	}
	for name, code := range regions {
		if strings.Contains(text, name) {
			return ok(map[string]any{"result": map[string]any{"address": text[strings.Index(text, name)+len(name):], "addressCode": code, "isDefault": false}})
		}
	}
	return ok(map[string]any{"errorCode": "SIM_ADDRESS_NOT_PARSED", "errorMessage": "the address cannot be parsed"})
}
