CREATE TABLE place (
	stream   TEXT PRIMARY KEY,
	sequence INTEGER NOT NULL,
	stored   INTEGER NOT NULL -- ns of Unix time, as all times
) WITHOUT ROWID;

-- Reasons are few: they are searched here and then joined.
CREATE TABLE reason (
	id   INTEGER PRIMARY KEY,
	text TEXT NOT NULL UNIQUE
);
INSERT INTO reason VALUES (1, ''); -- what most have

CREATE TABLE request (
	id         INTEGER PRIMARY KEY,
	tenant     TEXT NOT NULL,
	request_id TEXT NOT NULL,
	at         INTEGER NOT NULL, -- its place in lists: when it was asked, or decided if the request itself is not known
	state      TEXT NOT NULL,
	code       TEXT NOT NULL,
	reason     INTEGER NOT NULL REFERENCES reason,
	words      TEXT NOT NULL, -- what a text is looked for in: its id, order ids and parcels, one a line
	pool       TEXT NOT NULL,
	app_keys   TEXT NOT NULL, -- as all lists one value a line: none has a line's end in it
	order_ids  TEXT NOT NULL,
	sellers    TEXT NOT NULL,
	offers     TEXT NOT NULL,
	lines      INTEGER NOT NULL,
	products   INTEGER NOT NULL,
	attempt    INTEGER NOT NULL,
	latest     TEXT NOT NULL,
	asked      INTEGER NOT NULL, -- when it was stored; 0 when it is not known
	decided    INTEGER NOT NULL, -- when the result says it was
	answered   INTEGER NOT NULL, -- when the result was stored; 0 when there is none
	asked_in   INTEGER NOT NULL, -- sequence in the stream of requests
	decided_in INTEGER NOT NULL, -- of the result in its stream
	moved_at   INTEGER NOT NULL, -- when 1688 sent the latest status
	moved_in   INTEGER NOT NULL, -- and its sequence
	dead       INTEGER NOT NULL REFERENCES reason, -- of its latest dead letter
	dead_in    INTEGER NOT NULL, -- the letter's sequence; 0 when there was none
	tracking   TEXT NOT NULL, -- numbers and carriers of what was sent
	UNIQUE (tenant, request_id)
);

-- Every filter but those on sides is decided in this index alone.
CREATE INDEX search ON request (at, id, tenant, state, code, reason, dead, words);
-- What is rare is found without walking past all the rest.
CREATE INDEX by_state ON request (state, at, id, tenant, code) WHERE state <> 'placed';
CREATE INDEX by_reason ON request (reason, at, id, tenant, state, code) WHERE reason <> 1;
CREATE INDEX by_dead ON request (dead, at, id, tenant, state, code) WHERE dead <> 1;
CREATE INDEX decided ON request (decided_in) WHERE decided_in > 0;

CREATE TABLE side (
	kind    INTEGER NOT NULL,
	value   TEXT NOT NULL,
	at      INTEGER NOT NULL,
	request INTEGER NOT NULL,
	PRIMARY KEY (kind, value, at, request)
) WITHOUT ROWID;

-- The ids of requests (rowid 2 * id) and of their orders (2 * id + 1), by each three characters in a row.
CREATE VIRTUAL TABLE word USING fts5 (text, content = '', contentless_delete = 1, detail = none, tokenize = 'trigram');

CREATE TABLE tally (
	tenant TEXT NOT NULL,
	state  TEXT NOT NULL,
	n      INTEGER NOT NULL,
	PRIMARY KEY (tenant, state)
) WITHOUT ROWID;

CREATE TABLE minute (
	at   INTEGER NOT NULL, -- minutes of Unix time
	what TEXT NOT NULL,    -- asked, a state, or t and the class of a time taken
	n    INTEGER NOT NULL,
	PRIMARY KEY (at, what)
) WITHOUT ROWID;
