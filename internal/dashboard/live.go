package dashboard

import (
	"fmt"
	"net/http"
	"strings"
	"time"
)

const (
	liveEvery  = time.Second
	heartbeat  = 15 * time.Second
	writeLimit = 10 * time.Second // a browser that takes nothing for so long is gone
)

// live says whether a page is asked for as an event stream.
func live(r *http.Request) bool { return r.Header.Get("Accept") == "text/event-stream" }

// stream sends the parts of a page, each once it differs from what was sent of it before, until the browser goes away.
func (d *Dashboard) stream(w http.ResponseWriter, r *http.Request, p page) {
	select {
	case d.seats <- struct{}{}:
		defer func() { <-d.seats }()
	default:
		w.Header().Set("Retry-After", "30")
		http.Error(w, "too many pages are live already", http.StatusServiceUnavailable)
		return
	}
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("X-Accel-Buffering", "no") // a proxy in between is to hand it on at once
	l := &listener{dashboard: d, page: p, request: r, out: http.NewResponseController(w), writer: w, sent: map[string]string{}}
	tick := time.NewTicker(liveEvery)
	defer tick.Stop()
	for l.send() == nil {
		select {
		case <-tick.C:
		case <-r.Context().Done():
			return
		case <-d.keeper.ctx.Done():
			return
		}
	}
}

// listener is one live page.
type listener struct {
	dashboard *Dashboard
	page      page
	request   *http.Request
	writer    http.ResponseWriter
	out       *http.ResponseController
	sent      map[string]string
	last      time.Time // when something was sent
}

// send sends what is new. It returns an error when nothing can be sent any more, or may.
func (l *listener) send() error {
	if l.dashboard.viewer(l.request).role < reader {
		return http.ErrNoCookie // logged out meanwhile
	}
	var text strings.Builder
	problem := ""
	if found, err := l.page.load(l.request); err != nil {
		problem = oneLine(err.Error())
	} else if err := l.parts(&text, found.view(l.dashboard.frame(l.request, l.page.name))); err != nil {
		return err
	}
	l.part(&text, "problem", problem)
	if text.Len() == 0 && time.Since(l.last) > heartbeat {
		text.WriteString(": still here\n\n")
	}
	return l.write(text.String())
}

func (l *listener) parts(to *strings.Builder, v view) error {
	for _, part := range v.parts {
		var html strings.Builder
		if err := part.html.Render(&html); err != nil {
			return err
		}
		l.part(to, part.name, html.String())
	}
	return nil
}

// part adds a part if it is another than was sent before.
func (l *listener) part(to *strings.Builder, name, html string) {
	if before, sent := l.sent[name]; !sent || before != html {
		l.sent[name] = html
		event(to, name, html)
	}
}

func (l *listener) write(text string) error {
	if text == "" {
		return nil
	}
	l.last = time.Now()
	_ = l.out.SetWriteDeadline(l.last.Add(writeLimit)) // where there is none, writing fails later
	if _, err := fmt.Fprint(l.writer, text); err != nil {
		return err
	}
	return l.out.Flush()
}

// event writes one event; HTML has line ends of its own.
func event(to *strings.Builder, name, data string) {
	to.WriteString("event: " + name + "\n")
	for line := range strings.SplitSeq(strings.ReplaceAll(data, "\r", ""), "\n") {
		to.WriteString("data: " + line + "\n")
	}
	to.WriteString("\n")
}
