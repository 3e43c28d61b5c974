package main

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"

	"github.com/spf13/cobra"
)

// newHealth asks a running part whether it can do its work now: what a container's health check runs.
func newHealth(term terminal) *cobra.Command {
	return command(term, &cobra.Command{
		Use:     "health URL",
		Short:   "Ask a running part whether it is ready; exit 0 if it is",
		Example: "  autopurchase health http://127.0.0.1:7710/readyz",
		Args:    cobra.ExactArgs(1),
	}, func(*settings) {}, func(cmd *cobra.Command, args []string) error {
		if err := aURL("http", "https")(args[0]); err != nil {
			return usage(fmt.Errorf("URL %q: %w", args[0], err))
		}
		return checkHealth(cmd.Context(), args[0], term.out)
	})
}

func checkHealth(ctx context.Context, url string, out io.Writer) error {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return usage(err)
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return fmt.Errorf("not ready: %w", err)
	}
	defer answer.Body.Close()
	if _, err := io.Copy(out, io.LimitReader(answer.Body, 64<<10)); err != nil {
		return err
	}
	if answer.StatusCode != http.StatusOK {
		return errSaid
	}
	return nil
}

// readiness names what a part needs and what is wrong with it now: nil is ready.
type readiness map[string]func(context.Context) error

// checkFor is how long a check may take: who asks does not wait for long, see docker-compose.yml.
const checkFor = 1500 * time.Millisecond

// healthHandler serves /livez, which is 200 unless something in the process is dead that only a restart brings back, and /readyz,
// which is 200 only if everything that the part needs is there now; each names what is wrong, in a sentence. A store that is down
// is no reason to restart.
func healthHandler(needs, organs readiness) *http.ServeMux {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /livez", func(w http.ResponseWriter, r *http.Request) {
		state, well := organs.examine(r.Context())
		state["live"] = "yes"
		if !well {
			state["live"] = "no"
		}
		answerHealth(w, state, well)
	})
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, r *http.Request) {
		state, well := needs.examine(r.Context())
		answerHealth(w, state, well)
	})
	return mux
}

func answerHealth(w http.ResponseWriter, state map[string]string, well bool) {
	code := http.StatusOK
	if !well {
		code = http.StatusServiceUnavailable
	}
	writeJSON(w, code, state)
}

// examine makes all checks at once and says of each whether it is ok, or what is wrong.
func (r readiness) examine(ctx context.Context) (state map[string]string, well bool) {
	ctx, cancel := context.WithTimeout(ctx, checkFor)
	defer cancel()
	type finding struct{ name, text string }
	found := make(chan finding, len(r))
	state, well = map[string]string{}, true
	for name, check := range r {
		state[name] = "does not answer in time"
		go func() {
			text := "ok"
			if err := check(ctx); err != nil {
				text = err.Error()
			}
			found <- finding{name, text}
		}()
	}
	for range r {
		select {
		case f := <-found:
			state[f.name] = f.text
		case <-ctx.Done():
		}
	}
	for _, text := range state {
		well = well && text == "ok"
	}
	return state, well
}

// serveHealth listens for health checks if an address is given.
func serveHealth(address string, handler http.Handler, undo *cleanup) error {
	if address == "" {
		return nil
	}
	_, stop, err := listen("http", address, handler)
	if err != nil {
		return err
	}
	undo.add("health's listener", stop)
	return nil
}

func writeJSON(w http.ResponseWriter, code int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(code)
	_ = json.NewEncoder(w).Encode(body)
}

// listen serves a handler until the returned stop is called, with TLS if an option sets the server's TLSConfig. The error names
// the address and what to do about it.
func listen(name, address string, handler http.Handler, options ...func(*http.Server)) (net.Addr, func(context.Context) error, error) {
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return nil, nil, fmt.Errorf("%s: cannot listen on %s (is another process using the port? choose another with --%s): %w", name, address, name, err)
	}
	at := listener.Addr()
	server := &http.Server{Handler: handler, ReadHeaderTimeout: 10 * time.Second}
	for _, option := range options {
		option(server)
	}
	if server.TLSConfig != nil {
		listener = tls.NewListener(listener, server.TLSConfig)
	}
	done := make(chan error, 1)
	go func() { done <- server.Serve(listener) }()
	stop := func(ctx context.Context) error {
		err := server.Shutdown(ctx)
		if served := <-done; !errors.Is(served, http.ErrServerClosed) {
			err = errors.Join(err, served)
		}
		return err
	}
	return at, stop, nil
}
