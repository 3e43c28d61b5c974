package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"autopurchase/internal/bus"
)

// newAuth prepares who may do what.
func newAuth(term terminal) *cobra.Command {
	auth := &cobra.Command{
		Use:     "auth",
		Short:   "Make the users of NATS, and say what each may do",
		Example: "  autopurchase auth init --tenants acme,globex --out ./auth",
	}
	group(auth)
	auth.AddCommand(newAuthInit(term))
	return auth
}

func newAuthInit(term terminal) *cobra.Command {
	var a authInit
	return command(term, &cobra.Command{
		Use:   "init",
		Short: "Write a nats.conf with a user for each role, and a seed file for each user",
		Long: "Writes DIR/nats.conf with the roles worker, relay, provisioner, monitor, admin and a publisher for each tenant, and a seed\n" +
			"file for each, such as DIR/worker.nk (mode 0600): a program takes a role by --nats-nkey FILE. Run again with other tenants\n" +
			"it writes nats.conf anew and keeps the seeds that are there. The streams are then made by\n" +
			"autopurchase provision --nats-nkey DIR/provisioner.nk.",
		Example: "  autopurchase auth init --tenants acme,globex --out ./auth\n" +
			"  autopurchase auth init --tenants acme --out ./auth --tls-cert /etc/nats/server.pem --tls-key /etc/nats/server.key",
	}, func(s *settings) {
		s.text(&a.tenants, "tenants", "", "who may publish, with commas between them")
		s.text(&a.out, "out", "", "folder for nats.conf and the seeds (required)")
		s.flag(&a.force, "force", "make all seeds anew: whoever uses one that is there is locked out")
		s.text(&a.tls.Cert, "tls-cert", "", "PEM file of the NATS server's certificate, as the server finds it")
		s.text(&a.tls.Key, "tls-key", "", "PEM file of its key")
		s.text(&a.tls.CA, "tls-ca", "", "PEM file with the CAs that clients' certificates must come from; clients need none if left out")
		s.flag(&a.json, "json", "print JSON")
		s.check(a.check)
	}, func(_ *cobra.Command, _ []string) error {
		made, err := a.run()
		if err != nil {
			return err
		}
		return made.show(term.out, a.json)
	})
}

// authInit is what auth init was told.
type authInit struct {
	tenants, out string
	force, json  bool
	tls          bus.ServerTLS
	roles        []bus.Role
}

func (a *authInit) check(terminal) error {
	var tenants []string
	for tenant := range strings.SplitSeq(a.tenants, ",") {
		if tenant = strings.TrimSpace(tenant); tenant != "" {
			tenants = append(tenants, tenant)
		}
	}
	var err error
	if a.roles, err = bus.Roles(tenants); err != nil {
		err = fmt.Errorf("--tenants: %w", err)
	}
	if a.out == "" {
		err = errors.Join(err, errors.New("--out: is required: a folder for nats.conf and the seeds"))
	}
	if (a.tls.Cert == "") != (a.tls.Key == "") || a.tls.CA != "" && a.tls.Cert == "" {
		err = errors.Join(err, errors.New("--tls-cert, --tls-key: belong together, and --tls-ca needs both"))
	}
	return err
}

// authMade is what came of it.
type authMade struct {
	Conf     string     `json:"conf"`
	Users    []authUser `json:"users"`
	LeftOver []string   `json:"left_over"` // seeds of users that are not in nats.conf any more
}

type authUser struct {
	Role   string `json:"role"`
	File   string `json:"file"`
	Public string `json:"public_key"`
	State  string `json:"state"` // kept or new
}

func (a *authInit) run() (authMade, error) {
	made := authMade{Conf: filepath.Join(a.out, "nats.conf"), LeftOver: []string{}}
	if err := os.MkdirAll(a.out, 0o700); err != nil {
		return made, fmt.Errorf("--out %s: %w", a.out, err)
	}
	users := map[string]*bus.User{}
	for _, role := range a.roles {
		file := filepath.Join(a.out, role.Name+seedSuffix)
		user, state, err := a.user(role, file)
		if err != nil {
			return made, fmt.Errorf("%s: %w", file, err)
		}
		users[role.Name] = user
		made.Users = append(made.Users, authUser{role.Name, file, user.Public(), state})
	}
	var secure *bus.ServerTLS
	if a.tls.Cert != "" {
		secure = &a.tls
	}
	if err := replace(made.Conf, bus.NATSConf(a.roles, users, secure), 0o644); err != nil {
		return made, err
	}
	return made, made.find(a.out)
}

// seedSuffix ends the names of seed files.
const seedSuffix = ".nk"

// user reads the role's user, or makes one if there is none.
func (a *authInit) user(role bus.Role, file string) (user *bus.User, state string, err error) {
	if !a.force {
		seed, err := readPrivate(file)
		if err == nil {
			user, err = bus.ReadUser(seed)
		}
		if err == nil && !role.Owns(user) {
			err = errors.New("is the seed of another role: who uses it would hear no answers")
		}
		if !errors.Is(err, fs.ErrNotExist) {
			return user, "kept", err
		}
	}
	if user, err = role.NewUser(); err != nil {
		return nil, "", err
	}
	seed, err := user.SeedFile(role)
	if err != nil {
		return nil, "", err
	}
	return user, "new", replace(file, seed, 0o600)
}

// replace writes a file in one step, so that a reader never sees half of it.
func replace(path string, body []byte, mode os.FileMode) error {
	temporary := path + ".new"
	if err := os.Remove(temporary); err != nil && !errors.Is(err, fs.ErrNotExist) { // its mode would be kept
		return err
	}
	if err := os.WriteFile(temporary, body, mode); err != nil {
		return err
	}
	return os.Rename(temporary, path)
}

// find looks for seeds that nats.conf knows nothing of.
func (m *authMade) find(dir string) error {
	seeds, err := filepath.Glob(filepath.Join(dir, "*"+seedSuffix))
	for _, file := range seeds {
		if !slices.ContainsFunc(m.Users, func(u authUser) bool { return u.File == file }) {
			m.LeftOver = append(m.LeftOver, file)
		}
	}
	return err
}

func (m *authMade) show(out io.Writer, asJSON bool) error {
	if asJSON {
		return json.NewEncoder(out).Encode(m)
	}
	table := tabwriter.NewWriter(out, 0, 4, 2, ' ', 0)
	fmt.Fprintln(table, "ROLE\tSEED\tFILE")
	for _, u := range m.Users {
		fmt.Fprintf(table, "%s\t%s\t%s\n", u.Role, u.State, u.File)
	}
	for _, file := range m.LeftOver {
		fmt.Fprintf(table, "(none)\tnot let in any more\t%s\n", file)
	}
	fmt.Fprintf(table, "\n%s is for nats-server --config; one that runs takes it by nats-server --signal reload, given twice when a tenant is new\n", m.Conf)
	return table.Flush()
}
