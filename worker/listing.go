package worker

import "time"

// CountBound is up to how many requests of a list are counted: beyond it, what matters is that there are many.
const CountBound = 10_000

// Page is the part of a list that is wanted.
type Page struct {
	Limit int    // how many requests; 0: 50
	After string // Listing.Next of the part before; "" begins with the newest
}

// Listing is a part of a list of requests, the newest first.
type Listing struct {
	Requests []Summary `json:"requests"`
	Next     string    `json:"next,omitempty"`  // Page.After of the next part; "" if there is none
	Total    int       `json:"total,omitempty"` // of the first part: how many there are in all, counted up to CountBound
}

// Minute is what happened in one minute, by the broker's clock.
type Minute struct {
	At    time.Time           `json:"at"` // its beginning
	Asked int64               `json:"asked"`
	Ended map[LifeState]int64 `json:"ended"` // requests that came to stand there, by their latest result
	// How long the requests that ended in it took from being asked to their result, both as stored. Each is the upper end of a
	// class that is 9 % wide. 0 if none ended.
	Median time.Duration `json:"median_ns"`
	P90    time.Duration `json:"p90_ns"`
	P99    time.Duration `json:"p99_ns"`
}
