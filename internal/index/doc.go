// Package index answers which requests there are: by state, seller, offer, app key, order, time or a part of a text, at a million
// requests as at ten. The streams are the record and can be asked for one request by its id, but not for all that a seller
// refused; so the index reads them once, keeps a row for each request in an SQLite file, and reads on from there.
//
//	PURCHASE_REQUESTS ─┐             ┌─ request    a row each, newest first in the index "search"
//	PURCHASE_RESULTS  ─┼─► Apply ────┼─ side       its keys, sellers, offers and orders, for exact matches
//	PURCHASE_STATUS   ─┤             ├─ word       ids by each three characters, for a part of one
//	PURCHASE_DEAD     ─┘             ├─ tally      how many there are in each state
//	                                 ├─ minute     what happened in the last day, minute by minute
//	                                 └─ place      how far each stream was read
//
// It is a copy and worth nothing: whatever happens to the file, it is made again from the streams. What a batch of messages
// changes and how far they were read is written in one transaction, so that nothing is counted twice or left out, whenever the
// process dies. The order in which the streams are read makes no difference to what is found in it afterwards.
//
// What the streams drop, by age or by hand, is forgotten in time: Prune.
//
// It holds no buyer's data: no names, addresses, telephone numbers or notes to sellers. Neither the process's memory nor the time
// for the newest part of a list depends on how many requests are stored.
package index
