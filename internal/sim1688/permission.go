package sim1688

import (
	"fmt"
	"slices"
	"strconv"
)

// What a person sets for an app on the platform's pages: which APIs it may call, and whether messages go over the websocket.

func (b *books) mayCall(a *account, api string) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return len(a.APIs) == 0 || slices.Contains(a.APIs, api)
}

func (b *books) hearsMessages(a *account) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return !a.NoMessages
}

// permit changes what an app is allowed; nil leaves it as it is.
func (b *books) permit(appKey string, apis *[]string, messages *bool) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	a := b.accounts[appKey]
	if a == nil {
		return fmt.Errorf("app_key: %q is not known", appKey)
	}
	if apis != nil {
		a.APIs = slices.Clone(*apis)
	}
	if messages != nil {
		a.NoMessages = !*messages
	}
	return nil
}

// SetAgreement says whether a buyer account has an agreement to pay by Alipay without a password. None has one at the start.
func (s *Sim) SetAgreement(member string, open bool) {
	s.books.mu.Lock()
	defer s.books.mu.Unlock()
	s.books.payers[member] = open
}

// agreement tells of two channels, as the official example does; its booleans are texts.
func (g *gateway) agreement(c *call) answer {
	g.books.mu.Lock()
	open := g.books.payers[c.account.Member]
	g.books.mu.Unlock()
	type channel struct {
		Channel string `json:"payChannel"`
		Bound   string `json:"bindingStatus"`
		Signed  string `json:"signedStatus"`
	}
	channels := []channel{
		{"SHEGOU", "false", "false"},
		{"ALIPAY", "true", strconv.FormatBool(open)},
	}
	return ok(map[string]any{"result": map[string]any{
		"success": true, "result": map[string]any{"paymentAgreements": channels},
	}})
}
