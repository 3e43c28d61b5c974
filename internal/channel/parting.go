package channel

import (
	"context"
	"errors"
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/gorilla/websocket"
)

// Close codes of this protocol, beside those of the websocket standard.
const (
	closeDrained    = 4001 // the relay goes away, and has answered every ask that it took: what has no reply was never started
	closeBadFrame   = 4400
	closeBadVersion = 4406
)

// parting is this side's own reason to end a connection, with the close code that tells the other side.
type parting struct {
	code int
	why  string
}

func (p *parting) Error() string { return p.why }

var (
	errClosed  = &parting{websocket.CloseGoingAway, "closed on this side"}
	errBinary  = &parting{websocket.CloseUnsupportedData, "binary message"}
	errSilent  = errors.New("no sign of life within two ping intervals")
	errNoHello = errors.New("the relay did not say hello within two ping intervals")
)

// badFrame gives an error of frame.decode its close code.
func badFrame(err error) *parting {
	code := closeBadFrame
	if errors.Is(err, errVersion) {
		code = closeBadVersion
	}
	return &parting{code, err.Error()}
}

// farewell says which close frame answers the end of a connection, if any: this side's own reason, or the echo that the
// standard asks for.
func farewell(cause error) (message []byte, ok bool) {
	if own, is := errors.AsType[*parting](cause); is {
		return websocket.FormatCloseMessage(own.code, short(own.why)), true
	}
	if errors.Is(cause, context.Canceled) {
		return farewell(errClosed)
	}
	if theirs, is := errors.AsType[*websocket.CloseError](cause); is && theirs.Code != websocket.CloseAbnormalClosure {
		return websocket.FormatCloseMessage(theirs.Code, ""), true
	}
	return nil, false
}

// usual says whether a connection ended because one side meant to.
func usual(cause error) bool {
	return errors.Is(cause, errClosed) || errors.Is(cause, errGoingAway) || errors.Is(cause, errDrained) || closedWith(cause, websocket.CloseNormalClosure, websocket.CloseGoingAway, closeDrained)
}

// closedWith says whether the other side ended the connection with one of these codes.
func closedWith(cause error, codes ...int) bool {
	theirs, ok := errors.AsType[*websocket.CloseError](cause)
	return ok && slices.Contains(codes, theirs.Code)
}

// short cuts a text to what a close frame carries, and not through a character.
func short(why string) string { return strings.ToValidUTF8(why[:min(len(why), 123)], "") }

// readable turns a read error into the reason that people are told.
func readable(err error) error {
	if timeout, ok := errors.AsType[net.Error](err); ok && timeout.Timeout() {
		return errSilent
	}
	return err
}

// refusal is a handshake that the relay answered with an HTTP status.
type refusal struct{ status int }

func (r *refusal) Error() string {
	switch r.status {
	case http.StatusUnauthorized, http.StatusForbidden:
		return "the relay refuses the token (HTTP " + strconv.Itoa(r.status) + ")"
	case http.StatusServiceUnavailable:
		return "the relay is going down (HTTP 503)"
	}
	return "the relay refuses the connection (HTTP " + strconv.Itoa(r.status) + ")"
}
