package seal

import (
	"crypto/pbkdf2"
	"crypto/sha256"
	"errors"
	"fmt"
	"strings"
)

// Clean gives a value as it was meant to be pasted: without whitespace at its ends. It returns an error if nothing is left, or
// anything but printable ASCII, such as a zero-width space; it says at which character, from 1 in what is left, and not what.
func Clean(value string) (string, error) {
	value = strings.TrimSpace(value)
	if value == "" {
		return "", errors.New("is empty")
	}
	if at := OddCharacter(value); at > 0 {
		return "", fmt.Errorf("character %d is not printable ASCII", at)
	}
	return value, nil
}

// OddCharacter gives the position, from 1, of the first character that is not printable ASCII; 0 if there is none.
func OddCharacter(value string) int {
	at := 0
	for _, c := range value {
		at++
		if c <= ' ' || c > '~' {
			return at
		}
	}
	return 0
}

const (
	printDomain = "autopurchase fingerprint 1"
	printRounds = 100_000 // some 20 ms
	printBytes  = 8
)

// Fingerprint gives a short text by which persons recognize a value, such as 1f2e-3d4c-5b6a-7988: the first 8 bytes of PBKDF2
// with HMAC-SHA-256, 100,000 rounds and a salt that is the same everywhere, so that the same value looks the same everywhere.
func Fingerprint(value string) string {
	sum, err := pbkdf2.Key(sha256.New, value, []byte(printDomain), printRounds, printBytes)
	if err != nil {
		panic(err) // only for a key length that this is not
	}
	return fmt.Sprintf("%x-%x-%x-%x", sum[0:2], sum[2:4], sum[4:6], sum[6:8])
}
