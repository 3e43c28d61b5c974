package dashboard

import (
	"bytes"
	"embed"
	"errors"
	"net/http"

	g "maragu.dev/gomponents"
	h "maragu.dev/gomponents/html"
)

//go:embed assets/*
var files embed.FS

// page is one that shows something: its name, and what finds out what it shows.
type page struct {
	name string
	load func(r *http.Request) (body, error)
}

// missing says that there is no such thing: a page that is not found.
type missing struct{ what string }

func (m missing) Error() string { return m.what }

// page serves a page, or its live parts if it is asked for as an event stream.
func (d *Dashboard) page(p page) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if live(r) {
			d.stream(w, r, p)
			return
		}
		found, err := p.load(r)
		if gone, ok := errors.AsType[missing](err); ok {
			d.fail(w, r, http.StatusNotFound, gone.what)
			return
		} else if err != nil {
			d.fail(w, r, http.StatusBadGateway, err.Error())
			return
		}
		d.render(w, r, p.name, http.StatusOK, found)
	}
}

func (d *Dashboard) frame(r *http.Request, name string) frame {
	return frame{Page: name, Path: r.URL.RequestURI(), Viewer: viewerOf(r), Login: d.config.AdminToken != "" || !d.open(), Letters: d.config.Letters != nil}
}

// render writes a whole page.
func (d *Dashboard) render(w http.ResponseWriter, r *http.Request, name string, code int, shown body) {
	f := d.frame(r, name)
	f.Notes = d.sessions.told(f.Viewer.cookie)
	var out bytes.Buffer
	if err := f.document(shown.view(f)).Render(&out); err != nil {
		d.config.Log("a page could not be written", "page", name, "error", err.Error())
		http.Error(w, "This page could not be written; the log has the reason.", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(code)
	_, _ = w.Write(out.Bytes())
}

// fail says that something did not work.
func (d *Dashboard) fail(w http.ResponseWriter, r *http.Request, code int, why string) {
	d.render(w, r, "problem", code, problem(why))
}

// problem is why something did not work.
type problem string

func (p problem) view(frame) view {
	const title = "That did not work"
	return view{title: title, main: g.Group{
		h.H1(text(title)),
		h.P(h.Class("note bad"), text(string(p))),
		h.P(h.A(h.Class("button"), h.Href("/"), text("To the overview"))),
	}}
}

// assets serves the style, the script and the icon.
func assets(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Cache-Control", "public, max-age=60")
	http.ServeFileFS(w, r, files, "assets/"+r.PathValue("file"))
}
