package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"autopurchase/internal/bus"
)

func newKeysImport(term terminal) *cobra.Command {
	i := importer{out: term.out, err: term.err}
	return command(term, &cobra.Command{
		Use:   "import FILE.csv|-",
		Short: "Add the app keys of a CSV file to the pool",
		Long: "Adds the app keys of a CSV file, each by a message keypool.admin.add. The first line names the columns, in any order:\n" +
			"app_key, and as many as are needed of limit, account, alipay, source and pool; an empty field takes the default. What\n" +
			"became of each line is told with its number; a bad line does not stop the others. The same file again changes nothing.\n" +
			"Exit 1 if any line failed. No column takes a secret.",
		Example: "  autopurchase keys import keys.csv --by li\n  autopurchase keys import --json - < keys.csv",
		Args:    cobra.ExactArgs(1),
	}, func(s *settings) {
		i.keysSettings.bind(s)
		i.signature.bind(s)
	}, func(cmd *cobra.Command, args []string) error {
		file, err := openInput(args[0], term.in)
		if err != nil {
			return usage(err)
		}
		defer file.Close()
		lines, err := readKeyFile(file, i.pool)
		if err != nil {
			return usage(fmt.Errorf("%s: %w", args[0], err))
		}
		return i.connected(cmd.Context(), func(b *bus.Bus) error { return i.add(cmd.Context(), b, lines) })
	})
}

// importer adds keys and tells what became of each.
type importer struct {
	keysSettings
	signature
	out, err io.Writer
	failed   int
}

// imported is what became of one line of the file.
type imported struct {
	Line   int    `json:"line"`
	AppKey string `json:"app_key,omitempty"`
	Status string `json:"status"` // added (or there already, as the line says), invalid, refused or failed
	Code   string `json:"code,omitempty"`
	Reason string `json:"reason,omitempty"`
	State  string `json:"state,omitempty"` // of the key
}

func (i *importer) add(ctx context.Context, b *bus.Bus, lines []keyLine) error {
	bar := newProgress(i.err, "added", len(lines))
	for n, line := range lines {
		if ctx.Err() != nil {
			return fmt.Errorf("line %d and those after it were not added: %w", line.line, context.Cause(ctx))
		}
		i.tell(i.one(ctx, b, line))
		bar.reach(n + 1)
	}
	if i.failed > 0 {
		fmt.Fprintf(i.err, "%d of %d were not added\n", i.failed, len(lines))
		return errSaid
	}
	fmt.Fprintf(i.err, "%d added\n", len(lines))
	return nil
}

func (i *importer) one(ctx context.Context, b *bus.Bus, line keyLine) imported {
	told := imported{Line: line.line, AppKey: line.key.AppKey}
	if line.err != nil {
		told.Status, told.Reason = invalid, line.err.Error()
		return told
	}
	line.key.Change = i.change()
	info, err := bus.KeysAdd.Ask(ctx, b, line.key)
	switch refusal, refused := errors.AsType[*bus.AdminError](err); {
	case refused:
		told.Status, told.Code, told.Reason = "refused", refusal.Code, refusal.Reason
	case err != nil:
		told.Status, told.Reason = "failed", err.Error()
	default:
		told.Status, told.State = "added", info.State
	}
	return told
}

func (i *importer) tell(line imported) {
	if line.Status != "added" {
		i.failed++
	}
	if i.json {
		_ = json.NewEncoder(i.out).Encode(line)
		return
	}
	text := fmt.Sprintf("line %d: %s %s", line.Line, line.AppKey, line.Status)
	if line.Reason != "" {
		text += ": " + oneLine(line.Reason)
	}
	fmt.Fprintln(i.out, printable(text))
}
