package sim1688

import (
	"context"
	"net/http"
	"strings"
	"time"
)

// gateway is the Open API: it checks a call, lets faults strike, runs the operation and answers.
type gateway struct {
	books   *books
	faults  *faults
	courier *courier
}

// maxBody bounds a request; 50 SKUs with an address and a message are far smaller.
const maxBody = 1 << 20

func (g *gateway) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	c, refused := g.admit(w, r)
	if c == nil {
		write(w, refused)
		return
	}
	a, cut := g.serve(r.Context(), c)
	if cut {
		hangUp(w)
		return
	}
	write(w, a)
}

// admit checks in the platform's order: API name, key, signature, token, ACL. Parameters are each operation's own.
func (g *gateway) admit(w http.ResponseWriter, r *http.Request) (*call, answer) {
	path := strings.TrimPrefix(r.URL.Path, "/openapi/")
	slash := strings.LastIndexByte(path, '/')
	op, known := operations[path[:max(slash, 0)]]
	if !known || path == r.URL.Path {
		return nil, failure("gw.APIUnsupported", "API is unsupported")
	}
	if r.Method != http.MethodPost {
		return nil, answer{status: http.StatusMethodNotAllowed, body: []byte(`{"error_code":"SIM_POST_ONLY"}`)}
	}
	a := g.books.account(path[slash+1:])
	if a == nil {
		return nil, failure("gw.AppKeyNotFound", "appKey is not found")
	}
	r.Body = http.MaxBytesReader(w, r.Body, maxBody)
	if err := r.ParseForm(); err != nil {
		return nil, failure("SIM_INVALID_FORM", "the form cannot be read")
	}
	c := &call{op: op, path: path, account: a, form: r.Form}
	if a, bad := g.authenticate(c); bad {
		return nil, a
	}
	return c, answer{}
}

func (g *gateway) authenticate(c *call) (answer, bool) {
	if c.op.open {
		return answer{}, false
	}
	sent := c.get(signatureParam)
	switch {
	case sent == "":
		return failure("gw.SignatureMissing", "signature is missing"), true
	case !sameText(sent, signature(c.account.Secret, c.path, c.form)):
		return failure("gw.SignatureInvalid", "signature is invalid"), true
	case c.op.tokens && !g.books.authorized(c.account, c.get("access_token")):
		return unauthorized(), true
	case !g.books.mayCall(c.account, c.op.api):
		return failure("gw.APIACLDecline", "AppKey is not allowed to call the API"), true
	}
	return answer{}, false
}

// serve runs an admitted call among the faults in force; cut means that no answer must leave.
func (g *gateway) serve(ctx context.Context, c *call) (a answer, cut bool) {
	if late := g.faults.strike(stageDelay, c); late.Kind != "" && !pause(ctx, late.delay()) {
		return answer{}, true
	}
	switch before := g.faults.strike(stageBefore, c); before.Kind {
	case "":
	case "cut_before":
		return answer{}, true
	default:
		return brokenAnswers[before.Kind], false
	}
	a = c.op.run(g, c)
	return a, g.faults.strike(stageAfter, c).Kind == "cut_after"
}

var brokenAnswers = map[string]answer{
	"http_500":      {status: http.StatusInternalServerError, body: []byte(`{"error_code":"500","error_message":"internal error"}`)},
	"http_502_html": {status: http.StatusBadGateway, html: true, body: []byte("<html><body><h1>502 Bad Gateway</h1></body></html>")},
	"throttled":     failure("gw.QosAppFrequencyLimit", "App call frequency exceeds the limit"),
	"auth_401":      unauthorized(),
}

// pause waits, and tells whether it waited to the end.
func pause(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

func write(w http.ResponseWriter, a answer) {
	contentType := "application/json; charset=utf-8"
	if a.html {
		contentType = "text/html; charset=utf-8"
	}
	w.Header().Set("Content-Type", contentType)
	w.WriteHeader(a.status)
	w.Write(a.body)
}

// hangUp ends the connection without a byte of an answer.
func hangUp(w http.ResponseWriter) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err == nil {
		conn.Close()
	}
}
