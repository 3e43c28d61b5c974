package sim1688

import (
	"net/http"
	"net/url"
	"strconv"
	"time"
)

// currentTime needs a signature and no token: an answer proves key and secret.
func (g *gateway) currentTime(*call) answer { return ok(gatewayTime(g.books.now())) }

type tokenAnswer struct {
	AccessToken  string `json:"access_token"`
	RefreshToken string `json:"refresh_token,omitempty"` // a refresh does not renew it: the old one stays good
	ExpiresIn    string `json:"expires_in"`              // seconds, as text
	Timeout      string `json:"refresh_token_timeout,omitempty"`
	Owner        string `json:"resource_owner"`
	MemberID     string `json:"memberId"`
	AliID        string `json:"aliId"`
}

func (g *gateway) getToken(c *call) answer {
	for _, name := range []string{"grant_type", "client_id", "client_secret"} {
		if c.get(name) == "" {
			return missing(name)
		}
	}
	a := c.account
	if c.get("client_id") != a.AppKey || !sameText(c.get("client_secret"), a.Secret) {
		return unauthorized()
	}
	switch c.get("grant_type") {
	case "refresh_token":
		return g.refresh(a, c.get("refresh_token"))
	case "authorization_code":
		return g.exchange(a, c.get("code"))
	}
	return failure("SIM_INVALID_PARAM", "grant_type is neither refresh_token nor authorization_code")
}

func (g *gateway) refresh(a *account, refreshToken string) answer {
	next, end, good := g.books.refresh(a, refreshToken)
	switch {
	case !good:
		return unauthorized()
	case next == "":
		return ok(g.token(a))
	}
	return ok(g.token(a).with(next, end))
}

func (g *gateway) exchange(a *account, code string) answer {
	refreshToken, end, good := g.books.redeem(a, code)
	if !good {
		return unauthorized()
	}
	return ok(g.token(a).with(refreshToken, end))
}

func (t tokenAnswer) with(refreshToken string, end time.Time) tokenAnswer {
	t.RefreshToken, t.Timeout = refreshToken, gatewayTime(end)
	return t
}

// postponeToken trades a refresh token near its end for a new one. It is not signed and carries the secret, as getToken does
// (two public clients). What the platform answers outside the window is not known.
func (g *gateway) postponeToken(c *call) answer {
	for _, name := range []string{"client_id", "client_secret", "refresh_token", "access_token"} {
		if c.get(name) == "" {
			return missing(name)
		}
	}
	a := c.account
	if c.get("client_id") != a.AppKey || !sameText(c.get("client_secret"), a.Secret) || !g.books.authorized(a, c.get("access_token")) {
		return unauthorized()
	}
	fresh, end, held, near := g.books.postpone(a, c.get("refresh_token"))
	switch {
	case !held:
		return unauthorized()
	case !near:
		return failure("SIM_POSTPONE_TOO_EARLY", "the refresh token has more than 30 days to go")
	}
	return ok(g.token(a).with(fresh, end))
}

func (g *gateway) token(a *account) tokenAnswer {
	token, life := g.books.issueToken(a)
	return tokenAnswer{
		AccessToken: token, ExpiresIn: strconv.FormatInt(int64(life/time.Second), 10),
		Owner: a.Member, MemberID: a.Member, AliID: a.AppKey,
	}
}

// authorize is the page where a buyer consents; the simulated buyer always does, at once.
func (g *gateway) authorize(w http.ResponseWriter, r *http.Request) {
	asked := r.URL.Query()
	a := g.books.account(asked.Get("client_id"))
	back, err := url.Parse(asked.Get("redirect_uri"))
	if a == nil || err != nil || back.Host == "" {
		write(w, failure("SIM_INVALID_PARAM", "client_id or redirect_uri is wrong"))
		return
	}
	q := back.Query()
	q.Set("code", g.books.issueCode(a))
	q.Set("state", asked.Get("state"))
	back.RawQuery = q.Encode()
	http.Redirect(w, r, back.String(), http.StatusFound)
}
