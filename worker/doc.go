// Package worker is the domain of autopurchase and its one flow: a purchase request becomes orders at 1688 and exactly one
// result.
//
//	request ─► admit ─► draw and mark sent ─► place ─► settle ─► publish ─► ack
//	                          │                 │         │          │
//	                        Ledger           Market    Ledger     Outbox
//
// What is settled is told by others, while whoever bought it goes on to the next (telling).
//
// Where a preview is wanted the draw says so instead, with a key to ask 1688 with (Previewer). All orders of the request are
// previewed before anything is drawn for one of them; what is refused then ends with a claim that has no key (Undrawn), and the
// others are drawn for. An order that has a claim is never previewed: it may have been sent.
//
// Where lines name alternatives the previews choose between them (Choices), and what was chosen is on record before the draw:
//
//	preview, again with alternatives ─► choose, once for the request ─► draw and mark sent ─► …
//
// Split goes by it from then on, so that whoever looks an order up, compares or gathers it knows what it was sent for.
//
// A claim binds one order to one app key and records how far the purchase got. It is ledger, deduplication and quota in one.
// Intent is written before the irreversible act, the outcome after it, and unknown is an outcome:
//
//	drawn ─► sent ─┬─► placed | partial | refused
//	   │           └─► unknown ─► placed | refused     (a person's decision)
//	   └─► cancelled                                 (a person took it back)
//
// A person may bind an order that was made at 1688 by hand to a claim that has none, in whatever state, which then is placed; see
// Binder.
//
// What a redelivery finds after a crash or a loss:
//
//	before draw                nothing: starts again, with a preview where one is wanted
//	after draw                 claim drawn: same claim, same key, goes on
//	after sent, no answer      claim sent: never sent again blindly; found by its reference, or parked as unknown
//	after settle               the outcome: the same result is published again
//	a dead letter's replay     the same: its attempts follow those before it
//	the ledger lost the claim  treated as sent: looked up on every key first, and counted on each that may have
//	                           taken it
//
// What is tried next after an answer is one table of codes (Disposition, Route). Another key or account is tried only of what 1688
// definitely did not order; the claim keeps which accounts turned it down, each gets it once, and one that names its account, or has
// an address in that one's address book, never leaves it.
//
// Requests that may be bought together with others wait for them, where a worker is set to, and are then marked, once and for all, as bought
// alone or by a request that is made of them; that one goes the same way as any, and its result is divided among them (Mark,
// MergedOutbox). Who dies in between leaves marks, which whoever is handed one of them goes on by.
//
// What is placed is paid for apart from that, if its request asks for it: Cashier, with a record of its own (Payment).
//
// The package uses the standard library only. What it needs from outside are the ports in ports.go; adapters implement them
// and import this package, never each other.
package worker
