package alibaba

import (
	"context"
	"net/url"
	"slices"
	"strings"
	"time"
)

// DefaultAuthorize is the page on which a buyer lets an app act for the account (several public clients agree).
const DefaultAuthorize = "https://auth.1688.com/oauth/authorize"

// AuthorizeURL is the address to open in a browser, so that the buyer who is signed in there authorizes the app key. The platform
// sends the browser to redirect with a code, which lives two minutes and is good once, and with state as it was given.
func AuthorizeURL(page, appKey, redirect, state string) string {
	return page + "?" + url.Values{"client_id": {appKey}, "site": {"1688"}, "redirect_uri": {redirect}, "state": {state}}.Encode()
}

// Exchange trades an authorization code for tokens. redirect must be the one that the code was asked for with. The call is not
// signed, as Refresh. Errors: *GatewayError when the platform turned it down, *CallError when no answer came: the code may be
// used up then.
func (c *Client) Exchange(ctx context.Context, cred Credentials, code, redirect string) (Token, error) {
	got, err := c.post(ctx, "http/1/system.oauth2/getToken/"+cred.AppKey, Params{
		{"grant_type", "authorization_code"},
		{"need_refresh_token", "true"},
		{"client_id", cred.AppKey},
		{"client_secret", cred.Secret},
		{"redirect_uri", redirect},
		{"code", code},
	})
	if err != nil {
		return Token{}, err
	}
	return readToken(got, "", append(cred.private(), code))
}

// Postpone trades a refresh token that is near its end for a new one. The platform does so only within 30 days of the end (one
// public source); what it answers before is not known. The call is not signed (two public clients). Errors as Refresh.
func (c *Client) Postpone(ctx context.Context, cred Credentials, refreshToken string) (Token, error) {
	got, err := c.post(ctx, "param2/1/system.oauth2/postponeToken/"+cred.AppKey, Params{
		{"client_id", cred.AppKey},
		{"client_secret", cred.Secret},
		{"refresh_token", refreshToken},
		{"access_token", cred.AccessToken},
	})
	if err != nil {
		return Token{}, err
	}
	return readToken(got, refreshToken, append(cred.private(), refreshToken))
}

// Owner is the account that authorized an app, under the names that a token's answer has for it; "" for one it does not have.
type Owner struct {
	Name     string // resource_owner
	MemberID string // memberId
	AliID    string // aliId
}

// Is says whether one of the names that the platform gave for the account that authorized the app is this one. Which of them a
// person knows the account by is not known, so any will do.
func (o Owner) Is(account string) bool {
	return account != "" && (o.Name == account || o.MemberID == account || o.AliID == account)
}

// Names lists them, each once.
func (o Owner) Names() (names []string) {
	for _, name := range []string{o.Name, o.MemberID, o.AliID} {
		if name != "" && !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return names
}

// moment reads a time of the Open API, such as 20180807153006000+0800, with or without milliseconds. It is zero for anything
// else.
func (t text) moment() time.Time {
	at := strings.TrimSpace(string(t))
	for _, form := range []string{gatewayForm, "20060102150405-0700"} {
		written := at
		if len(at) == len("20060102150405000-0700") {
			written = at[:14] + "." + at[14:]
		}
		if moment, err := time.Parse(form, written); err == nil {
			return moment
		}
	}
	return time.Time{}
}
