// Package bus is autopurchase on NATS JetStream: the streams, the workers' inbox and outbox, the key pool's journal, what
// publishers and watchers use, the services for administrators, and a server to embed.
//
//	Submit ─► PURCHASE_REQUESTS ─► Inbox ─► worker ─► Outbox ─► PURCHASE_RESULTS ─► Result, Watch
//	               │ one message per subject            ├─────► PURCHASE_DEAD
//	               └ a consumer for each lane           └─────► PURCHASE_STATUS
//	                                      key pool ─► Journal ─► KEYPOOL ─┬─► History
//	                                                                      └─► Alarms
//	                                      watchmen ─► Report ─► PURCHASE_ALARM ─► QueueAlarms
//
// Every name is in names.go, the verbs that administrators may ask for are in keys.go and orders.go, and who may do what is in
// roles.go. What the package promises, and what it rests on:
//
//	one request per id       the stream holds one message per subject and refuses a second (error 10077), also after a
//	                         restart; the message id that the broker remembers for a while only spares a look-up
//	one lane for an id       Submit has the broker compare across lanes, see lanes.go
//	next to no prefetch      pulls ask for as many messages as callers wait or are about to, and two more at most, see Inbox
//	no time-out at work      the broker hears of every unsettled delivery three times per AckWait
//	an ack is on record      it is confirmed by the broker; one that is merely sent dies with the broker's process
//	one result per request   it is published under the condition that the subject is empty; the first stands, and only an
//	                         unknown one is replaced by a decision, see Outbox
//	one mark of a request    PURCHASE_MERGE holds one message per subject too: what was written first stands, see Mark
//	one payment of an order  each entry of its record is stored under the condition that the one before is the last, see Enter
//	no ceiling passed        the same with the sum of an account's day, see Take
//	one telling of an alarm  one consumer remembers for all workers which are told; see Alarms. What is wrong with the queue is
//	                         stored under the condition that it was not: see Report
//	one journal entry        under the condition that the pool's last entry is the one known, see Journal
//
// What happens when something fails:
//
//	broker restarts            the connection is made again for ever; pulls are sent again, signs of life go on
//	broker away                Next, Publish, Record return worker.CodeNATSDown within seconds and may be called again
//	no leader, or no quorum    the same; a server that still takes itself for the leader notices within 20 s
//	reply lost                 the step is repeated; the conditions above make the repeat harmless
//	consumer removed           made again, with an alarm; every stored request is delivered once more, never as its first
//	                           attempt, and answered from its claim or its result
//	connection lost at work    the delivery stays the worker's if it is back within AckWait, else another gets it too: JetStream
//	                           does not fence, the claim does
//	reader away for too long   Watch yields Skipped
package bus
