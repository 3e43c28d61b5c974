package bus

import (
	"fmt"
	"slices"
	"strings"
)

// ServerTLS are the files by which a NATS server proves who it is, as it finds them. CA, if not empty, is what the certificates of
// clients must come from: then they need one.
type ServerTLS struct {
	Cert, Key, CA string
}

// NATSConf is the configuration of a NATS server for the roles: the users' public keys by the roles' names, what each may do,
// and what leads from account to account. secure may be nil.
func NATSConf(roles []Role, users map[string]*User, secure *ServerTLS) []byte {
	c := &conf{roles: roles, users: users}
	c.line("# NATS for autopurchase, with a user for each role. Made by autopurchase auth init, which writes it anew when tenants come or go:")
	c.line("# put settings of your own into a file that includes this one. A server that runs takes it by nats-server --signal reload, given")
	c.line("# twice when a tenant is new: the first makes its account, the second connects it.")
	c.line("port: 4222")
	c.line("http: 127.0.0.1:8222 # /healthz and the monitoring pages")
	c.line("")
	c.line("jetstream {")
	c.line("  store_dir: /data")
	c.line("  # An order is money: a message counts as stored only when it is on the disk.")
	c.line("  sync_interval: always")
	c.line("}")
	c.tls(secure)
	c.line("")
	c.line("accounts {")
	for _, name := range c.accounts() {
		c.account(name)
	}
	c.line("}")
	return []byte(c.text.String())
}

// conf is a configuration as it is written.
type conf struct {
	roles []Role
	users map[string]*User
	text  strings.Builder
}

func (c *conf) line(format string, args ...any) { fmt.Fprintf(&c.text, format+"\n", args...) }

func (c *conf) tls(secure *ServerTLS) {
	if secure == nil {
		return
	}
	c.line("")
	c.line("tls {")
	c.line("  cert_file: %q", secure.Cert)
	c.line("  key_file: %q", secure.Key)
	if secure.CA != "" {
		c.line("  ca_file: %q", secure.CA)
		c.line("  verify: true # clients need a certificate of this CA too")
	}
	c.line("}")
}

// accounts are those of the roles, the streams' first.
func (c *conf) accounts() []string {
	names := []string{account}
	for _, role := range c.roles {
		if !slices.Contains(names, role.Account) {
			names = append(names, role.Account)
		}
	}
	return names
}

func (c *conf) account(name string) {
	c.line("")
	c.line("  %q {", name)
	if name == account {
		c.line("    jetstream: enabled")
	}
	c.line("    users: [")
	for _, role := range c.roles {
		if role.Account == name {
			c.user(role)
		}
	}
	c.line("    ]")
	if name == account {
		c.exports()
	} else {
		c.imports(name)
	}
	c.line("  }")
}

func (c *conf) user(role Role) {
	c.line("      # %s: %s.", role.Name, role.Purpose)
	c.line("      { nkey: %s, permissions: {", c.users[role.Name].Public())
	if asks := covering(role.asks); len(asks) > 0 {
		c.line("        publish: {")
		c.list("          allow: [", asks)
		if len(role.never) > 0 {
			c.list("          deny: [", role.never)
		}
		c.line("        }")
		c.line("        subscribe: {")
		c.list("          allow: [", role.hearing())
		c.line("        }")
	} else {
		c.line(`        publish: { deny: ">" }`)
		c.line(`        subscribe: { deny: ">" }`)
	}
	c.line("      } }")
}

func (c *conf) list(head string, subjects []string) {
	c.line("%s", head)
	for _, subject := range subjects {
		c.line("            %q", subject)
	}
	c.line("          ]")
}

// exports are what the accounts outside may ask and hear of the streams' account, each only what its roles name.
func (c *conf) exports() {
	c.line("    exports: [")
	for _, kind := range []string{"service", "stream"} {
		var subjects []string
		of := map[string][]string{} // accounts by subject
		for _, role := range c.roles {
			for _, subject := range role.crossing(kind) {
				if of[subject] == nil {
					subjects = append(subjects, subject)
				}
				of[subject] = append(of[subject], fmt.Sprintf("%q", role.Account))
			}
		}
		for _, subject := range subjects {
			c.line("      { %s: %q%s, accounts: [%s] }", kind, subject, response(kind, subject), strings.Join(of[subject], ", "))
		}
	}
	c.line("    ]")
}

func (c *conf) imports(name string) {
	c.line("    imports: [")
	for _, role := range c.roles {
		if role.Account != name {
			continue
		}
		for _, kind := range []string{"service", "stream"} {
			for _, subject := range role.crossing(kind) {
				c.line("      { %s: { account: %q, subject: %q } }", kind, account, subject)
			}
		}
	}
	c.line("    ]")
}

// crossing are the subjects by which a role reaches the streams' account from its own: a service answers, a stream is heard.
func (r Role) crossing(kind string) []string {
	switch {
	case r.inside():
		return nil
	case kind == "service":
		return covering(r.asks)
	}
	return r.hears
}

// response says where a question has several messages for an answer.
func response(kind, subject string) string {
	batch := strings.HasPrefix(subject, directPrefix) && !strings.Contains(subject[len(directPrefix):], ".")
	if kind == "service" && (batch || subject == discovery) {
		return ", response_type: stream"
	}
	return ""
}

// covering leaves out what a wider pattern of the list covers: asked by both, it would be asked twice.
func covering(subjects []string) []string {
	var kept []string
	for i, subject := range subjects {
		covered := slices.ContainsFunc(subjects, func(wider string) bool {
			common, overlap := intersect(subject, wider)
			return overlap && common == subject && wider != subject
		})
		if !covered && !slices.Contains(subjects[:i], subject) {
			kept = append(kept, subject)
		}
	}
	return kept
}
