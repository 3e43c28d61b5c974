package alibaba

import (
	"encoding/json"
	"errors"
	"strings"

	"autopurchase/worker"
)

// Reply is what a call about an order came to.
type Reply struct {
	worker.Answer
	// TokenRejected says that the gateway turned the access token down, before anything was executed: after a refresh the
	// same call may be made again.
	TokenRejected bool
}

// GatewayError is returned when the gateway answered with an error of its own instead of the call's answer.
type GatewayError struct {
	Code    string // such as "gw.SignatureInvalid" or "401"
	Message string // the platform's words, scrubbed
}

// Error gives code and message.
func (e *GatewayError) Error() string { return "1688's gateway: " + e.Code + ": " + e.Message }

const tokenRejected = "401"

// beforeExecution says what follows from a gateway error that is raised before a call is executed, so that no order can
// have come of it. The gateway checks the call's name, the key, the signature, the token, the permission and the
// parameters in this order, as seen by several public clients. A missing parameter is missing the next time too.
func beforeExecution(code string) (worker.Verdict, worker.Code, bool) {
	switch {
	case strings.HasPrefix(code, "gw.Qos"):
		return worker.NotAttempted, worker.CodeThrottled, true
	case strings.HasPrefix(code, "gw.Signature"), code == "gw.AppKeyNotFound", code == "gw.APIUnsupported",
		code == "gw.APIACLDecline", code == tokenRejected:
		return worker.NotAttempted, worker.CodeUnauthorized, true
	case code == "gw.ParamMissing":
		return worker.Refused, worker.CodeRefused, true
	}
	return worker.Unknown, worker.CodeNoAnswer, false
}

func (e *GatewayError) reply() Reply {
	verdict, code, _ := beforeExecution(e.Code)
	return Reply{
		Answer:        worker.Answer{Verdict: verdict, Code: code, Reason: e.Error()},
		TokenRejected: e.Code == tokenRejected,
	}
}

// unanswered is what a call came to that has no answer.
func unanswered(err error) Reply {
	if call, ok := errors.AsType[*CallError](err); ok && !call.Sent {
		return Reply{Answer: worker.Answer{Verdict: worker.NotAttempted, Code: worker.CodeChannelDown, Reason: err.Error()}}
	}
	return unknown(err.Error())
}

func unknown(reason string) Reply {
	return Reply{Answer: worker.Answer{Verdict: worker.Unknown, Code: worker.CodeNoAnswer, Reason: reason}}
}

// gatewayAnswer are the fields of the gateway's own errors.
type gatewayAnswer struct {
	ErrorCode    text `json:"error_code"`
	ErrorMessage text `json:"error_message"`
}

// err gives the gateway's error, nil if there is none.
func (a gatewayAnswer) err(private []string) *GatewayError {
	if a.ErrorCode == "" {
		return nil
	}
	return &GatewayError{Code: words(string(a.ErrorCode), private), Message: words(string(a.ErrorMessage), private)}
}

// decode reads a JSON answer. Its error quotes nothing of the body.
func decode(body []byte, into any) error {
	if json.Unmarshal(readable(body), into) != nil {
		return errors.New("its answer cannot be read")
	}
	return nil
}
