// Package bench does the worker's job with other queues, to see the worker beside them: `make bench-peers`. It is a module of its own, so
// that these are no dependency of the product.
//
// The job is the same for all: take a request of the same bytes, claim in Redis (EVALSHA of a script that writes), call a peer that answers
// at once over one websocket, settle in Redis (the same script), publish a result of the same bytes to JetStream and wait for its
// acknowledgement, and end the request where it came from. All use the same servers in the same run: Redis with an append-only file that
// is synced each second, NATS with a file store, each a process of its own. They take turns.
//
// The peers do no more than that. The worker does: it decodes strictly, draws from a pool of keys with limits, fences claims, finds the one
// outcome of a request that is delivered again, and keeps each result under its request's name.
//
// Each peer is set up as its own documentation says for work that must not be lost:
//
//	asynq      Tasks in the same Redis; each has its request's id as TaskID, so that the queue refuses a second one, and its default of
//	           25 retries. Concurrency is the number of requests at a time. A task is taken under a lease and removed when its handler
//	           has returned nil.
//	           Different from its documentation: it has no subjects to publish on, so the result goes to JetStream as the worker's does.
//	           (A result of its own, with Retention and ResultWriter, would be one more write to Redis, and nothing that others hear.)
//	watermill  watermill-nats' pkg/nats with JetStream, which its own comments name for production, pkg/jetstream being a beta; a
//	           message.Router whose handler returns the result, which the router publishes and waits for before it acknowledges. A
//	           durable consumer with a queue group, as recommended there; SubscribersCount is the number of requests at a time, since
//	           each handles one after the other; AckAsync off: an acknowledgement waits for the broker; TrackMsgId on.
//	           Different from its documentation: AutoProvision is off, since it makes streams of the default settings: here one stream
//	           takes the requests and another the results, with file storage. Between runs the former is emptied, outside of the time.
//	           All results have one subject, since a router publishes to one topic; the worker has one for each request.
//
// What favours the peers: their time begins with the first request that is handled, and ends when the last handler has returned, so that
// neither starting them nor their last acknowledgements count. The worker's time has both.
package bench
