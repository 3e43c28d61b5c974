// Package benchmark measures what autopurchase costs beside a bare program that does the same input and output and nothing
// else, on the servers that it is given. `autopurchase bench` measures a user's own installation with it; `make bench` is its test
// code, runs it on servers of its own and prints a table.
//
//	draws/s       keypool.Draw, 64 callers              beside  EVALSHA of a one-line script, 64 callers
//	purchases/s   the whole worker, so many at a time,  beside  pull, EVALSHA, websocket call, EVALSHA, publish, ack,
//	              a platform that answers at once               as many at a time, no logic
//	latency       the same, half as many as it can take beside  the same
//	counts        allocations, round trips and bytes of a purchase
//
// and by `make bench` also
//
//	with metrics  the whole worker, 16 and 64 at a time  beside  the same without them
//	with traces   the whole worker, 64 at a time         beside  the same without them
//	rebuild       keypool.Rebuild after Redis was emptied  beside  reading the same results, as they are
//	peak memory   the built program's worker, 64 orders at a time, a platform that takes 50 ms
//
// Both sides use the same servers in the same run: Redis, NATS, a websocket on the loopback. They take turns, and the middle one
// of the ratios of neighbouring runs is what counts: whatever else the machine does meanwhile then meets both.
//
// On servers that others use, everything has a place of its own with a random name (bus.Apart, keypool.Config.Apart): no worker of
// the queue is handed its requests, and no key of a pool of theirs is drawn from. It is removed in the end. What a measurement that
// was killed left behind is known by its name, and by nobody answering for it: the next one removes it.
package benchmark
