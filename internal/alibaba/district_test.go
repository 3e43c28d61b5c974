package alibaba

import (
	"testing"

	"autopurchase/worker"
)

// TestDistrict has the shapes of an answer that the documentation shows, and what may go wrong.
func TestDistrict(t *testing.T) {
	home := worker.Address{FullName: "张三", Province: "浙江省", City: "杭州市", Area: "滨江区", Address: "网商路699号"}
	if got := Whereabouts(home); got != "浙江省 杭州市 滨江区网商路699号" {
		t.Errorf("%q", got)
	}
	for name, c := range map[string]struct {
		status  int
		body    string
		code    string
		verdict worker.Verdict
	}{
		"documented":       {200, `{"result": {"address": "网商路699号","addressCode": "330108","isDefault": false,"latest": false,"postCode": "310051"}}`, "330108", worker.Placed},
		"a number":         {200, `{"result": {"addressCode": 330108}}`, "330108", worker.Placed},
		"no code":          {200, `{"result": {"address": "网商路699号"}}`, "", worker.Absent},
		"a code in words":  {200, `{"result": {"addressCode": "滨江区"}}`, "", worker.Absent},
		"too short a code": {200, `{"result": {"addressCode": "3"}}`, "", worker.Absent},
		"refused":          {200, `{"errorCode": "X", "errorMessage": "地址有误"}`, "", worker.Absent},
		"empty":            {200, `{}`, "", worker.Absent},
		"not allowed":      {400, `{"error_code": "gw.APIACLDecline", "error_message": "no"}`, "", worker.NotAttempted},
		"throttled":        {200, `{"error_code": "gw.QosAppFrequencyLimit", "error_message": "no"}`, "", worker.NotAttempted},
		"html":             {502, `<html>502</html>`, "", worker.Unknown},
		"broken":           {500, `{"result": {"addressCode": "330108"}}`, "", worker.Unknown},
	} {
		t.Run(name, func(t *testing.T) {
			client := answering(t, c.status, c.body)
			code, reply := client.District(t.Context(), testKey, home)
			if code != c.code || reply.Verdict != c.verdict {
				t.Errorf("%q, %+v", code, reply)
			}
		})
	}
}
