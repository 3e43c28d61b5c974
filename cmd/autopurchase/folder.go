package main

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"autopurchase/internal/seal"
)

// folder is a data folder that this process alone uses.
type folder struct {
	path string
	lock *os.File
}

// lockPatience is how long a folder may still be held by a process that is just ending.
const lockPatience = 3 * time.Second

// openFolder makes the data folder, or a temporary one when path is "", and locks it.
func openFolder(ctx context.Context, path string, undo *cleanup) (folder, error) {
	if path == "" {
		temporary, err := os.MkdirTemp("", "autopurchase-")
		if err != nil {
			return folder{}, err
		}
		path = temporary
		undo.add("temporary folder", func(context.Context) error { return os.RemoveAll(temporary) })
	}
	path, err := filepath.Abs(path) // redis-server reads its paths from a folder of its own
	if err != nil {
		return folder{}, fmt.Errorf("--data %s: %w", path, err)
	}
	if err := os.MkdirAll(path, 0o700); err != nil {
		return folder{}, fmt.Errorf("--data %s: cannot be made: %w", path, err)
	}
	lock, err := os.OpenFile(filepath.Join(path, "lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return folder{}, fmt.Errorf("--data %s: cannot be written: %w", path, err)
	}
	if err := flock(ctx, lock); err != nil {
		return folder{}, errors.Join(fmt.Errorf("--data %s: another process holds this folder; stop it or choose another folder", path), lock.Close())
	}
	undo.add("data folder", func(context.Context) error { return lock.Close() })
	f := folder{path: path, lock: lock}
	undo.add("addresses", func(context.Context) error { return f.withdraw() })
	return f, f.withdraw()
}

func flock(ctx context.Context, lock *os.File) error {
	ctx, cancel := context.WithTimeout(ctx, lockPatience)
	defer cancel()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return err
		case <-tick.C:
		}
	}
}

// addresses is where the parts of a running system are, for other programs: the file addresses.json in the data folder.
type addresses struct {
	NATS        string `json:"nats"`
	Redis       string `json:"redis"`
	Channel     string `json:"channel"`
	SimGateway  string `json:"sim_gateway,omitempty"`
	SimMessages string `json:"sim_messages,omitempty"`
	SimAdmin    string `json:"sim_admin,omitempty"`
	HTTP        string `json:"http"`
}

// publish writes the file in one step, so that a reader never sees half of it.
func (f folder) publish(a addresses) error {
	body, err := json.MarshalIndent(a, "", "  ")
	if err != nil {
		return err
	}
	temporary := filepath.Join(f.path, ".addresses.json")
	if err := os.WriteFile(temporary, append(body, '\n'), 0o600); err != nil {
		return err
	}
	return os.Rename(temporary, filepath.Join(f.path, "addresses.json"))
}

// withdraw takes the file away: the addresses of a system that has ended, or crashed, may be somebody else's by now.
func (f folder) withdraw() error {
	err := os.Remove(filepath.Join(f.path, "addresses.json"))
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	return err
}

// identity gives the relay's identity of this folder, a new one on its first use.
func (f folder) identity() (seal.Keyring, error) {
	path := filepath.Join(f.path, "identity")
	if _, err := seal.NewIdentity(path); err != nil && !errors.Is(err, os.ErrExist) {
		return seal.Keyring{}, err
	}
	return seal.LoadIdentities(path)
}

// adminTokenFile holds the token with which a person may change something on the dashboard.
const adminTokenFile = "admin-token"

// token gives the channel's token of this folder.
func (f folder) token() (string, error) { return f.secret("channel-token") }

// secret gives a token of this folder, a new one on its first use.
func (f folder) secret(name string) (string, error) {
	path := filepath.Join(f.path, name)
	body, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) {
		body = []byte(rand.Text())
		err = os.WriteFile(path, body, 0o600)
	}
	return strings.TrimSpace(string(body)), err
}
