package schemas

import (
	"strings"
	"testing"
)

var awkward = []string{
	`null`, `true`, `{}`, `[]`, `[null]`, `[0]`, `[""]`, `0`, `-0`, `1`, `-1`, `1.0`, `1e0`, `999`, `1000`,
	`1000000000`, `1000000001`, `2147483648`, `9007199254740991`, `9007199254740992`, `9223372036854775808`,
	`1e400`, `""`, `" "`, `"\u3000"`, `"a"`, `"7"`, `"07"`, `"a\u200bb"`, `"\u0000"`, `"\u0085"`, `"\u00a0"`,
	`"\ufffd"`, `"\ufffa"`, `"\ud800"`, `"🙏"`, `"a\nb"`, `"1.0"`, `"1.000"`, `"1.001"`, `"0.0"`, `"00000000001"`,
	`"100"`, `"100.00"`, `"100.01"`, `"100.001"`, `"٣"`, `"none"`, `"None"`, `"placed"`, `"pool"`, `"lines"`,
	`"2026-03-01T09:30:00Z"`, `"2026-03-01T09:30:00.1234567890123Z"`, `"2026-03-01T09:30:00.12345678901234567Z"`,
	`"2026-02-29T09:30:00Z"`, `"2028-02-29T09:30:00-23:59"`, `"2026-03-01T09:30:00-00:00"`,
	`"2026-03-01T09:30:00+24:00"`, `"2026-03-01T09:30:00.Z"`, `"2026-03-01T09:30:60Z"`, `"0000-01-01T00:00:00Z"`,
	`"0999-12-31T23:59:59Z"`, `"9999-12-31T23:59:59-12:00"`, `"10000-01-01T00:00:00Z"`, `"2026-00-01T00:00:00Z"`,
	`"2026-03-32T00:00:00Z"`, `"2026-03-01t00:00:00Z"`, `"2026-03-01T00:00:00"`,
	`"` + strings.Repeat("路", 64) + `"`, `"` + strings.Repeat("路", 65) + `"`, `"` + strings.Repeat("1", 20) + `"`,
	`"` + strings.Repeat("1", 21) + `"`, `"` + strings.Repeat("a", 32) + `"`, `"` + strings.Repeat("x", 501) + `"`,
	`"` + strings.Repeat("x", 4097) + `"`, `1,"x":1`, `1,"":1`,
}

// Every value of an example in turn is replaced by awkward ones: whatever it does to the message, both sides say the same.
func TestSchemaAndDecoderAgreeOnAwkwardValues(t *testing.T) {
	for name, decode := range decoders {
		if name == "channel-frame" {
			continue // its receivers are more lenient on purpose
		}
		schema := compile(t, name)
		file, body := largest(examples(t, "valid", name), 4096)
		for _, value := range awkward {
			for _, changed := range withEachValueReplaced(t, body, value) {
				bySchema, byDecoder := validate(schema, []byte(changed)), decode([]byte(changed))
				if (bySchema == nil) != (byDecoder == nil) {
					t.Errorf("%s/%s: the schema says %v, the decoder %v:\n%s", name, file, bySchema, byDecoder, changed)
				}
			}
		}
	}
}

func largest(files map[string][]byte, most int) (name string, body []byte) {
	for file, text := range files {
		if len(text) > len(body) && len(text) <= most {
			name, body = file, text
		}
	}
	return name, body
}
