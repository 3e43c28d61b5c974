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

// healthHandler serves /livez, which is 200 as long as the process can answer at all, and /readyz, which is 200 only if
// everything that the part needs is there now, and says what is not.
func healthHandler(needs readiness) *http.ServeMux {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /livez", func(w http.ResponseWriter, _ *http.Request) {
		writeJSON(w, http.StatusOK, map[string]string{"live": "yes"})
	})
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, r *http.Request) {
		state, code := map[string]string{}, http.StatusOK
		for name, check := range needs {
			state[name] = "ok"
			if err := check(r.Context()); err != nil {
				state[name], code = err.Error(), http.StatusServiceUnavailable
			}
		}
		writeJSON(w, code, state)
	})
	return mux
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
