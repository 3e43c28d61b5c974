// Package keypool keeps app keys and what they may still buy in Redis. It implements worker.Ledger and worker.Stock, and the
// steps behind the administration of a pool.
//
// A pool is a set of app keys; each key may order so many products (1000 by default) and is then spent, and the next ready
// one takes over:
//
//	onboarding ─► ready ─► active ─► spent ─► retired    every step of making it is done (see Step); used reached the limit
//	                ▲         │
//	                ├ benched ◄┤                         the machine took it out, or a person; Restore puts it back
//	                ├ stopped ◄┤                         its account is under risk control; a person's Restore puts it back
//	                └ disabled ◄┘                        a person took it out; Enable puts it back
//
// Administrators change keys and settings in steps of their own, each made once by the id of its message and against a version if
// that is named (Change). A key that is out of use starts no order; those under way on it end as they end, and count. A removed key
// is no part of the pool, and its count waits for it. Nothing lowers what was counted but Reset.
//
// A claim binds one order to one key. Drawing it holds room on the key, settling it counts what was ordered and gives the
// rest back:
//
//	        draw                settle
//	nothing ───► drawn ─► sent ───────► placed | partial | refused | cancelled | unknown ─► placed | refused
//	                ▲       │
//	                └───────┘ unsend
//
// Withdraw ends what is drawn, or was never drawn, as cancelled: a claim is made then, which whoever is handed the order later finds.
//
// Every step is one Lua script, so it happens as a whole or not at all, and none holds more than used + held ≤ limit allows.
// A claim's reference, owner and attempt travel with every step: repeating a step changes nothing, and a step of an owner who
// was overtaken is turned down as fenced, unless it brings a fact (an order exists, or was refused).
//
// Redis is one server, the primary that Sentinels name, or a cluster (see Config.URL). All names of a pool share a hash tag, so
// that a pool lives whole on one master of a cluster; pools live apart, and no step is about two of them. A step goes to its
// pool's master over a connection of which it is known who is at the other end, and follows no redirection.
//
// What goes wrong, and what follows:
//
//	a reply is lost               the step is repeated within the call's time, then worker.CodeRedisDown; the caller may
//	                              draw again with the same owner and gets the same claim
//	Redis restarts                scripts are gone: they are loaded again. Data lives as long as the append-only file does
//	Redis lost a pool, stepped    every step is turned down as worker.CodeRedisDown until Rebuild has compared the pool with the
//	back, or was exchanged        journal and the results (with Config.History it does so by itself; see guard). What was
//	                              delivered and has no result is held on every key that could have taken it, and looked up
//	                              first: worker.CodeLost, unless the delivery in hand is surely the only one. 1688 shows it
//	                              to every key of its account: it counts on each that may have taken it, and is held on each
//	                              if it is absent (worker.Claim.AlsoOn)
//	a counter is missing          worker.CodeRedisDown; it is never taken for 0
//	eviction is on                Open refuses
//	Redis became a replica        worker.CodeRedisDown; connections are dropped and dialled again
//	another server takes over,    the same, until the pool has been verified there as on any Redis that was exchanged; one that
//	by Sentinels or a cluster     evicts is refused. A slot that is being moved takes no steps until all of it is there
//	a cluster lost its list of    the pools that this process has verified are put back on it
//	pools
//
// Not survived: two primaries that both take writes (set min-replicas-to-write), and a fail-over that lost only the last draws
// and nothing that is on record, together with the workers that made them.
//
// A claim takes 289 to 296 bytes, all that Redis keeps beside it included, as long as no field is longer than 64 bytes (longer ones turn
// Redis's compact form into a table of 930). Once settled it ends by itself after ClaimsKept, when nothing is on record any more that
// could lead to its purchase or be contradicted by another: until then its request's id finds it, and after that the id is new
// everywhere. What is open or unknown is kept until somebody ends it.
//
// Changes of a pool are events. A script puts them into the pool's outbox in Redis in the same step; Flush and RunFlusher
// record them in the journal in order and then take them out, so that the journal has each of them, once, whoever dies when.
// Where a pool may be rebuilt (Config.History), a key that was added is drawn from once the journal has it.
//
// Secrets and tokens lie beside the pool's books as texts that only relays can open, and are rebuilt with it. Relays come as guests
// (Config.Guest): they change nothing in a Redis that workers have not verified, and take turns (Lease) at a key's tokens.
package keypool
