// Package sim1688 plays 1688 on this machine: the signed Open API over HTTP, the message websocket, and an admin API that opens
// the simulator's own books to a judge.
//
//	client ──signed POST──► gateway ─► checks ─► faults ─► operation ─► books ◄── admin API ◄── judge
//	client ◄──SERVER_PUSH── message websocket ◄──────────── courier ◄────┘
//
// It shares no code with the client it judges: it has its own signature, its own count of products and its own list of orders.
// It never protects a client from itself. A create repeated with the same outOrderId makes a second order, and money is taken for
// an order as often as it is asked for, because whether the platform would refuse is not known; a key may pass its limit, and the
// books then say by how much.
//
// # What is the platform's and what is the simulator's
//
// Paths, signing, field names, refusal codes and error codes follow the official documentation, the official client and what
// several public clients agree on. Checks run in the platform's order: API name, key, signature, token, ACL, parameters. Where
// the platform's answer is not known the simulator says so in its code: error codes that begin with SIM_ are its own. Its own
// choices are also: that an order which was shipped in part is still waitsellersend, idle limit and resend interval of the websocket, access tokens that stay valid until their end after a
// refresh, the error code "401" for a refused token request, the complaint about a session of an app that did not choose the
// websocket, the error for a refresh token that is extended too early, and the timestamp of a call, which is signed but not compared
// with the clock. totalSuccessAmount and sumPayment include the postage.
//
// # Authorization
//
// GET /oauth/authorize on the gateway's port is the page where a buyer consents: the simulated one does at once, and is sent back
// to redirect_uri with state and a code that lives two minutes and is good once.
//
// # Admin API
//
// JSON in snake_case on its own port. Bodies are read strictly: an unknown, repeated or wrongly spelled field, a wrong value or
// trailing data is answered with status 400 and {"error":"…"} naming the field, and changes nothing.
//
//	GET  /healthz        200 as long as the simulator runs
//	GET  /admin/orders   ?out_order_id=&app_key=  every order that exists: {"orders":[{order_id, out_order_id, app_key, member,
//	                     call, products, lines:[{offer_id, spec_id, quantity, price_fen}], status, total_fen, post_fen,
//	                     created_at, payments:[{op_request_id, fen, at}], parcels:[{number, carrier}]}]}, oldest first. An order with more than one payment
//	                     was paid for more than once. out_order_id matches the whole reference, or what follows its first dot.
//	                     call numbers the create call that made the order: two orders of one reference with the same call are
//	                     one call split by the platform, with different calls they are a purchase made twice.
//	GET  /admin/keys     {"keys":[{app_key, products, orders, refreshes, limit, over_drawn}]}; over_drawn is the number of
//	                     products beyond the limit
//	POST /admin/keys     {app_key, secret, refresh_token, access_token, member, limit, apis, no_messages} adds a key, as a person
//	                     makes one on the platform; without tokens until somebody authorizes it
//	POST /admin/permissions {app_key, apis, messages} what the app may do, as a person sets it there: the API names it may call
//	                     ([] is all), and whether it chose the websocket for its messages; what is left out stays
//	POST /admin/agreement {member, open} whether a buyer account has an agreement to pay by Alipay without a password
//	GET  /admin/faults   {"faults":[{…, hits}]}
//	POST /admin/faults   [{operation, kind, probability, count, delay_ms, code, app_key}] replaces the list, [] clears it
//	GET  /admin/offers   {"offers":[…]} the catalogue as it stands
//	POST /admin/stock    {offer_id, spec_id, stock}; without spec_id every SKU of the offer
//	POST /admin/price    {offer_id, price_fen}
//	POST /admin/order-price {order_id, total_fen, post_fen} the seller's new price of an unpaid order, which is pushed
//	POST /admin/progress {order_id, step, parcels:[{number, carrier}], silent} what buyer and seller do on the website: step is pay,
//	                     ship_part, ship, receive or finish; it is pushed, but for silent, as if the push were lost
//	GET  /admin/pushes   ?app_key=  {"sessions":n,"unconfirmed":["id"]}
//	POST /admin/push     {app_key, topic, data, mock} sends a push, answers {"push_id":"…"}; with mock its source is MOCK, as
//	                     of the test commands on the platform's page
//	POST /admin/website  {member, lines:[{offer_id, spec_id, quantity}], out_order_id, made_at} an order that a buyer makes on the
//	                     website: it exists and is listed as any other, has no out_order_id unless one is given, and counts for no
//	                     key; answers the order
//	POST /admin/reset    orders, counts, faults, pushes, stock and prices back to the start; keys and tokens stay
//
// # Faults
//
// A fault names an operation ("fastCreateOrder", its full API name, or "*" for every one) and a kind; it fires always, with a
// probability (seeded, so a run can be repeated), or count times. Of each stage the first fault that fires counts, so faults of
// different stages combine (an order that exists, whose answer is lost, and that shows late). Faults follow the checks: a badly
// signed call is always told so.
//
//	stage       kind                 effect
//	delay       latency              waits delay_ms before anything else
//	before      http_500             JSON error, status 500, nothing done
//	            http_502_html        an HTML page, status 502, nothing done
//	            cut_before           connection cut, nothing done
//	            throttled            gw.QosAppFrequencyLimit, nothing done
//	            auth_401             error_code "401", nothing done
//	shape       refuse               success false with code (default 500_004), no order; creates and the preview
//	            order_list           one call becomes several orders, told in orderList; a preview shows one order for each line
//	            partial              the last of two or more lines fails with code, the others are ordered; a preview has the
//	                                 code as the line's resultCode, and success true
//	            text_success         "success":"true"
//	            success_without_id   the order exists, the answer names no id; creates only, as the three that follow
//	            empty_object         the order exists, the answer is {}
//	            id_beside_failure    the order exists, the answer has its id beside success false
//	            un_nested            the result's fields stand beside success
//	            not_paid             paySuccess false, and no money was taken; payments only, as the two that follow
//	            paid_beside_failure  paySuccess false, although the money was taken
//	visibility  late_list            the order shows by outOrderId only after delay_ms
//	            late_status          a payment shows in the order's status only after delay_ms
//	after       cut_after            connection cut when everything is done and before a byte is answered
package sim1688
