package relay

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"strconv"
	"strings"
	"sync"
	"time"
)

// ticketLife is how long a person may take to open the address and to consent.
const ticketLife = 15 * time.Minute

// ticket is what a state says. It travels through the browser, signed with the key's secret, so that any relay that holds the key
// can take the code that comes back with it, and nobody else can make one up.
type ticket struct {
	appKey   string
	account  string // the key's declared account; "" when there is none
	redirect string
	nonce    string
	ends     time.Time
}

func newTicket(appKey, account, redirect string, now time.Time) ticket {
	return ticket{appKey: appKey, account: account, redirect: redirect, nonce: rand.Text(), ends: now.Add(ticketLife)}
}

var safe = base64.RawURLEncoding

func (t ticket) state(secret string) string {
	said := strings.Join([]string{t.appKey, strconv.FormatInt(t.ends.Unix(), 10), t.nonce, t.account, t.redirect}, "\n")
	return safe.EncodeToString([]byte(said)) + "." + safe.EncodeToString(t.mark(said, secret))
}

// mark signs under a name of its own: the secret signs other things too.
func (ticket) mark(said, secret string) []byte {
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte("autopurchase authorization state\n" + said))
	return mac.Sum(nil)[:18]
}

var errState = errors.New("the state is not one that a relay of ours gave out")

// readTicket reads a state; secret gives the secret of an app key. Errors: errState, and that it is too old.
func readTicket(state string, now time.Time, secret func(appKey string) string) (ticket, error) {
	head, tail, _ := strings.Cut(state, ".")
	said, err1 := safe.DecodeString(head)
	mark, err2 := safe.DecodeString(tail)
	parts := strings.Split(string(said), "\n")
	if err1 != nil || err2 != nil || len(parts) != 5 {
		return ticket{}, errState
	}
	ends, err := strconv.ParseInt(parts[1], 10, 64)
	t := ticket{appKey: parts[0], nonce: parts[2], account: parts[3], redirect: parts[4], ends: time.Unix(ends, 0)}
	key := secret(t.appKey)
	if err != nil || key == "" || !hmac.Equal(mark, t.mark(string(said), key)) {
		return ticket{}, errState
	}
	if !now.Before(t.ends) {
		return ticket{}, errors.New("the state is too old: begin again")
	}
	return t, nil
}

// punched are the tickets that were used, until they are too old anyway. Another relay does not know them; the code that comes with
// a state is good once at the platform.
type punched struct {
	mu   sync.Mutex
	used map[string]time.Time // nonce → end
}

// punch uses a ticket up; false if it was used before.
func (p *punched) punch(t ticket, now time.Time) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	for nonce, ends := range p.used {
		if !now.Before(ends) {
			delete(p.used, nonce)
		}
	}
	if _, used := p.used[t.nonce]; used {
		return false
	}
	if p.used == nil {
		p.used = map[string]time.Time{}
	}
	p.used[t.nonce] = t.ends
	return true
}
