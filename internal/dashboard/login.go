package dashboard

import (
	"fmt"
	"math"
	"net"
	"net/http"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// maxName is how many characters a name may have: as many as one that signs a change.
const maxName = 64

// loginPage is what the form shows.
type loginPage struct {
	Next, Name, Problem string
	Reading             bool // a token is needed to read
	Changing            bool // there is one to change
}

func (d *Dashboard) loginForm(r *http.Request) loginPage {
	return loginPage{Next: local(r.FormValue("next")), Reading: !d.open(), Changing: d.config.AdminToken != ""}
}

func (d *Dashboard) showLogin(w http.ResponseWriter, r *http.Request) {
	d.render(w, r, "login", http.StatusOK, d.loginForm(r))
}

// login takes a name and a token.
func (d *Dashboard) login(w http.ResponseWriter, r *http.Request) {
	form := d.loginForm(r)
	form.Name = strings.TrimSpace(r.PostFormValue("name"))
	from := address(r)
	refuse := func(code int, problem string) {
		form.Problem = problem
		d.render(w, r, "login", code, form)
	}
	if !aName(form.Name) {
		refuse(http.StatusUnprocessableEntity, "Name: must be 1 to 64 visible characters. It is kept in the journal beside what you change.")
		return
	}
	if wait := d.brake.attempt(from); wait > 0 {
		seconds := int(math.Ceil(wait.Seconds()))
		w.Header().Set("Retry-After", strconv.Itoa(seconds))
		refuse(http.StatusTooManyRequests, fmt.Sprintf("Too many wrong tokens: wait %d seconds.", seconds))
		return
	}
	granted := d.grants(strings.TrimSpace(r.PostFormValue("token")))
	if granted == stranger {
		d.config.Log("a login was turned down", "from", from)
		refuse(http.StatusForbidden, "Token: is not one of this dashboard's.")
		return
	}
	d.brake.passed(from)
	d.sessions.end(viewerOf(r).cookie)
	http.SetCookie(w, &http.Cookie{
		Name: cookieName, Value: d.sessions.begin(granted, form.Name), Path: "/", HttpOnly: true, Secure: secure(r),
		SameSite: http.SameSiteStrictMode, MaxAge: int(sessionLife.Seconds()),
	})
	http.Redirect(w, r, form.Next, http.StatusSeeOther)
}

// grants says what a token lets its bearer do. Both are compared, whichever it is.
func (d *Dashboard) grants(token string) role {
	read, admin := same(token, d.config.ReadToken), same(token, d.config.AdminToken)
	switch {
	case admin && d.config.AdminToken != "":
		return administrator
	case read && d.config.ReadToken != "":
		return reader
	}
	return stranger
}

func (d *Dashboard) logout(w http.ResponseWriter, r *http.Request) {
	v := viewerOf(r)
	if !same(r.PostFormValue("csrf"), v.csrf) {
		d.fail(w, r, http.StatusForbidden, "This form is too old: load the page again.")
		return
	}
	d.sessions.end(v.cookie)
	http.SetCookie(w, &http.Cookie{Name: cookieName, Path: "/", HttpOnly: true, Secure: secure(r), SameSite: http.SameSiteStrictMode, MaxAge: -1})
	http.Redirect(w, r, "/", http.StatusSeeOther)
}

// secure says whether the browser has TLS, here or up to a proxy in front.
func secure(r *http.Request) bool {
	return r.TLS != nil || r.Header.Get("X-Forwarded-Proto") == "https"
}

func aName(text string) bool {
	for _, c := range text {
		if !unicode.IsGraphic(c) {
			return false
		}
	}
	return text != "" && utf8.ValidString(text) && utf8.RuneCountInString(text) <= maxName
}

// address is where a request comes from: the machine, or the network of one that has a whole network.
func address(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return r.RemoteAddr
	}
	if ip := net.ParseIP(host); ip != nil && ip.To4() == nil {
		return ip.Mask(net.CIDRMask(64, 128)).String()
	}
	return host
}

// local gives a path of this dashboard, and its first page for anything else.
func local(path string) string {
	if !strings.HasPrefix(path, "/") || strings.HasPrefix(path, "//") || strings.ContainsAny(path, "\\\r\n\t") {
		return "/"
	}
	return path
}
