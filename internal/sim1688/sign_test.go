package sim1688

import (
	"net/url"
	"testing"
)

func TestSignature(t *testing.T) {
	const long = "test_app_secret_0123456789abcdef"
	tests := []struct {
		name, secret, path string
		form               url.Values
		want               string
	}{
		{"official example", "test123", "param2/1/system/currentTime/1000000",
			url.Values{"b": {"2"}, "a": {"1"}}, "33E54F4F7B989E3E0E912D3FBD2F1A03CA7CCE88"},
		{"order list", "secretXYZ", trade + "alibaba.trade.getBuyerOrderList/1234567",
			url.Values{"access_token": {"tok-abc"}, "_aop_datatype": {"application/json"}, "_aop_timestamp": {"1700000000000"},
				"page": {"1"}, "pageSize": {"20"}}, "D01C12C8FCD4B59367FFDD51E1DEC31C7C237A4C"},
		{"JSON parameter", "sk", "param2/1/com.alibaba.agent/newtoncloud.task.create/mykey",
			url.Values{"access_token": {"a1"}, "_aop_datatype": {"application/json"}, "_aop_timestamp": {"1699999999999"},
				"message": {"hello"}, "fileUrls": {`["u1","u2"]`}}, "AAE1AB7148B81D8EB334345395E71D7338F6BB43"},
		{"short list", "app-secret", trade + "alibaba.trade.getBuyerOrderList/5890829",
			url.Values{"access_token": {"token-123"}, "page": {"1"}, "pageSize": {"20"}}, "7B91F432F48774204045D86636AFD333B71E95FB"},
		{"empty values are signed", long, "param2/1/com.alibaba.logistics/alibaba.trade.getLogisticsInfos.buyerView/1234567",
			url.Values{"access_token": {"tok-simple-0002"}, "emptyVal": {""}, "orderId": {"58218860983545944"}, "fields": {""},
				"webSite": {"1688"}}, "CE4D74D68081AECD6B36769CE5F4AB2FF643E7CE"},
		{"text as it is", long, trade + "alibaba.trade.fastCreateOrder/1234567",
			url.Values{"access_token": {"tok"}, "message": {`备注 & 带=号 还有空格 "引号"`}, "nested": {`{"k":"v&v"}`}, "path": {`a/b\c`}},
			"FC31C04F37FAE30F7B57482CB3340AB460E84378"},
		{"sorted as whole strings", "s", "param2/1/x/y/1",
			url.Values{"isvBizType": {"cross"}, "isvBizTypeStr": {"abc"}}, "28219A1A1C65661538012B4CE35FEA55A1AD920F"},
		{"create", "secret-0001", trade + "alibaba.trade.fastCreateOrder/1000001",
			url.Values{"flow": {"general"}, "message": {`加急 & 100% "好" +1`}, "access_token": {"tok-0001"},
				"cargoParamList": {`[{"offerId":700000000001,"specId":"aaaa0000","quantity":2}]`}, "subUserId": {""}, "Zone": {"x"}},
			"CFD5C316C49BA02A40298EC306979CC6E795DD78"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if got := signature(test.secret, test.path, test.form); got != test.want {
				t.Errorf("got %s, want %s", got, test.want)
			}
			test.form.Set(signatureParam, "anything")
			if got := signature(test.secret, test.path, test.form); got != test.want {
				t.Errorf("the signature signs itself: %s", got)
			}
		})
	}
}

func TestFrameSign(t *testing.T) {
	f := frame{AppKey: "mykey", PubTime: 1700000000000}
	if got := frameSign("secretXYZ", f); got != "B9E65D4592778AE92A46050E139FABC6" {
		t.Errorf("without content: %s", got)
	}
	f.Content = "content-str"
	if got := frameSign("secretXYZ", f); got != "252610EA907DCC37211639F39097455A" {
		t.Errorf("with content: %s", got)
	}
}
