// Package chaos runs the whole system as separate processes under load, breaks it on purpose, and judges what came of it by the
// books of the simulated 1688.
//
//	publisher ─► NATS ◄─┐                       ┌─► simulator (in this process: it is the judge's book-keeper)
//	             ▲  ▲   ╪ proxy                 ╪ proxy
//	judge ───────┘  └ workers ══╪ proxy ══► relays
//	                   └────────╪ proxy ──► Redis
//
// Workers and relays are the built program; NATS is this program again, see [ServeIfAsked]; Redis is redis-server with an
// append-only file. Whoever dies is started again, as a service manager would. Between any two stands a proxy that can cut,
// freeze and slow down connections.
//
// What happens is a plan made of a seed: so many faults, each due when so many requests have their result. It is not tied to
// the clock, so that a slow machine and a quick one meet the same faults at the same places of the work. Publishing keeps in
// step with the plan: the load does not run out before the faults do.
//
// Keys belong to two buyer accounts in turn, and are so small that a run sees many rotations. An operator puts benched keys back
// into use, and adds one from a reserve when there is hardly any room: what is parked after a loss is held on several keys.
//
// # Faults
//
//	worker_kill, relay_kill, redis_kill, nats_kill   SIGKILL, started again after the fault's length
//	worker_term, relay_term, redis_term, nats_term   SIGTERM, the same
//	worker_stop, relay_stop                          SIGSTOP, then SIGCONT: longer and shorter than the broker's patience
//	X_cut                                            connections reset, and none let through for the fault's length
//	X_freeze                                         connections stay open and nothing passes; what was sent arrives afterwards
//	X_slow                                           all that passes takes 50 to 250 ms
//	                                                 X is nats, redis, channel (worker to relay) or gateway (relay to 1688)
//	sim_K                                            the simulator misbehaves: three calls in ten have its fault K
//	sim_clock                                        the simulator's clock is up to 5 minutes ahead or behind, and right again:
//	                                                 access tokens, which live for 3 minutes here, end before their time
//	redis_flush                                      FLUSHALL
//
// Freezing and slowing down are toxics of toxiproxy, which is part of this process. The connections themselves are ours: a
// toxiproxy that is stopped gives its port back, ends connections as if their peer had meant to, and keeps two goroutines for
// each that ended under traffic. So is the toxic that freezes: of toxiproxy's, timeout drops what it holds back, and bandwidth
// lets ends pass.
//
// # Judgement
//
//	double          create calls beyond the first for a reference, by the simulator's books
//	lost            requests without exactly one result, unknown ones before it left out; orders in the books that no result
//	                accounts for; orders in a result that the books do not have
//	over_drawn      products beyond a key's limit, by the simulator's books
//	leaked_holds    products held in the pool when all is over that no parked unknown order explains, or that are missing for one
//	miscounted      products in the books that a key has not counted, or that it has counted too many, orders parked as unknown
//	                left out. After redis_kill, redis_term and redis_flush a key may count too many, see below
//	died            processes that ended although nobody had told them to
//	paid_twice      payments beyond the first for an order, and any for one that was not to be paid for, by the simulator's books
//	status_lost     orders of which 1688 pushed that they were made, or paid for, without that being on record when all is over
//	unknown_parked  orders parked for a person: allowed, since a person can end them
//	paid, unpaid    orders that were paid for without a person, and that were to be and were not: allowed, since they want a person
//
// A Redis that was started or emptied may have forgotten which key took an order. The platform shows the order to every key of
// its buyer account, so that it cannot tell either: it counts on each key that may have taken it, and no key is over-drawn.
package chaos
