package channel

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/gorilla/websocket"
)

func closeError(code int) error { return fmt.Errorf("read: %w", &websocket.CloseError{Code: code}) }

func TestBackoffByCause(t *testing.T) {
	b := Backoff{}.withDefaults()
	for _, test := range []struct {
		cause    error
		failures int
		most     time.Duration
	}{
		{closeError(websocket.CloseGoingAway), 1, b.First},
		{io.ErrUnexpectedEOF, 1, b.First},
		{errSilent, 2, 2 * b.First},
		{errors.New("connection refused"), 4, 8 * b.First},
		{errors.New("connection refused"), 1_000_000, b.Max},
		{&refusal{503}, 3, 4 * b.First},
		{&refusal{429}, 1, b.First},
		{&refusal{401}, 1, b.Slow},
		{&refusal{400}, 1, b.Slow},
		{closeError(websocket.ClosePolicyViolation), 1, b.Slow},
		{closeError(closeBadVersion), 1, b.Slow},
		{closeError(closeBadFrame), 1, b.Slow},
		{badFrame(errVersion), 1, b.Slow},
		{badFrame(errFrame), 1, b.Slow},
	} {
		seen := map[time.Duration]bool{}
		for range 50 {
			wait := b.wait(test.cause, test.failures)
			if wait < test.most/2 || wait > test.most {
				t.Fatalf("%v after %d failures: waits %v, want %v to %v", test.cause, test.failures, wait, test.most/2, test.most)
			}
			seen[wait] = true
		}
		if len(seen) < 2 {
			t.Errorf("%v: always %v, workers would come back together", test.cause, seen)
		}
	}
}

func TestFarewell(t *testing.T) {
	for _, test := range []struct {
		cause error
		code  int // 0 says nothing
	}{
		{errClosed, websocket.CloseGoingAway},
		{badFrame(fmt.Errorf("%w: v is 2", errVersion)), closeBadVersion},
		{closeError(websocket.CloseGoingAway), websocket.CloseGoingAway},
		{closeError(websocket.CloseAbnormalClosure), 0},
		{errSilent, 0},
		{io.EOF, 0},
	} {
		message, ok := farewell(test.cause)
		if ok != (test.code != 0) || ok && int(message[0])<<8|int(message[1]) != test.code {
			t.Errorf("%v: says %v %x, want %d", test.cause, ok, message, test.code)
		}
	}
	long, _ := farewell(&parting{closeBadFrame, strings.Repeat("价", 60)})
	if len(long) > 125 || !utf8.Valid(long[2:]) {
		t.Errorf("%d bytes: %q", len(long), long[2:])
	}
}
