package chaos

import (
	"crypto/rand"
	"encoding/json"
	"os"
	"path/filepath"
	"strconv"

	"autopurchase/internal/sim1688"
)

// spareKeys are for what stays held on keys that are nearly spent.
const spareKeys = 4

// reserve is how many keys are added only when the others have no room: what is parked after a loss is held on every key there is.
const reserve = 40

// accounts is how many buyer accounts there are: the platform shows an order to every key of its account.
const accounts = 2

// newKeys makes as many keys as the products need, each so small that a run sees many rotations.
func newKeys(products int) []sim1688.Key {
	limit := min(max(products/12, 50), 1000)
	keys := make([]sim1688.Key, products/limit+spareKeys+reserve)
	for i := range keys {
		keys[i] = sim1688.Key{AppKey: strconv.Itoa(7_000_001 + i), Secret: rand.Text(), RefreshToken: rand.Text(), Limit: limit, Member: "buyer-" + strconv.Itoa(1+i%accounts)}
	}
	return keys
}

// writeKeys writes the relays' keys file.
func writeKeys(dir string, keys []sim1688.Key) (string, error) {
	var file struct {
		Keys []map[string]string `json:"keys"`
	}
	for _, k := range keys {
		file.Keys = append(file.Keys, map[string]string{"app_key": k.AppKey, "secret": k.Secret, "refresh_token": k.RefreshToken, "account": k.Member})
	}
	body, err := json.Marshal(file)
	if err != nil {
		return "", err
	}
	path := filepath.Join(dir, "keys.json")
	return path, os.WriteFile(path, body, 0o600)
}
