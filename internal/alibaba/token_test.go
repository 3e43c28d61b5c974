package alibaba

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"
)

func TestRefresh(t *testing.T) {
	for name, c := range map[string]struct {
		body, access, refresh string
		life                  time.Duration
	}{
		"refresh token kept":    {`{"access_token":"a2","expires_in":"36000"}`, "a2", "MARKER-refresh", 10 * time.Hour},
		"refresh token renewed": {`{"access_token":"a2","refresh_token":"r2","expires_in":36000}`, "a2", "r2", 10 * time.Hour},
		"life not said":         {`{"access_token":"a2"}`, "a2", "MARKER-refresh", 0},
	} {
		t.Run(name, func(t *testing.T) {
			client := gateway(t, func(w http.ResponseWriter, r *http.Request) {
				if r.URL.Path != "/openapi/http/1/system.oauth2/getToken/1000001" || r.URL.RawQuery != "" {
					t.Errorf("asked %s", r.URL)
				}
				for key, want := range map[string]string{"grant_type": "refresh_token", "client_id": "1000001",
					"client_secret": testKey.Secret, "refresh_token": "MARKER-refresh", signatureKey: ""} {
					if got := r.PostFormValue(key); got != want {
						t.Errorf("%s: got %q", key, got)
					}
				}
				_, _ = w.Write([]byte(c.body))
			})
			began := time.Now()
			token, err := client.Refresh(t.Context(), testKey, "MARKER-refresh")
			if err != nil || token.AccessToken != c.access || token.RefreshToken != c.refresh {
				t.Fatalf("got %+v, %v", token, err)
			}
			if c.life == 0 != token.Expires.IsZero() {
				t.Errorf("expires %v", token.Expires)
			}
			if c.life > 0 && (token.Expires.Before(began.Add(c.life)) || token.Expires.After(time.Now().Add(c.life))) {
				t.Errorf("expires %v", token.Expires)
			}
		})
	}
}

func TestRefreshTurnedDownOrUnanswered(t *testing.T) {
	for body, code := range map[string]string{
		`{"error_code":"401","error_message":"MARKER-refresh MARKER-secret-0001"}`:          "401",
		`{"error":"invalid_grant","error_description":"MARKER-refresh MARKER-secret-0001"}`: "invalid_grant",
		`{}`: "", `<html>MARKER-refresh`: "", `{"access_token":""}`: "",
	} {
		_, err := answering(t, 200, body).Refresh(t.Context(), testKey, "MARKER-refresh")
		gateway, turnedDown := errors.AsType[*GatewayError](err)
		if err == nil || turnedDown != (code != "") || turnedDown && gateway.Code != code {
			t.Errorf("%s: got %v", body, err)
		}
		if strings.Contains(fmt.Sprint(err), "MARKER") {
			t.Errorf("a secret is in %q", err)
		}
	}
}

func TestCurrentTime(t *testing.T) {
	for body, good := range map[string]bool{
		`"20260102150405000+0800"`:             true,
		`20260102150405000+0800`:               true,
		`{"error_code":"gw.SignatureInvalid"}`: false,
		`{"error_code":"gw.AppKeyNotFound"}`:   false,
	} {
		client := gateway(t, func(w http.ResponseWriter, r *http.Request) {
			if r.PostFormValue("access_token") != "" {
				t.Error("a token was sent where none is needed")
			}
			_, _ = w.Write([]byte(body))
		})
		if err := client.CurrentTime(t.Context(), testKey); (err == nil) != good {
			t.Errorf("%s: %v", body, err)
		}
	}
	if err := answering(t, 502, "<html>").CurrentTime(t.Context(), testKey); err == nil {
		t.Error("status 502 proves nothing")
	}
}

func TestWhatHoldsSecretsPrintsWithoutThem(t *testing.T) {
	token := Token{AccessToken: "MARKER-a", RefreshToken: "MARKER-r"}
	for _, value := range []any{testKey, &testKey, token, &token, []Credentials{testKey}, map[string]Token{"x": token}} {
		written, err := json.Marshal(value)
		said := fmt.Sprintf("%v %+v %#v %s", value, value, value, value) + string(written)
		if err != nil || strings.Contains(said, "MARKER") {
			t.Errorf("%T: %s, %v", value, said, err)
		}
	}
}
