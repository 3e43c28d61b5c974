// Package alibaba speaks the wire of the 1688 Open Platform: signed HTTPS calls to its gateway, and its message websocket.
//
//	worker.Order ─► Create ─► form, signed ─► POST gateway ─► worker.Answer
//	reference    ─► Find   ─► list and detail by outOrderId ─► worker.Answer
//	order id     ─► Now    ─► detail                       ─► worker.Answer, with the order as it is
//	two moments  ─► List   ─► a page of the buyer's orders ─► the same
//	worker.Charge ─► Pay   ─► preparePay ─► worker.Answer; Now asks for the order's status, PayLink for a link to pay by hand
//	Session.Run  ◄─ SERVER_PUSH ─► worker.Push ─► OnPush ─► CONFIRM
//
// The platform answers in many shapes; this package turns them into the few verdicts of the domain. What counts is how sure
// an answer is, since an order that exists must never be sent again:
//
//	an order id anywhere in the answer          placed, whatever "success" says
//	success false, a code, no id                refused, unless the code speaks of a fault inside the platform
//	a gateway error from before the execution   not attempted: signature, token, permission, rate limit
//	the connection could not be opened          not attempted
//	anything else                               unknown: {}, HTML, 5xx, a cut connection, success without an id
//
// A create is never sent twice by the HTTP client underneath. The standard library sends a POST again only if nothing of it
// was written to a connection that had gone stale; redirects are not followed; HTTP/2, whose retry rules differ, is off.
//
// Signing, parameters, field names with their misspellings and frame types follow the official clients and the official
// documentation; where several public clients agree without an official word, the comment says so. Not known: whether the
// platform refuses a second create with the same outOrderId, how soon a new order shows up in a look-up, and how the
// message websocket behaves when it is idle.
//
// Ids are text from end to end: they exceed what a float can hold. Money is integer fen. App secrets and tokens are in no
// error text, and the platform's words are scrubbed of them and of the buyer's name, phone and street before they leave here.
package alibaba
