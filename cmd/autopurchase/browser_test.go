package main

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/accessibility"
	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
)

// tab is a page in a real browser.
type tab struct {
	t    *testing.T
	ctx  context.Context
	base string
	mu   sync.Mutex
	said []string // what the browser complained about
}

// newTab starts a browser that reaches nothing but this machine.
func newTab(t *testing.T, base string) *tab {
	t.Helper()
	chromium, err := exec.LookPath("chromium")
	if err != nil {
		t.Fatal("missing: chromium, which the dashboard is tested in (make test installs it where apt-get may be used)")
	}
	options := append(slices.Clone(chromedp.DefaultExecAllocatorOptions[:]), chromedp.ExecPath(chromium), chromedp.NoSandbox,
		chromedp.Flag("headless", "new"), chromedp.Flag("host-resolver-rules", "MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"),
		chromedp.Flag("disable-background-networking", true), chromedp.Flag("disable-component-update", true), chromedp.UserDataDir(t.TempDir()))
	bounded, stop := context.WithTimeout(context.WithoutCancel(t.Context()), 3*patience)
	allocator, end := chromedp.NewExecAllocator(bounded, options...)
	ctx, _ := chromedp.NewContext(allocator)
	b := &tab{t: t, ctx: ctx, base: base}
	t.Cleanup(func() {
		must(t, chromedp.Cancel(ctx))
		end()
		stop()
	})
	b.do(chromedp.EmulateViewport(1200, 900))
	console := chromedp.Console(ctx)
	go func() {
		for message, err := range console {
			if err != nil {
				return
			}
			b.note(message)
		}
	}()
	return b
}

func (b *tab) note(m chromedp.ConsoleMessage) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if m.Type == chromedp.ConsoleError || m.Type == chromedp.ConsoleWarning || m.IsException() {
		b.said = append(b.said, fmt.Sprintf("%s: %s %s", m.Type, m.Text, m.URL))
	}
}

func (b *tab) do(steps ...chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	if err := chromedp.Do(b.ctx, steps...); err != nil {
		b.t.Fatalf("%v\nthe browser said: %v", err, b.said)
	}
}

func (b *tab) open(path string) {
	b.t.Helper()
	b.do(chromedp.Navigate(b.base + path))
}

// click clicks what has the text, and waits for the page that it leads to.
func (b *tab) click(element, text string) {
	b.t.Helper()
	xpath := fmt.Sprintf(`//main//%s[normalize-space()=%q]`, element, text)
	if _, err := chromedp.RunResponse(b.ctx, chromedp.Click(chromedp.Search(xpath))); err != nil {
		b.t.Fatalf("click %s %q: %v; the page says:\n%s", element, text, err, b.text())
	}
}

func (b *tab) fill(selector, text string) {
	b.t.Helper()
	b.do(chromedp.Clear(selector), chromedp.SendKeys(selector, text))
}

func (b *tab) text() string {
	text, _ := chromedp.Run(b.ctx, chromedp.Evaluate[string](`document.body.innerText`))
	return text
}

// sees waits until the page says a text, without being loaded again.
func (b *tab) sees(text string) {
	b.t.Helper()
	look := fmt.Sprintf(`document.body.innerText.includes(%q)`, text)
	if _, err := chromedp.Run(b.ctx, chromedp.Poll[bool](look, chromedp.WithPollingInterval(50*time.Millisecond), chromedp.WithPollingTimeout(patience))); err != nil {
		b.t.Fatalf("never saw %q (%v); the page says:\n%s", text, err, b.text())
	}
}

// judge looks at the page in each light, and on a telephone, and keeps what it looks like. Everything that can be used must have
// a name, and nothing may be wider than the window.
func (b *tab) judge(name string) {
	b.t.Helper()
	b.named(name)
	for _, look := range []struct {
		name, scheme  string
		width, height int64
	}{{"wide", "light", 1200, 900}, {"dark", "dark", 1200, 900}, {"phone", "light", 390, 844}, {"phone-dark", "dark", 390, 844}} {
		scheme := emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: look.scheme}}}
		b.do(chromedp.EmulateViewport(look.width, look.height), chromedp.Func(func(ctx context.Context, target *chromedp.Target) error {
			_, err := cdp.Call(ctx, target, emulation.SetEmulatedMedia, scheme)
			return err
		}))
		wide, err := chromedp.Run(b.ctx, chromedp.Evaluate[int64](`document.documentElement.scrollWidth`))
		must(b.t, err)
		if wide > look.width {
			b.t.Errorf("%s is %d wide in a window of %d", name, wide, look.width)
		}
		picture, err := chromedp.Run(b.ctx, chromedp.FullScreenshot(100))
		must(b.t, err)
		must(b.t, os.WriteFile(filepath.Join(b.album(), name+"-"+look.name+".png"), picture, 0o600))
	}
	b.do(chromedp.EmulateViewport(1200, 900))
}

// album is where the pictures are kept: bin/screenshots, or the folder that SCREENSHOTS names.
func (b *tab) album() string {
	dir := cmp.Or(os.Getenv("SCREENSHOTS"), filepath.Join("..", "..", "bin", "screenshots"))
	must(b.t, os.MkdirAll(dir, 0o755))
	return dir
}

func (b *tab) named(page string) {
	b.t.Helper()
	tree, err := chromedp.Call(b.ctx, accessibility.GetFullAXTree, accessibility.GetFullAXTreeParams{})
	must(b.t, err)
	used := 0
	for _, node := range tree.Nodes {
		if node.Ignored || node.Role == nil {
			continue
		}
		role := strings.Trim(string(node.Role.Value), `"`)
		if !slices.Contains([]string{"link", "button", "textbox", "searchbox", "checkbox", "combobox", "spinbutton", "table", "image", "navigation", "search", "Date"}, role) {
			continue
		}
		used++
		if node.Name == nil || strings.Trim(string(node.Name.Value), `" `) == "" {
			b.t.Errorf("%s: a %s has no name (node %d)", page, role, node.BackendDOMNodeID)
		}
	}
	if used < 5 {
		b.t.Errorf("%s: only %d things have a role", page, used)
	}
}

// clean checks that the browser had nothing to complain about: no error, and nothing that the policy kept from loading.
func (b *tab) clean() {
	b.t.Helper()
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, text := range b.said {
		b.t.Errorf("the browser said: %s", text)
	}
}
