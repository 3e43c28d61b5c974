package worker

// Route is what is tried next once a code is known.
type Route string

// The routes. Only of what 1688 provably did not order another key is tried: an answer that leaves it open is looked up, whatever
// its code says.
const (
	RouteNever    Route = "never"          // the result is published, and the request acknowledged
	RouteSameKey  Route = "the same later" // the request is handed back with a delay; what was drawn keeps its key
	RouteAnyKey   Route = "a key with room"
	RouteOtherKey Route = "another key" // the key is benched; one of the same account comes first
	// Every key of the account is stopped until a person restores it. Each account gets an order once; when none is left that may
	// pay for it, it ends.
	RouteOtherAccount Route = "another account"
	RouteBusiness     Route = "business Alipay" // the order goes to a key with business Alipay, as the seller's next ones do
	RouteLookUp       Route = "a look-up"       // by our reference; it is never sent again blindly
)

// Moves says whether the order leaves its key for another one.
func (r Route) Moves() bool {
	return r == RouteOtherKey || r == RouteOtherAccount || r == RouteBusiness
}

// next is what is tried next after an answer about an order. Its verdict comes first: a code says nothing about an order that may
// exist, or does.
func (a Answer) next() Route {
	next := Dispose(a.Code).Next
	switch {
	case a.Verdict == Placed:
		return RouteNever
	case a.Verdict == Refused && !next.Moves():
		return RouteNever
	case a.Verdict == NotAttempted && !next.Moves():
		return RouteSameKey
	case a.Verdict == Refused || a.Verdict == NotAttempted:
		return next
	}
	return RouteLookUp
}
