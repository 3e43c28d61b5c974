package alibaba

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"
)

// Token is what the authorization service hands out. It prints without its values.
type Token struct {
	AccessToken  string
	RefreshToken string    // the one to use next: the old one when the answer brings none, as several public clients agree
	Expires      time.Time // of the access token, by this machine's clock; zero when the answer does not say
	RefreshEnds  time.Time // of the refresh token; zero when the answer does not say, as when it brings none
	Owner        Owner     // the account that authorized the app, as far as the answer says
}

// String leaves the tokens out.
func (t Token) String() string {
	return "token until " + t.Expires.Format(time.RFC3339) + " (values withheld)"
}

// GoString leaves the tokens out.
func (t Token) GoString() string { return t.String() }

// MarshalText leaves the tokens out.
func (t Token) MarshalText() ([]byte, error) { return []byte(t.String()), nil }

type tokenAnswer struct {
	gatewayAnswer
	AccessToken  text `json:"access_token"`
	RefreshToken text `json:"refresh_token"`
	ExpiresIn    text `json:"expires_in"` // seconds, written as text
	Timeout      text `json:"refresh_token_timeout"`
	Owner        text `json:"resource_owner"`
	MemberID     text `json:"memberId"`
	AliID        text `json:"aliId"`
	Error        text `json:"error"`
	Description  text `json:"error_description"`
}

// Refresh trades a refresh token for a new access token. The call is not signed: it carries the secret in its body, as
// several public clients agree. Errors: *GatewayError when the platform turned it down, *CallError when no answer came.
func (c *Client) Refresh(ctx context.Context, cred Credentials, refreshToken string) (Token, error) {
	got, err := c.post(ctx, "http/1/system.oauth2/getToken/"+cred.AppKey, Params{
		{"grant_type", "refresh_token"},
		{"client_id", cred.AppKey},
		{"client_secret", cred.Secret},
		{"refresh_token", refreshToken},
	})
	if err != nil {
		return Token{}, err
	}
	return readToken(got, refreshToken, append(cred.private(), refreshToken))
}

func readToken(got response, old string, private []string) (Token, error) {
	var answer tokenAnswer
	if err := decode(got.body, &answer); err != nil {
		return Token{}, &CallError{Sent: true, Err: fmt.Errorf("token: HTTP %d: %w", got.status, err)}
	}
	if gateway := answer.turnedDown(private); gateway != nil {
		return Token{}, gateway
	}
	if answer.AccessToken == "" {
		return Token{}, &CallError{Sent: true, Err: errors.New("token: none in its answer")}
	}
	token := Token{
		AccessToken: string(answer.AccessToken), RefreshToken: firstText(answer.RefreshToken, text(old)),
		RefreshEnds: answer.Timeout.moment(),
		Owner:       Owner{Name: string(answer.Owner), MemberID: string(answer.MemberID), AliID: string(answer.AliID)},
	}
	if seconds, err := strconv.Atoi(string(answer.ExpiresIn)); err == nil {
		token.Expires = time.Now().Add(time.Duration(seconds) * time.Second)
	}
	return token, nil
}

func (a tokenAnswer) turnedDown(private []string) *GatewayError {
	if a.Error != "" {
		return &GatewayError{Code: words(string(a.Error), private), Message: words(string(a.Description), private)}
	}
	return a.err(private)
}

// CurrentTime asks for the platform's time. It needs no token, and an answer proves app key, secret and clock, as several
// public clients agree. Errors: *GatewayError, *CallError.
func (c *Client) CurrentTime(ctx context.Context, cred Credentials) error {
	cred.AccessToken = ""
	got, err := c.call(ctx, cred, "1/system/currentTime", nil)
	if err != nil {
		return err
	}
	var answer gatewayAnswer
	if decode(got.body, &answer) == nil {
		if gateway := answer.err(cred.private()); gateway != nil {
			return gateway
		}
	}
	if got.status != 200 {
		return &CallError{Sent: true, Err: fmt.Errorf("HTTP %d", got.status)}
	}
	return nil
}
