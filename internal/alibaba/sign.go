package alibaba

import (
	"crypto/hmac"
	"crypto/md5"
	"crypto/sha1"
	"encoding/hex"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

const signatureKey = "_aop_signature"

// Param is one parameter of a call, its value as raw text before URL encoding.
type Param struct{ Key, Value string }

// Params are the parameters of a call. Signing sorts them in place.
type Params []Param

// Sign gives the signature of a gateway call: HMAC-SHA1, upper-case hex, over the path without a leading slash
// ("param2/1/com.alibaba.trade/alibaba.trade.fastCreateOrder/1000001") and the sorted parameters. It sorts params in place,
// as the official clients do: by the bytes of key and value joined, which differs from sorting by key when one key begins
// with another. A parameter named _aop_signature is left out.
func Sign(secret, path string, params Params) string {
	slices.SortFunc(params, compareJoined)
	var scratch [2048]byte
	text := append(scratch[:0], path...)
	for _, p := range params {
		if p.Key != signatureKey {
			text = append(append(text, p.Key...), p.Value...)
		}
	}
	mac := hmac.New(sha1.New, []byte(secret))
	mac.Write(text)
	return upperHex(mac.Sum(scratch[:0]))
}

// SignMessage gives the signature of a message websocket frame: MD5, upper-case hex (official client). content is "" for
// frames without one; pubTime is in milliseconds of Unix time.
func SignMessage(secret, appKey, content string, pubTime int64) string {
	text := append([]byte(secret), appKey...)
	text = strconv.AppendInt(append(text, content...), pubTime, 10)
	sum := md5.Sum(text)
	return upperHex(sum[:])
}

// compareJoined compares a.Key+a.Value with b.Key+b.Value without building them.
func compareJoined(a, b Param) int {
	n := min(len(a.Key), len(b.Key))
	if c := strings.Compare(a.Key[:n], b.Key[:n]); c != 0 {
		return c
	}
	return compareTails(a.Key[n:], a.Value, b.Key[n:], b.Value)
}

// compareTails goes on where the shorter key ended: at most one of the two tails is not empty.
func compareTails(aTail, aValue, bTail, bValue string) int {
	if aTail != "" {
		return -compareTails(bTail, bValue, aTail, aValue)
	}
	n := min(len(aValue), len(bTail))
	switch c := strings.Compare(aValue[:n], bTail[:n]); {
	case c != 0:
		return c
	case n < len(bTail):
		return -1
	default:
		return strings.Compare(aValue[n:], bValue)
	}
}

func upperHex(sum []byte) string {
	var digits [2 * sha1.Size]byte
	n := hex.Encode(digits[:], sum)
	for i, c := range digits[:n] {
		if c >= 'a' {
			digits[i] = c - 'a' + 'A'
		}
	}
	return string(digits[:n])
}

// encode writes the parameters as a form, in their order.
func (p Params) encode() string {
	var b strings.Builder
	for i, param := range p {
		if i > 0 {
			b.WriteByte('&')
		}
		b.WriteString(url.QueryEscape(param.Key))
		b.WriteByte('=')
		b.WriteString(url.QueryEscape(param.Value))
	}
	return b.String()
}

// with adds a parameter unless its value is empty: an empty value that is sent is signed too, so none is sent.
func (p Params) with(key, value string) Params {
	if value == "" {
		return p
	}
	return append(p, Param{key, value})
}
