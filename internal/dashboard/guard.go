package dashboard

import (
	"context"
	"net"
	"net/http"
	"net/url"
	"strings"
)

// policy lets a page load what this server sends, and nothing else; it runs no script and takes no style that is written into it.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'; " +
	"base-uri 'none'; frame-ancestors 'none'"

// cookieName names the cookie of a session.
const cookieName = "autopurchase_session"

// maxBody bounds what a form sends.
const maxBody = 256 << 10

// viewer is who looks at a page.
type viewer struct {
	session
	cookie string
}

// Admin says whether the viewer may change something.
func (v viewer) Admin() bool { return v.role == administrator }

// Name is the one that was given at the login.
func (v viewer) Name() string { return v.by }

// Token is what each form must send.
func (v viewer) Token() string { return v.csrf }

type viewerKey struct{}

func viewerOf(r *http.Request) viewer {
	v, _ := r.Context().Value(viewerKey{}).(viewer)
	return v
}

// guarded puts what every answer needs around the pages: headers, whether this host is meant, where a form comes from, who asks.
func (d *Dashboard) guarded(pages http.Handler) http.Handler {
	sameOrigin := http.NewCrossOriginProtection()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", policy)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("X-Frame-Options", "DENY")
		h.Set("Referrer-Policy", "same-origin")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		h.Set("Cache-Control", "no-store")
		if d.open() && !thisMachine(r.Host) {
			http.Error(w, "This page is for this machine: open it as localhost or 127.0.0.1. For others, start it with a token.", http.StatusMisdirectedRequest)
			return
		}
		if err := sameOrigin.Check(r); err != nil {
			http.Error(w, "This was sent by another page, and nothing was done.", http.StatusForbidden)
			return
		}
		r.Body = http.MaxBytesReader(w, r.Body, maxBody)
		pages.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), viewerKey{}, d.viewer(r))))
	})
}

// open says whether whoever reaches the page may read it.
func (d *Dashboard) open() bool { return d.config.ReadToken == "" }

func (d *Dashboard) viewer(r *http.Request) viewer {
	var v viewer
	if cookie, err := r.Cookie(cookieName); err == nil {
		v = viewer{d.sessions.find(cookie.Value), cookie.Value}
	}
	if v.role == stranger && d.open() {
		v.role = reader
	}
	return v
}

// reading lets those pass who may read.
func (d *Dashboard) reading(page http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		switch {
		case viewerOf(r).role >= reader:
			page(w, r)
		case live(r):
			http.Error(w, "log in first", http.StatusForbidden)
		default:
			http.Redirect(w, r, "/login?next="+url.QueryEscape(r.URL.RequestURI()), http.StatusSeeOther)
		}
	}
}

// changing lets administrators pass whose form is ours.
func (d *Dashboard) changing(page http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		v := viewerOf(r)
		switch {
		case !v.Admin():
			d.fail(w, r, http.StatusForbidden, "Only an administrator may change something: log in as one first.")
		case r.Method == http.MethodPost && !same(r.PostFormValue("csrf"), v.csrf):
			d.fail(w, r, http.StatusForbidden, "This form is too old, or was not made for you: nothing was done. Go back, load the page again, and repeat it.")
		default:
			page(w, r)
		}
	}
}

// thisMachine says whether the host of a request is a name that only this machine has.
func thisMachine(host string) bool {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	ip := net.ParseIP(strings.Trim(host, "[]"))
	return strings.EqualFold(host, "localhost") || ip != nil && ip.IsLoopback()
}
