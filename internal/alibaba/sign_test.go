package alibaba

import (
	"cmp"
	"net/url"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// The first is from the official documentation, the others were computed by independent clients.
func TestSign(t *testing.T) {
	const long = "test_app_secret_0123456789abcdef"
	for _, c := range []struct {
		secret, path string
		params       Params
		want         string
	}{
		{"test123", "param2/1/system/currentTime/1000000", Params{{"b", "2"}, {"a", "1"}},
			"33E54F4F7B989E3E0E912D3FBD2F1A03CA7CCE88"},
		{"secretXYZ", "param2/1/com.alibaba.trade/alibaba.trade.getBuyerOrderList/1234567",
			Params{{"access_token", "tok-abc"}, {"_aop_datatype", "application/json"}, {"_aop_timestamp", "1700000000000"},
				{"page", "1"}, {"pageSize", "20"}},
			"D01C12C8FCD4B59367FFDD51E1DEC31C7C237A4C"},
		{"sk", "param2/1/com.alibaba.agent/newtoncloud.task.create/mykey",
			Params{{"access_token", "a1"}, {"_aop_datatype", "application/json"}, {"_aop_timestamp", "1699999999999"},
				{"message", "hello"}, {"fileUrls", `["u1","u2"]`}},
			"AAE1AB7148B81D8EB334345395E71D7338F6BB43"},
		{"app-secret", "param2/1/com.alibaba.trade/alibaba.trade.getBuyerOrderList/5890829",
			Params{{"access_token", "token-123"}, {"page", "1"}, {"pageSize", "20"}},
			"7B91F432F48774204045D86636AFD333B71E95FB"},
		{long, "param2/1/com.alibaba.logistics/alibaba.trade.getLogisticsInfos.buyerView/1234567",
			Params{{"access_token", "tok-simple-0002"}, {"emptyVal", ""}, {"orderId", "58218860983545944"}, {"fields", ""},
				{"webSite", "1688"}},
			"CE4D74D68081AECD6B36769CE5F4AB2FF643E7CE"},
		{long, "param2/1/com.alibaba.trade/alibaba.trade.fastCreateOrder/1234567",
			Params{{"access_token", "tok"}, {"message", `备注 & 带=号 还有空格 "引号"`}, {"nested", `{"k":"v&v"}`}, {"path", `a/b\c`}},
			"FC31C04F37FAE30F7B57482CB3340AB460E84378"},
		{"s", "param2/1/x/y/1", Params{{"isvBizType", "cross"}, {"isvBizTypeStr", "abc"}},
			"28219A1A1C65661538012B4CE35FEA55A1AD920F"},
		{"secret-0001", "param2/1/com.alibaba.trade/alibaba.trade.fastCreateOrder/1000001",
			Params{{"flow", "general"}, {"message", `加急 & 100% "好" +1`}, {"access_token", "tok-0001"},
				{"cargoParamList", `[{"offerId":700000000001,"specId":"aaaa0000","quantity":2}]`}, {"subUserId", ""}, {"Zone", "x"}},
			"CFD5C316C49BA02A40298EC306979CC6E795DD78"},
	} {
		if got := Sign(c.secret, c.path, slices.Clone(c.params)); got != c.want {
			t.Errorf("%s: got %s, want %s", c.path, got, c.want)
		}
		signed := append(slices.Clone(c.params), Param{"_aop_signature", "of an earlier attempt"})
		if got := Sign(c.secret, c.path, signed); got != c.want {
			t.Errorf("%s: the signature is signed", c.path)
		}
	}
}

func TestSignMessage(t *testing.T) {
	for content, want := range map[string]string{
		"":            "B9E65D4592778AE92A46050E139FABC6",
		"content-str": "252610EA907DCC37211639F39097455A",
	} {
		if got := SignMessage("secretXYZ", "mykey", content, 1700000000000); got != want {
			t.Errorf("content %q: got %s, want %s", content, got, want)
		}
	}
}

func TestOrderOfParametersIsThatOfTheJoinedTexts(t *testing.T) {
	part := rapid.StringOfN(rapid.SampledFrom([]rune{'a', 'b', '_', '好'}), 0, 4, -1)
	rapid.Check(t, func(t *rapid.T) {
		a := Param{part.Draw(t, "a.Key"), part.Draw(t, "a.Value")}
		b := Param{part.Draw(t, "b.Key"), part.Draw(t, "b.Value")}
		if got, want := compareJoined(a, b), cmp.Compare(a.Key+a.Value, b.Key+b.Value); got != want {
			t.Fatalf("%q, %q: got %d, want %d", a, b, got, want)
		}
	})
}

func TestFormCarriesWhatWasSigned(t *testing.T) {
	params := Params{{"message", `加急 & 100% "好" +1 = x`}, {"outOrderId", "acme.PR=2E1-1"}}
	form, err := url.ParseQuery(params.encode())
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range params {
		if form.Get(p.Key) != p.Value {
			t.Errorf("%s: got %q, want %q", p.Key, form.Get(p.Key), p.Value)
		}
	}
}

func BenchmarkSignAndDecode(b *testing.B) {
	order := testOrder()
	body := []byte(`{"success":true,"result":{"orderId":"2257000000000000973","totalSuccessAmount":3998,"postFee":500}}`)
	b.ReportAllocs()
	for b.Loop() {
		params, _ := createParams(order)
		params = append(params, Param{"access_token", "t"}, Param{"_aop_timestamp", "1700000000000"})
		Sign("secret", "param2/1/com.alibaba.trade/alibaba.trade.fastCreateOrder/1000001", params)
		_ = params.encode()
		if readCreate(order, response{200, body}, nil).Code != "placed" {
			b.Fatal("not placed")
		}
	}
}
