// Package seal keeps an app key's secret and tokens unreadable between the person who types them and the relay that signs with
// them. It seals with age (https://age-encryption.org, X25519), so that age's own tools read and write the same:
//
//	administrator ── Seal for the pool's recipients ──► NATS, journal, Redis ──► relay ── Open with its identity
//
// What it protects: who reads messages, the journal, Redis, their files or their backups, without the relay's identity, learns
// nothing of the values but their length and their fingerprint.
//
// What it does not: the identity file opens everything that was ever sealed for it, also what a journal kept from before the
// recipients were changed, so a leaked identity means new secrets. A relay's memory and the file of a relay's operator hold plain
// values. Anybody may seal for a recipient, so a sealed value says nothing about who made it: that only administrators may send
// one is the broker's and Redis's to enforce. X25519 is no protection against a quantum computer of the future.
//
// A fingerprint lets persons compare values without seeing them. It is made slow so that a list of guesses is expensive to try
// against it; it does not make a secret that is easy to guess safe.
package seal
