// Package benchmark measures what autopurchase costs beside a bare program that does the same input and output and nothing
// else, on the machine it runs on. All of it is test code: `make bench` runs it and prints a table.
//
//	draws/s       keypool.Draw, 64 callers              beside  EVALSHA of a one-line script, 64 callers
//	purchases/s   the whole worker, 1, 16 and 64 at a   beside  pull, EVALSHA, websocket call, EVALSHA, publish, ack,
//	              time, a platform that answers at once         as many at a time, no logic
//	with metrics  the whole worker, 16 and 64 at a time  beside  the same without them
//	with traces   the whole worker, 64 at a time         beside  the same without them
//	rebuild       keypool.Rebuild after Redis was emptied  beside  reading the same results, as they are
//	peak memory   the built program's worker, 64 orders at a time, a platform that takes 50 ms
//
// Both sides use the same servers in the same run: a redis-server with an append-only file, a NATS server with a file store, a
// websocket on the loopback. They take turns, and the middle one of the ratios of neighbouring runs is what counts: whatever
// else the machine does meanwhile then meets both.
package benchmark
