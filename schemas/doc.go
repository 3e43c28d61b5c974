// Package schemas is the contract of autopurchase: what every message looks like on the wire, for people and programs.
//
// It has two halves that say the same. The JSON Schemas (2020-12) and asyncapi.yaml (AsyncAPI 3.0) are embedded, so that a
// binary can print them and a publisher can check its messages before it sends them. The codec reads and writes the same
// messages in Go in one pass, without reflection:
//
//	body ─► reader (jsontext, one pass) ─► table of fields ─► worker.Request | *worker.Invalid
//
// An object is a table: one row per field, with its name, whether it is required, and the rule that reads its value. A rule
// that is broken ends the reading; on the way out each level puts its name in front, so that the happy path builds no paths:
//
//	{"request_id":"PR-1", …, "lines":[…, {"offer_id":"1","quantity":0}]}   lines[2].quantity: must be a whole number…
//	{"quantity":2,"quantity":200}                                          lines[0].quantity: appears more than once
//	{"quantity":2,"Quantity":200}                                          lines[0].quantity: must be written exactly so, in lower case
//	{…}{…}                                                                 body: must end after its one JSON object
//	GBK bytes                                                              deliver_to.full_name: is not valid UTF-8
//
// The texts name the field and the rule and never repeat a value, which may be a buyer's.
//
// Results and dead letters hold words of others: they are made visible and cut when they are written, so that what is written
// is always read again. The pool's journal takes an administrator's words as they are, since one entry that cannot be read
// would stop it.
//
// A few rules are out of sight of JSON Schema, since a validator sees values and not bytes: a name that appears twice, bytes
// that are not UTF-8, data behind the object, and 2.0 or 1e3 where a whole number is asked for. Every number of the contract
// is a whole number written in plain digits, so a reader that refuses any other spelling sees what this package sees.
package schemas
