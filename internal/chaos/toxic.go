package chaos

import (
	"context"
	"fmt"
	"strings"

	"github.com/Shopify/toxiproxy/v2/toxics"
)

// toxic is what a fault does to what passes a proxy, in toxiproxy's words.
var toxic = map[string]string{
	"freeze": `"type": "hold"`,
	"slow":   `"type": "latency", "attributes": {"latency": 150, "jitter": 100}`,
}

// hold is a toxic that lets nothing pass, not even an end, until it is removed: then all of it passes. Of toxiproxy's own,
// timeout drops what it holds back, and bandwidth lets ends pass.
type hold struct{}

// Pipe returns when the toxic is removed.
func (*hold) Pipe(stub *toxics.ToxicStub) { <-stub.Interrupt }

func init() { toxics.Register("hold", &hold{}) }

// poison adds a toxic in both directions until heal.
func (p *proxy) poison(toxic string) error {
	for _, direction := range []string{"upstream", "downstream"} {
		if _, err := p.Toxics.AddToxicJson(strings.NewReader(fmt.Sprintf(`{"stream": %q, %s}`, direction, toxic))); err != nil {
			return fmt.Errorf("toxic %s: %w", toxic, err)
		}
	}
	return nil
}

// heal removes every toxic.
func (p *proxy) heal() { p.Toxics.ResetToxics(context.Background()) }
