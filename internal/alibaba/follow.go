package alibaba

import (
	"bytes"
	"errors"
	"strings"
)

// How a call ended, for who follows it. Any other word is a code of the gateway's that is known.
const (
	EndedOK          = "ok"          // it was answered; what the answer says is another matter
	EndedUnreachable = "unreachable" // nothing was sent
	EndedNoAnswer    = "no_answer"   // it was sent, and no whole answer came
	EndedFault       = "http_error"  // answered with a status of 500 or more, and no code
	EndedOther       = "other"       // a code of the gateway's that is not known
)

// apiOf is the name of the API in the path of a call: protocol/version/namespace/name/app key, without its namespace.
func apiOf(path string) string {
	parts := strings.Split(path, "/")
	return parts[max(0, len(parts)-2)]
}

var errorCode = []byte(`"error_code"`)

// how a call ended, in one of a bounded number of words.
func how(got response, err error) string {
	if call, ok := errors.AsType[*CallError](err); ok && !call.Sent {
		return EndedUnreachable
	}
	if err != nil {
		return EndedNoAnswer
	}
	var answer gatewayAnswer
	if bytes.Contains(got.body, errorCode) && decode(got.body, &answer) == nil && answer.ErrorCode != "" {
		if _, _, known := beforeExecution(string(answer.ErrorCode)); known {
			return string(answer.ErrorCode)
		}
		return EndedOther
	}
	if got.status >= 500 {
		return EndedFault
	}
	return EndedOK
}
