// Package channel is the websocket between worker and relay: client and server of one protocol. Orders go one way, 1688's
// messages come back the other way, both multiplexed over one connection per worker.
//
//	worker ── ask ──► relay          worker ◄── push ─── relay
//	worker ◄─ reply ─ relay          worker ── confirm ─► relay
//
// # What the caller can rely on
//
// Every ask ends in exactly one worker.Answer, at the latest by its deadline. What the channel itself knows about an ask that
// got no reply hangs on one moment, when the writer takes the frame out of the queue and hands it to the socket:
//
//	not connected, queue full, closed, deadline while queued    not_attempted, channel_down   may be sent again
//	connection lost or deadline after that moment               unknown, no_answer            must be looked up
//
// The moment is one atomic step on the ask itself (see call), so that no ask is ever reported as not attempted and then
// written. A frame of which the socket took no byte at all still counts as sent: the error is on the safe side.
//
//	relay closes or the connection breaks    every waiter ends at once; asks still queued are not_attempted
//	peer or network freezes                  no pong within two ping intervals: as above
//	relay stops reading                      the write deadline or the missing pong ends the connection; the queue is bounded
//	relay over its bound                     not_attempted, throttled
//	relay going down                         not_attempted for new asks; running ones are answered, then close code 4001;
//	                                         an ask that crosses it on the way was never started: not_attempted
//	one of several relays is lost            its asks end as above; the next relay is dialled, where they can be looked up
//	ask begins after its deadline            the relay does not start it: not_attempted, throttled
//	the relay's handler panics               unknown, no_answer; the relay goes on
//	reply to an id never asked               Alarm; nobody gets it
//	reply after the deadline                 Alarm, but for not_attempted, which asks nothing of anybody; OnLate if it names an order
//	second reply to one id                   the first stands; Alarm if the second differs, and OnLate if it names an order
//	reply that breaks the protocol           Alarm; unknown, no_answer for that ask
//	push not confirmed                       Server.Push returns an error and its caller tries again
//	more than 64 pushes in work              the worker leaves the next ones unconfirmed
//	more late orders than ClientConfig.MaxInFlight being recorded    nothing more is read until there is a place
//
// # Handshake
//
// GET /channel with "Authorization: Bearer <token>" and "Sec-WebSocket-Protocol: autopurchase.v1". Refusals are JSON,
// {"error":"<word>","message":"<text>"}: 401 unauthorized, 400 unsupported_protocol, 503 going_away. The relay then sends
// hello, and the worker asks nothing before it has come.
//
// # Frames
//
// Each is one websocket text message holding one JSON object in UTF-8, at most 1 MiB, without duplicate member names. Names
// are matched exactly. Members of the envelope that a receiver does not know are ignored.
//
//	v            number  always 1
//	type         text    hello | ask | reply | push | confirm
//	id           text    1 to 9223372036854775807 in decimal, without leading zeros; in every type but hello
//	op           text    ask only: place | preview | find | probe | check | authorize | detail | list | pay | paylink | cancel
//	deadline_ms  number  ask only, optional: a reading of the relay's clock after which nobody waits for the reply any more
//	body         object  see below; absent in confirm
//
//	hello            {"clock_ms": n, "relay": "…"}     the relay's clock, milliseconds, counting up steadily from any origin; its
//	                                                   name among relays, which an older one leaves out; unknown members are ignored
//	ask place        worker.Order                      unknown members are refused
//	ask preview      worker.Order                      unknown members are refused; its reply has quotes and no order
//	ask find         {"app_key": "…", "reference": "…"}
//	ask probe        {"app_key": "…"}
//	ask check        {"app_key": "…", "what": "time"}  time | connect | push | token | preview | agreement
//	ask authorize    worker.Authorization              unknown members are refused
//	ask detail       {"app_key": "…", "order_id": "…"} its reply has the order as it is now
//	ask cancel       {"app_key": "…", "order_id": "…"} its reply has no order
//	ask list         worker.Leaf                       unknown members are refused; its reply has orders in full
//	ask pay          worker.Charge                     unknown members are refused; its reply has no order
//	ask paylink      {"app_key": "…", "order_ids": […]}
//	reply            worker.Answer                     unknown members are ignored
//	push             worker.Push                       unknown members are ignored; raw has 1688's own text
//	confirm          none
//
// The worker numbers its asks and the relay its pushes, each counting up over all connections of the process, so that no
// number is used twice on a connection. A reply repeats the id of its ask, a confirm that of its push. Replies come in any
// order. The relay's clock in hello makes deadlines hold although the two machines' clocks differ: a hello that was under way
// for long only makes deadlines earlier. An op that the relay does not serve is
// answered not_attempted with code internal.
//
//	{"v":1,"type":"hello","body":{"clock_ms":1767225600000,"relay":"k3v9x0c2m8qa"}}
//	{"v":1,"type":"ask","id":"7","op":"find","deadline_ms":1767225630000,"body":{"app_key":"1000001","reference":"acme.PR-1-1"}}
//	{"v":1,"type":"reply","id":"7","body":{"verdict":"absent","code":"absent"}}
//	{"v":1,"type":"push","id":"3","body":{"id":"81","app_key":"1000001","topic":"ORDER_BUYER_VIEW_ORDER_PAY","at_ms":1767225600000}}
//	{"v":1,"type":"confirm","id":"3"}
//
// # Ends
//
// Both sides ping and answer pings. Close codes: 1001 the side goes away on purpose (the worker comes back soon); 4001 the
// relay does, and every ask that it took has had its reply before; 1003 a binary message; 1008 a policy of the relay's
// operator; 1009 a message over 1 MiB; 4400 a frame that breaks the rules above; 4406 another version. After 400, 401,
// 403, 1008, 4400 and 4406 the worker comes back slowly and says why, since a person has to act; with several relays, only
// once all of them have ended like that.
//
// Frames hold buyers' addresses: no log line, error text or alarm of this package repeats a body.
package channel
