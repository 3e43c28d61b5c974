package worker

import (
	"context"
	"sync"
	"time"
)

// agreements remembers for a while which keys' accounts pay without a password. Only a yes is: a person may sign any moment.
type agreements struct {
	mu    sync.Mutex
	until map[string]time.Time // by app key
}

func (a *agreements) known(appKey string) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return time.Now().Before(a.until[appKey])
}

func (a *agreements) know(appKey string, life time.Duration) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.until == nil {
		a.until = map[string]time.Time{}
	}
	a.until[appKey] = time.Now().Add(life)
}

// forget has it asked again: a person may have taken the agreement back.
func (a *agreements) forget(appKey string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	delete(a.until, appKey)
}

// agreement says why the account cannot pay without a password, "" if it can.
func (b *bill) agreement(ctx context.Context) (WaitCode, string, error) {
	if b.agreements.known(b.order.AppKey) {
		return "", "", nil
	}
	ctx, cancel := context.WithTimeout(ctx, b.config.PayTimeout)
	defer cancel()
	switch answer := b.Teller.Check(ctx, b.order.AppKey, CheckAgreement); answer.Verdict {
	case Placed:
		b.agreements.know(b.order.AppKey, b.config.AgreementFor)
		return "", "", nil
	case Refused:
		return WaitAgreement, answer.Reason, nil
	default:
		return "", "", &Trouble{Code: answer.Code, Reason: "1688 cannot be asked about the agreement: " + answer.Reason, After: answer.retry()}
	}
}
