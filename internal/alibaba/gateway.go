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
// have come of it. The gateway checks the call's name, the key, the signature, the token, the permission and the parameters
// in this order, as seen by several public clients. A missing parameter is missing the next time too. A code that nobody
// has seen says nothing: known is false.
func beforeExecution(code string) (verdict worker.Verdict, mapped worker.Code, known bool) {
	switch code {
	case "gw.QosAppFrequencyLimit", "gw.QosRequestLimit":
		return worker.NotAttempted, worker.CodeThrottled, true
	case "gw.SignatureInvalid", "gw.SignatureMissing", "gw.AppKeyNotFound", "gw.APIUnsupported", "gw.APIACLDecline", tokenRejected:
		return worker.NotAttempted, worker.CodeUnauthorized, true
	case "gw.ParamMissing":
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

// Cause is what follows from the error for a call that places nothing: the platform is throttling, or out of order, or else
// turns the key or its token down.
func (e *GatewayError) Cause() worker.Code {
	switch _, code, known := beforeExecution(e.Code); {
	case code == worker.CodeThrottled:
		return code
	case !known && strings.HasPrefix(e.Code, "gw."), isFault(e.Code):
		return worker.CodeChannelDown
	}
	return worker.CodeUnauthorized
}

// IsTokenRejected says that an error of a call means: the access token was turned down.
func IsTokenRejected(err error) bool {
	gateway, ok := errors.AsType[*GatewayError](err)
	return ok && gateway.Code == tokenRejected
}
