package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"path/filepath"
	"strings"

	"github.com/rs/zerolog"
	"github.com/spf13/cobra"

	"autopurchase/internal/bus"
	"autopurchase/internal/dashboard"
)

// minToken is how many characters a token that a person chose must have, since nothing else keeps others out.
const minToken = 16

// dashboardSettings say who may see a dashboard.
type dashboardSettings struct {
	tokenFile string
	token     string // "" lets whoever reaches it read: on loopback only
}

// bind binds them; where is the address that it listens on, which is known when the checks are made.
func (d *dashboardSettings) bind(s *settings, where *string) {
	s.text(&d.tokenFile, "dashboard-token-file", "", "file with the token that reading the dashboard takes, mode 0600; required where --http is not on loopback")
	s.check(func(terminal) (err error) {
		if d.token, err = readToken("dashboard-token-file", d.tokenFile); err != nil {
			return err
		}
		if host, _, _ := net.SplitHostPort(*where); d.token == "" && !loopback(host) {
			return fmt.Errorf("--http %q: is not loopback, so reading the dashboard needs a token: --dashboard-token-file", *where)
		}
		return nil
	})
}

// readToken reads a token's file, if one is named.
func readToken(flag, path string) (string, error) {
	if path == "" {
		return "", nil
	}
	body, err := readPrivate(path)
	if err != nil {
		return "", fmt.Errorf("--%s %q: %w", flag, path, err)
	}
	token := strings.TrimSpace(string(body))
	if len(token) < minToken {
		return "", fmt.Errorf("--%s %q: must hold at least %d characters", flag, path, minToken)
	}
	return token, nil
}

// newDashboard runs the web page alone.
func newDashboard(term terminal) *cobra.Command {
	var broker natsSettings
	var who dashboardSettings
	var address, level, adminFile, admin, data string
	return command(term, &cobra.Command{
		Use:   "dashboard",
		Short: "Run the web page on which a person sees what the queue does and why it stands still",
		Long: "Runs the dashboard as a process of its own, for a queue that runs elsewhere; up and demo have one at their --http already.\n" +
			"It asks workers by NATS, as a monitor may; with an administrators' token it lets those who log in with it change things,\n" +
			"for which its NATS user must be an admin. See the README for who may what.",
		Example: "  autopurchase dashboard --nats nats://127.0.0.1:4222\n" +
			"  autopurchase dashboard --http :7720 --dashboard-token-file read-token --admin-token-file admin-token --nats-nkey auth/admin.nk",
	}, func(s *settings) {
		broker.bindClient(s)
		s.text(&address, "http", "127.0.0.1:7720", "where the page, /livez and /readyz listen", anAddress)
		who.bind(s, &address)
		s.text(&adminFile, "admin-token-file", "", "file with the token that changing something takes, mode 0600; nothing can be changed if left out")
		s.text(&data, "data", "", "folder for an index of the requests; if left out, lists are asked of whoever keeps one, and there are no charts")
		s.check(func(terminal) (err error) { admin, err = readToken("admin-token-file", adminFile); return err })
		s.text(&level, "log", "info", "trace | debug | info | warn | error", checkLevel)
	}, func(cmd *cobra.Command, _ []string) (err error) {
		var undo cleanup
		defer func() { err = joinStop(err, undo.run(stopBudget)) }()
		log := newLog(term.err, level, &undo)
		b, err := bus.Connect(cmd.Context(), broker.config("autopurchase-dashboard", log))
		if err != nil {
			return err
		}
		undo.add("NATS connection", func(context.Context) error { return b.Close() })
		w := window{bus: b}
		if data != "" {
			if w.index, err = keepIndex(cmd.Context(), b, data, log, &undo); err != nil {
				return err
			}
		}
		handler := healthHandler(readiness{"nats": b.Ready}, readiness{"nats": b.Alive})
		at, err := serveDashboard(address, handler, dashboardConfig(w, who.token, admin, log), &undo)
		if err != nil {
			return err
		}
		log.Info().Str("http", "http://"+at.String()+"/").Msg("dashboard is up")
		<-cmd.Context().Done()
		return nil
	})
}

// keepIndex keeps an index in a folder of this process alone.
func keepIndex(ctx context.Context, b *bus.Bus, path string, log zerolog.Logger, undo *cleanup) (*indexPart, error) {
	data, err := openFolder(ctx, path, undo)
	if err != nil {
		return nil, err
	}
	part, err := newIndexPart(ctx, b, filepath.Join(data.path, "index.db"), log, undo)
	if err != nil {
		return nil, err
	}
	running, stop := context.WithCancel(context.WithoutCancel(ctx))
	done := make(chan struct{})
	go func() { defer close(done); part.run(running) }()
	undo.add("index's reader", func(context.Context) error { stop(); <-done; return nil })
	return part, nil
}

// dashboardConfig shows what is seen through a window.
func dashboardConfig(w window, token, admin string, log zerolog.Logger) dashboard.Config {
	return dashboard.Config{
		Queue: w, Pools: w, Requests: w, Letters: w, Desk: w, ReadToken: token, AdminToken: admin,
		Log: func(message string, fields ...string) {
			event := log.Warn()
			for i := 0; i+1 < len(fields); i += 2 {
				event = event.Str(fields[i], fields[i+1])
			}
			event.Msg("dashboard: " + message)
		},
	}
}

// serveDashboard listens for browsers beside what the mux has already. Live pages end before the listener waits for them.
func serveDashboard(address string, mux *http.ServeMux, config dashboard.Config, undo *cleanup) (net.Addr, error) {
	d := dashboard.New(config)
	mux.Handle("/", d.Handler())
	at, stop, err := listen("http", address, mux)
	if err != nil {
		d.Close()
		return nil, err
	}
	undo.add("HTTP listener", stop)
	undo.add("dashboard", func(context.Context) error { d.Close(); return nil })
	return at, nil
}

// errNotYet is what a page says that needs what this queue does not have.
var errNotYet = errors.New("is not to be had here")
