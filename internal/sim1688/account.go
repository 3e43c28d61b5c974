package sim1688

import (
	"cmp"
	"crypto/rand"
	"fmt"
	"slices"
	"strings"
	"time"
)

// account is a key on the books: what it may do, its tokens and its counts. It is changed under the books' lock only; the
// embedded Key never changes but for its refresh token and what the app is allowed.
type account struct {
	Key
	tokens     map[string]time.Time // access token → its end
	codes      map[string]time.Time // authorization code → its end
	refreshEnd time.Time            // of the refresh token

	products, orders, refreshes int64
}

func (b *books) newAccount(key Key) *account {
	key.Limit = cmp.Or(key.Limit, DefaultLimit)
	key.Member = cmp.Or(key.Member, "b2b-"+key.AppKey)
	now := b.now()
	a := &account{Key: key, tokens: map[string]time.Time{}, codes: map[string]time.Time{}, refreshEnd: now.Add(b.refreshLife)}
	if key.AccessToken != "" {
		a.tokens[key.AccessToken] = now.Add(b.life)
	}
	return a
}

func (b *books) account(appKey string) *account {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.accounts[appKey]
}

func (b *books) addKey(key Key) error {
	if err := key.validate(); err != nil {
		return err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.accounts[key.AppKey] != nil {
		return fmt.Errorf("app_key: %q is known already", key.AppKey)
	}
	b.accounts[key.AppKey] = b.newAccount(key)
	return nil
}

func (b *books) keys() []KeyBook {
	b.mu.Lock()
	defer b.mu.Unlock()
	list := make([]KeyBook, 0, len(b.accounts))
	for _, a := range b.accounts {
		limit := int64(a.Limit)
		list = append(list, KeyBook{
			AppKey: a.AppKey, Products: a.products, Orders: a.orders, Refreshes: a.refreshes,
			Limit: limit, OverDrawn: max(0, a.products-limit),
		})
	}
	slices.SortFunc(list, func(a, b KeyBook) int { return strings.Compare(a.AppKey, b.AppKey) })
	return list
}

// authorized tells whether token lets its bearer act for the account now.
func (b *books) authorized(a *account, token string) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	end, known := a.tokens[token]
	return known && b.now().Before(end)
}

// codeLife is how long an authorization code may be exchanged, once.
const codeLife = 2 * time.Minute

func (b *books) issueCode(a *account) string {
	b.mu.Lock()
	defer b.mu.Unlock()
	code := rand.Text()
	a.codes[code] = b.now().Add(codeLife)
	return code
}

// redeem uses an authorization code up and gives the account a new refresh token.
func (b *books) redeem(a *account, code string) (refreshToken string, end time.Time, ok bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	end, known := a.codes[code]
	delete(a.codes, code)
	if !known || !b.now().Before(end) {
		return "", time.Time{}, false
	}
	b.renew(a)
	return a.RefreshToken, a.refreshEnd, true
}

// renew gives the account a new refresh token. The caller holds the lock.
func (b *books) renew(a *account) {
	a.RefreshToken, a.refreshEnd = rand.Text(), b.now().Add(b.refreshLife)
}

// refresh says whether a refresh token is good. next is the one that takes its place, "" if it stays.
func (b *books) refresh(a *account, refreshToken string) (next string, end time.Time, good bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.holds(a, refreshToken) {
		return "", time.Time{}, false
	}
	if !b.refreshOnce {
		return "", time.Time{}, true
	}
	b.renew(a)
	return a.RefreshToken, a.refreshEnd, true
}

// holds tells whether that is the account's refresh token and still good. The caller holds the lock.
func (b *books) holds(a *account, refreshToken string) bool {
	return a.RefreshToken != "" && sameText(a.RefreshToken, refreshToken) && b.now().Before(a.refreshEnd)
}

// postponeWindow is how long before its end a refresh token may be exchanged for a new one (one public source).
const postponeWindow = 30 * 24 * time.Hour

// postpone gives the account a new refresh token in place of one that is near its end.
func (b *books) postpone(a *account, refreshToken string) (fresh string, end time.Time, held, near bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	held, near = b.holds(a, refreshToken), a.refreshEnd.Sub(b.now()) <= postponeWindow
	if held && near {
		b.renew(a)
	}
	return a.RefreshToken, a.refreshEnd, held, near
}

// issueToken gives a new access token; earlier ones stay good until their own end.
func (b *books) issueToken(a *account) (string, time.Duration) {
	b.mu.Lock()
	defer b.mu.Unlock()
	now := b.now()
	for token, end := range a.tokens {
		if !now.Before(end) {
			delete(a.tokens, token)
		}
	}
	token := rand.Text()
	a.tokens[token] = now.Add(b.life)
	a.refreshes++
	return token, b.life
}
