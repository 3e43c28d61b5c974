// Package relay is the edge to 1688: it stands between the order channel and the Open Platform, and alone holds the keys'
// secrets and tokens.
//
//	channel ─ place, find, probe ─► key known? ─► token good? ─► paced ─► alibaba ─► worker.Answer
//	channel ◄──────── push ──────── order id → reference ◄── message session of each key ◄── 1688
//
// It is thin and stateless: nothing is stored, and what it keeps in memory (tokens, which order has which reference) is
// fetched again when it is lost. Any number of relays may serve the same keys, as long as the platform lets access tokens
// live until their end when another one is fetched; whether it does is not known.
//
//	app key not in the keys file, or without secret    not attempted, key_unknown
//	access token missing or near its end               refreshed first, once per key whoever asks
//	access token turned down (error 401)               refreshed, and the call made once more: nothing was executed
//	refresh turned down                                not attempted, unauthorized
//	refresh without an answer                          not attempted, channel_down
//	more calls than the key's pace allows              waits; throttled at once if its turn comes after the deadline
//	push about an order of another process             its reference is read from the order's detail
//	push not stored                                    not confirmed: the platform sends it again
//	refresh token within 29 days of its end            extended; a person is told 30, 14, 7 and 1 days before the end
//
// A relay also proves what can be proven of a new key (Check), and takes the code of a buyer who authorized one (Authorize), over
// the channel or at its own CallbackPath.
//
// Secrets, tokens and buyers' data are in no answer, error or log line.
package relay
