package main

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"autopurchase/schemas"
)

// asyncAPI names the document that says which message is where.
const asyncAPI = "asyncapi"

// newSchema prints the contract, for those who write publishers and readers of their own.
func newSchema(term terminal) *cobra.Command {
	var asJSON bool
	return command(term, &cobra.Command{
		Use:   "schema [NAME]",
		Short: "Print the contract: the JSON Schema of each message, and the AsyncAPI document",
		Long: "Without a name it lists the schemas; with one it prints that JSON Schema (2020-12), and with " + asyncAPI + " the AsyncAPI 3\n" +
			"document (YAML), which says on which subject each message is.",
		Example:   "  autopurchase schema\n  autopurchase schema request\n  autopurchase schema asyncapi > asyncapi.yaml",
		Args:      cobra.MaximumNArgs(1),
		ValidArgs: append(schemas.Names(), asyncAPI),
	}, func(s *settings) {
		s.flag(&asJSON, "json", "print the list as JSON; a schema is JSON in any case")
	}, func(_ *cobra.Command, args []string) error {
		if len(args) == 0 {
			return listSchemas(term.out, asJSON)
		}
		text, err := contract(args[0])
		if err != nil {
			return usage(fmt.Errorf("%w: see autopurchase schema", err))
		}
		_, err = term.out.Write(text)
		return err
	})
}

// contract gives a schema, or the AsyncAPI document.
func contract(name string) ([]byte, error) {
	if name == asyncAPI {
		return schemas.FS.ReadFile("asyncapi.yaml")
	}
	return schemas.Schema(name)
}

// titled is a schema as it is listed.
type titled struct {
	Name        string `json:"name"`
	Title       string `json:"title"`
	Description string `json:"description"`
}

func listSchemas(out io.Writer, asJSON bool) error {
	var all []titled
	for _, name := range schemas.Names() {
		text, err := schemas.Schema(name)
		if err != nil {
			return err
		}
		each := titled{Name: name}
		if err := json.Unmarshal(text, &each); err != nil {
			return fmt.Errorf("schema %s: %w", name, err)
		}
		each.Name = name
		all = append(all, each)
	}
	if asJSON {
		return json.NewEncoder(out).Encode(all)
	}
	table := tabwriter.NewWriter(out, 0, 4, 2, ' ', 0)
	fmt.Fprintf(table, "NAME\tTITLE\n")
	for _, each := range all {
		fmt.Fprintf(table, "%s\t%s\n", each.Name, strings.TrimSuffix(each.Title, "."))
	}
	fmt.Fprintf(table, "%s\tEvery subject and its messages (AsyncAPI 3, YAML)\n", asyncAPI)
	return table.Flush()
}
