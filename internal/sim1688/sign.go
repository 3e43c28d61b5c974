package sim1688

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

const signatureParam = "_aop_signature"

// signature is the Open API's, as the official clients make it: HMAC-SHA1 over the path (from "param2", no leading slash) and
// the key+value strings, sorted as whole strings by byte. Sorting by key alone differs where one key begins another.
func signature(secret, path string, form url.Values) string {
	pairs := make([]string, 0, len(form))
	for name, values := range form {
		if name == signatureParam {
			continue
		}
		for _, value := range values {
			pairs = append(pairs, name+value)
		}
	}
	slices.Sort(pairs)
	mac := hmac.New(sha1.New, []byte(secret))
	mac.Write([]byte(path))
	for _, pair := range pairs {
		mac.Write([]byte(pair))
	}
	return upperHex(mac.Sum(nil))
}

// frameSign is the message websocket's: MD5 over secret, app key, content (if any) and time.
func frameSign(secret string, f frame) string {
	sum := md5.Sum([]byte(secret + f.AppKey + f.Content + strconv.FormatInt(f.PubTime, 10)))
	return upperHex(sum[:])
}

func upperHex(sum []byte) string { return strings.ToUpper(hex.EncodeToString(sum)) }

// sameText compares in constant time, so that even a simulator teaches nobody a secret by its clock.
func sameText(a, b string) bool { return hmac.Equal([]byte(a), []byte(b)) }
