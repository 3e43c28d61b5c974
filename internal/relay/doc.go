// Package relay is the edge to 1688: it stands between the order channel and the Open Platform, and alone holds the keys'
// secrets and tokens.
//
//	channel ─ place, find, pay … ─► key known? ─► token good? ─► paced ─► alibaba ─► worker.Answer
//	channel ◄──────── push ──────── order id → reference ◄── message session of each key ◄── 1688
//
// Secrets come sealed from the Vault, where administrators put them, or plain from the keys file of the relay's operator; a
// managed key has its secret there. Tokens are sealed into the Vault each time they are refreshed, by one relay after the other,
// so that any number of relays serve the same keys and a restarted one needs no person. Which order has which reference is kept in
// memory and fetched again when it is lost.
//
// Without a Vault tokens are kept in memory alone, each relay refreshes by itself, and a refresh token that was good once is lost
// with the process. Whether the platform's are, and whether it lets access tokens live until their end when another one is
// fetched, is not known.
//
//	app key not known, or without secret               looked for in the Vault; then not attempted, key_unknown
//	Vault out of reach or empty, key not known         not attempted, channel_down
//	sealed for other identities                        not attempted, key_unknown
//	access token missing or near its end               refreshed first, once per key whoever asks, whichever relay
//	new tokens cannot be stored                        used all the same, and stored as soon as it can be done
//	refresh token ends in 30, 14, 7 or 1 days          an alarm
//	access token turned down (error 401)               refreshed, and the call made once more: nothing was executed, so that a
//	                                                   payment is not asked for twice either
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
