package dashboard

import (
	"bytes"
	"embed"
	"errors"
	"html/template"
	"io/fs"
	"net/http"
	"path"
	"strings"
)

//go:embed pages/*.html assets/*
var files embed.FS

// page is one that shows something: its template, what fills it, and those parts of it that are live.
type page struct {
	name  string
	load  func(r *http.Request) (any, error)
	parts []string
}

// frame is what every template is given.
type frame struct {
	Page   string
	Path   string
	Viewer viewer
	Notes  []note
	Login  bool // somebody may log in
	// Letters says whether there is a page of dead letters.
	Letters bool
	Body    any
}

// missing says that there is no such thing: a page that is not found.
type missing struct{ what string }

func (m missing) Error() string { return m.what }

// parsed reads every page together with the layout around it.
func parsed() map[string]*template.Template {
	pages := map[string]*template.Template{}
	names, _ := fs.Glob(files, "pages/*.html")
	for _, file := range names {
		name := strings.TrimSuffix(path.Base(file), ".html")
		if name == "layout" || name == "pieces" {
			continue
		}
		pages[name] = template.Must(template.New("layout").Funcs(words).ParseFS(files, "pages/layout.html", "pages/pieces.html", file))
	}
	return pages
}

// page serves a page, or its live parts if it is asked for as an event stream.
func (d *Dashboard) page(p page) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if live(r) {
			d.stream(w, r, p)
			return
		}
		body, err := p.load(r)
		if gone, ok := errors.AsType[missing](err); ok {
			d.fail(w, r, http.StatusNotFound, gone.what)
			return
		} else if err != nil {
			d.fail(w, r, http.StatusBadGateway, err.Error())
			return
		}
		d.render(w, r, p.name, http.StatusOK, body)
	}
}

func (d *Dashboard) frame(r *http.Request, name string, body any) frame {
	return frame{Page: name, Path: r.URL.RequestURI(), Viewer: viewerOf(r), Login: d.config.AdminToken != "" || !d.open(), Letters: d.config.Letters != nil, Body: body}
}

// render writes a whole page.
func (d *Dashboard) render(w http.ResponseWriter, r *http.Request, name string, code int, body any) {
	f := d.frame(r, name, body)
	f.Notes = d.sessions.told(f.Viewer.cookie)
	var out bytes.Buffer
	if err := d.pages[name].ExecuteTemplate(&out, "layout", f); err != nil {
		d.config.Log("a page could not be written", "page", name, "error", err.Error())
		http.Error(w, "This page could not be written; the log has the reason.", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(code)
	_, _ = w.Write(out.Bytes())
}

// fail says that something did not work.
func (d *Dashboard) fail(w http.ResponseWriter, r *http.Request, code int, text string) {
	d.render(w, r, "problem", code, text)
}

// assets serves the style, the script and the icon.
func assets(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Cache-Control", "public, max-age=60")
	http.ServeFileFS(w, r, files, "assets/"+r.PathValue("file"))
}
