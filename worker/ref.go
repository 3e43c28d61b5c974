package worker

import (
	"errors"
	"strconv"
	"strings"
)

// MaxID is the longest request id and tenant name, in bytes.
const MaxID = 64

const hexDigits = "0123456789ABCDEF"

// EncodeRef writes a request id as one NATS subject token: letters, digits, "_" and "-" stand for themselves, every other
// byte becomes "=" and two upper-case hex digits, so that "PR.1" is "PR=2E1". Distinct ids give distinct refs.
func EncodeRef(id string) string {
	var b strings.Builder
	for _, c := range []byte(id) {
		if plain(c) {
			b.WriteByte(c)
		} else {
			b.Write([]byte{'=', hexDigits[c>>4], hexDigits[c&15]})
		}
	}
	return b.String()
}

// DecodeRef gives back the id that EncodeRef wrote. A token that EncodeRef would not have written is an error: there is one
// spelling only, or one id would own two subjects.
func DecodeRef(ref string) (string, error) {
	id := make([]byte, 0, len(ref))
	for i := 0; i < len(ref); i++ {
		c := ref[i]
		if c == '=' && i+2 < len(ref) {
			hi, lo := strings.IndexByte(hexDigits, ref[i+1]), strings.IndexByte(hexDigits, ref[i+2])
			if hi < 0 || lo < 0 {
				return "", errRef
			}
			c, i = byte(hi<<4|lo), i+2
		}
		id = append(id, c)
	}
	if EncodeRef(string(id)) != ref || CheckID(string(id)) != nil {
		return "", errRef
	}
	return string(id), nil
}

var (
	errRef = errors.New("is not the encoded form of a request id")
	errID  = errors.New("must be 1 to 64 printable ASCII characters without blanks")
)

// CheckID says what is wrong with a request id: it is refused, never repaired.
func CheckID(id string) error {
	if id == "" || len(id) > MaxID {
		return errID
	}
	for _, c := range []byte(id) {
		if c <= ' ' || c > '~' {
			return errID
		}
	}
	return nil
}

// CheckName says what is wrong with a tenant's or a pool's name: it becomes a subject token and a Redis key as it is.
func CheckName(name string) error {
	if name == "" || len(name) > MaxID || strings.IndexFunc(name, func(r rune) bool { return r > '~' || !plain(byte(r)) }) >= 0 {
		return errors.New("must be 1 to 64 letters, digits, \"_\" or \"-\"")
	}
	return nil
}

// Reference names the n-th order (from 1) that a request is split into: the outOrderId by which 1688 finds it again.
// It carries the tenant, since two tenants may use one id: 'acme.PR-1-1'. No two requests share a reference.
func Reference(tenant, ref string, n int) string {
	return tenant + "." + ref + "-" + strconv.Itoa(n)
}

// ParseReference gives back what Reference was made of; ok is false for an outOrderId that is not ours.
func ParseReference(reference string) (tenant, ref string, n int, ok bool) {
	tenant, rest, found := strings.Cut(reference, ".")
	dash := strings.LastIndexByte(rest, '-')
	if !found || dash < 1 || CheckName(tenant) != nil {
		return "", "", 0, false
	}
	n, err := strconv.Atoi(rest[dash+1:])
	if _, bad := DecodeRef(rest[:dash]); bad != nil || err != nil || n < 1 {
		return "", "", 0, false
	}
	return tenant, rest[:dash], n, true
}

func plain(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '_' || c == '-'
}
