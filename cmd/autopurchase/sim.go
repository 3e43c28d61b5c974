package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"

	"github.com/spf13/cobra"

	"autopurchase/internal/sim1688"
)

// newSim runs the simulated platform on its own.
func newSim(term terminal) *cobra.Command {
	var config sim1688.Config
	var keysFile, level string
	return command(term, &cobra.Command{
		Use:   "sim",
		Short: "Run a simulator of 1688: Open API, message websocket and an admin API",
		Long: "Plays 1688 as far as it is known, for trying out and for tests. It keeps its own books:\n" +
			"  GET /admin/orders?out_order_id=&app_key=   all orders that exist for a reference\n" +
			"  GET /admin/keys                            products ordered per key, by its own count\n" +
			"  POST /admin/faults, /admin/stock, /admin/reset\n" +
			"It says so when it is itself what others wait for: then what is measured against it is its own speed.",
		Example: "  autopurchase sim --keys-file keys.json",
	}, func(s *settings) {
		s.text(&config.GatewayAddr, "gateway-listen", "127.0.0.1:8801", "where the Open API listens", anAddress)
		s.text(&config.MessagesAddr, "messages-listen", "127.0.0.1:8802", "where the message websocket listens", anAddress)
		s.text(&config.AdminAddr, "admin-listen", "127.0.0.1:8803", "where the admin API listens", anAddress)
		s.text(&config.Count, "count", "lines", "what a product is: lines | units", oneOf("lines", "units"))
		s.text(&keysFile, "keys-file", "", "the keys the platform knows, in the relay's format (required)")
		s.text(&level, "log", "info", "trace | debug | info | warn | error", checkLevel)
	}, func(cmd *cobra.Command, _ []string) (err error) {
		if config.Keys, err = loadSimKeys(keysFile); err != nil {
			return err
		}
		var undo cleanup
		defer func() { err = joinStop(err, undo.run(stopBudget)) }()
		config.Log = newLog(term.err, level, &undo)
		sim, err := sim1688.Start(cmd.Context(), config)
		if _, ok := errors.AsType[*net.OpError](err); ok {
			return fmt.Errorf("%w (is another process using the port? choose others with --gateway-listen, --messages-listen and --admin-listen)", err)
		}
		if err != nil {
			return err
		}
		config.Log.Info().Str("gateway", sim.GatewayURL()).Str("messages", sim.MessagesURL()).Str("admin", sim.AdminURL()).Msg("simulator is up")
		watchLoad(cmd.Context(), config.Log, loadEvery)
		return sim.Close()
	})
}

// loadSimKeys reads the relay's keys file: what the relay holds is what the platform gave out.
func loadSimKeys(path string) ([]sim1688.Key, error) {
	if path == "" {
		return nil, usage(errors.New("--keys-file: is required: the keys the platform knows"))
	}
	body, err := os.ReadFile(path)
	if err != nil {
		return nil, usage(fmt.Errorf("--keys-file: %w", err))
	}
	var file struct {
		Keys []struct {
			sim1688.Key
			Account string `json:"account"`
		} `json:"keys"`
	}
	if err := json.Unmarshal(body, &file); err != nil {
		return nil, usage(fmt.Errorf("--keys-file %s: is not JSON as expected", path)) // the cause may repeat a secret
	}
	var keys []sim1688.Key
	for _, k := range file.Keys {
		k.Key.Member = k.Account
		keys = append(keys, k.Key)
	}
	return keys, nil
}
