package dashboard

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"sync"
	"time"
)

// role is what a viewer may.
type role int

const (
	stranger role = iota
	reader
	administrator
)

// session is one login.
type session struct {
	role  role
	by    string // the name that was given
	csrf  string // is in each form, so that no other page can send one
	ends  time.Time
	notes []note // to be shown once
}

// note is what became of a change.
type note struct {
	Bad  bool
	Text string
}

const (
	sessionLife = 12 * time.Hour
	maxSessions = 1000
	maxNotes    = 10
)

// sessions are those who are logged in, by the digest of what their cookie says. It is safe for concurrent use.
type sessions struct {
	mu  sync.Mutex
	all map[[sha256.Size]byte]*session
	now func() time.Time
}

// begin makes a session and gives what its cookie says. Of too many, the one that ends first goes.
func (s *sessions) begin(r role, by string) string {
	id := rand.Text()
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.now()
	var first [sha256.Size]byte
	var ends time.Time
	for key, old := range s.all {
		if old.ends.Before(now) {
			delete(s.all, key)
		} else if ends.IsZero() || old.ends.Before(ends) {
			first, ends = key, old.ends
		}
	}
	if len(s.all) >= maxSessions {
		delete(s.all, first)
	}
	s.all[sha256.Sum256([]byte(id))] = &session{role: r, by: by, csrf: rand.Text(), ends: now.Add(sessionLife)}
	return id
}

// find gives a copy of the session of a cookie; a stranger's if there is none.
func (s *sessions) find(id string) session {
	s.mu.Lock()
	defer s.mu.Unlock()
	found := s.all[sha256.Sum256([]byte(id))]
	if found == nil || found.ends.Before(s.now()) {
		return session{}
	}
	return *found
}

func (s *sessions) end(id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.all, sha256.Sum256([]byte(id)))
}

// tell keeps a note for the session's next page.
func (s *sessions) tell(id string, n note) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if found := s.all[sha256.Sum256([]byte(id))]; found != nil && len(found.notes) < maxNotes {
		found.notes = append(found.notes, n)
	}
}

// told takes the notes.
func (s *sessions) told(id string) []note {
	s.mu.Lock()
	defer s.mu.Unlock()
	found := s.all[sha256.Sum256([]byte(id))]
	if found == nil {
		return nil
	}
	notes := found.notes
	found.notes = nil
	return notes
}

// same compares two secrets in a time that says nothing about either.
func same(a, b string) bool {
	x, y := sha256.Sum256([]byte(a)), sha256.Sum256([]byte(b))
	return subtle.ConstantTimeCompare(x[:], y[:]) == 1
}

// brake slows down whoever guesses: after a few failures each further one must wait, ever longer. It is safe for concurrent use.
type brake struct {
	mu   sync.Mutex
	from map[string]*guesses
	now  func() time.Time
}

type guesses struct {
	failed int
	again  time.Time // not before
}

const (
	freeGuesses  = 5
	longestBrake = 5 * time.Minute
	maxGuessers  = 10_000
)

// attempt counts an attempt as a failed one, or says how long whoever is there must wait before the next.
func (b *brake) attempt(from string) (wait time.Duration) {
	b.mu.Lock()
	defer b.mu.Unlock()
	g := b.from[from]
	if g == nil {
		if len(b.from) >= maxGuessers {
			clear(b.from) // the attacker has as many addresses; a token that is random is safe all the same
		}
		g = &guesses{}
		b.from[from] = g
	}
	if wait = g.again.Sub(b.now()); wait > 0 {
		return wait
	}
	g.failed++
	if over := g.failed - freeGuesses; over >= 0 {
		g.again = b.now().Add(min(time.Second<<min(over, 10), longestBrake))
	}
	return 0
}

// passed forgets the failures.
func (b *brake) passed(from string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.from, from)
}
