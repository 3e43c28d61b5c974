package bus

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/nats-io/nuid"

	"autopurchase/worker"
)

// ChangeDead asks for something to be done about a dead letter.
type ChangeDead struct {
	Sequence uint64 `json:"sequence"`
	DryRun   bool   `json:"dry_run,omitempty"` // only say what would happen
	By       string `json:"by"`                // who asks
	Why      string `json:"why,omitempty"`
}

func (c ChangeDead) checked() (ChangeDead, *worker.Invalid) {
	if c.Sequence == 0 {
		return c, &worker.Invalid{Field: "sequence", Reason: "must be a dead letter's, from 1"}
	}
	return c, accountable(c.By, c.Why)
}

// ReplayedDead says what became of a replay.
type ReplayedDead struct {
	Sequence  uint64       `json:"sequence"` // of the letter
	Tenant    string       `json:"tenant"`
	RequestID string       `json:"request_id"`
	Answer    ReplayAnswer `json:"answer"`
	Replay    int          `json:"replay"`  // which one of the request it is, from 1
	Subject   string       `json:"subject"` // on which it is stored
}

// ReplayAnswer is what became of a replay.
type ReplayAnswer string

// The answers.
const (
	Replayed        ReplayAnswer = "replayed"         // the request is handed out again
	AlreadyReplayed ReplayAnswer = "already_replayed" // it was before; nothing was done now
)

// replay is a letter's request as it would be handed out again.
type replay struct {
	letter worker.Dead
	addressed
	stored *Message
	fresh  bool // nothing was ever drawn for it
	done   bool // it was replayed before
}

func (r *replay) subject() string { return replaySubject(r.lane, r.tenant, r.ref, r.letter.Replays+1) }

// replayOf finds out whether a letter's request can be handed out again; an *worker.Invalid says why not. It must be on record, have
// a subject to which its result belongs, and no result that stands whatever comes. Where the subject cannot be read the one who
// published it has to do so again, also if the body names an id: nothing says that this id was meant to be on that subject.
func (b *Bus) replayOf(ctx context.Context, letter worker.Dead) (*replay, error) {
	not := func(reason string) (*replay, error) {
		return nil, &worker.Invalid{RequestID: letter.RequestID, Field: "sequence", Reason: "cannot be replayed: " + reason}
	}
	if letter.Code == worker.CodeNoAnswer {
		return not("it tells of a late answer, and nothing waits for being handed out: see at 1688, then drop it")
	}
	stored, err := b.message(ctx, StreamRequests, letter.Stored)
	if err != nil {
		return nil, natsDown("read a request", err)
	}
	if stored == nil || stored.Subject != letter.Subject {
		return not("its request is no longer on record")
	}
	r := &replay{letter: letter, addressed: address(stored.Subject, stored.Header), stored: stored}
	if r.tenant == "" || r.ref == "" {
		return not("its subject names no tenant and id: publish the request on " + lanePrefix(r.lane) + "<tenant>.<ref>")
	}
	before, err := b.last(ctx, StreamRequests, r.subject())
	if err != nil {
		return nil, natsDown("look for a replay", err)
	}
	if r.done = before != nil; r.done {
		return r, nil
	}
	id, _ := worker.DecodeRef(r.ref) // it was parsed
	result, found, err := b.Result(ctx, r.tenant, id)
	switch {
	case err != nil:
		return nil, natsDown("read a result", err)
	case !found:
		return not("it has no result on record, and so is under way")
	case !result.Provisional():
		return not("it is decided: it ended as " + string(result.Outcome))
	}
	r.fresh = result.Outcome == worker.OutcomeRefused
	return r, nil
}

// replayDead hands a letter's request out once more, on a subject of its own: the broker takes each replay once.
func (b *Bus) replayDead(ctx context.Context, ask ChangeDead) (ReplayedDead, error) {
	letter, err := b.letter(ctx, ask.Sequence)
	if err != nil {
		return ReplayedDead{}, err
	}
	r, err := b.replayOf(ctx, letter)
	if err != nil {
		return ReplayedDead{}, err
	}
	id, _ := worker.DecodeRef(r.ref) // it was parsed
	answer := ReplayedDead{Sequence: letter.Sequence, Tenant: r.tenant, RequestID: id, Answer: Replayed, Replay: letter.Replays + 1, Subject: r.subject()}
	if !r.done && !ask.DryRun {
		r.done, err = b.again(ctx, r.message(ask))
		if err == nil && !r.done {
			err = b.Keep(ctx, worker.Deed{What: worker.DeedReplayed, Tenant: r.tenant, RequestID: id, Letter: letter.Sequence,
				Text: fmt.Sprintf("dead letter %d was replayed, for the %d. time", letter.Sequence, answer.Replay), By: ask.By, Why: ask.Why, At: time.Now().UTC()})
		}
	}
	if r.done {
		answer.Answer = AlreadyReplayed
	}
	return answer, err
}

// message is the request as it was stored, with what its next delivery has to know.
func (r *replay) message(ask ChangeDead) *nats.Msg {
	msg := message(r.subject(), r.stored.Data)
	msg.Header = nats.Header{HeaderOrigin: {originDead + strconv.FormatUint(r.letter.Sequence, 10)}, HeaderBy: {ask.By},
		headerAttempt: {strconv.Itoa(r.letter.Attempt)}}
	if ask.Why != "" {
		msg.Header.Set(HeaderWhy, ask.Why)
	}
	if !r.fresh {
		published := r.published
		if published.IsZero() {
			published = r.stored.Time
		}
		msg.Header.Set(headerPublished, published.UTC().Format(time.RFC3339Nano))
	}
	carryOn(msg.Header, r.stored.Header)
	return msg
}

// carryOn takes over what its publisher put into the headers of a request.
func carryOn(into, stored nats.Header) {
	for name, values := range stored {
		if !strings.HasPrefix(name, "Nats-") && !slices.Contains(ownHeaders, name) {
			into[name] = values
		}
	}
}

var ownHeaders = []string{HeaderOrigin, HeaderBy, HeaderWhy, headerAttempt, headerPublished}

// again publishes a request that is asked for again; before says that somebody did it before. It may be repeated.
func (b *Bus) again(ctx context.Context, msg *nats.Msg) (before bool, err error) {
	msg.Header.Set(jetstream.MsgIDHeader, nuid.Next())
	err = persist(ctx, "ask again", func(ctx context.Context) error {
		_, err := b.js.PublishMsg(ctx, msg, jetstream.WithExpectStream(StreamRequests))
		if !isCode(err, codeStreamFull) && !wrongLast(err) {
			return err
		}
		stored, found := b.last(ctx, StreamRequests, cmp.Or(msg.Header.Get(jetstream.ExpectedLastSubjSeqSubjHeader), msg.Subject))
		switch {
		case found != nil:
			return found
		case stored == nil && wrongLast(err):
			return errFaster
		case stored == nil:
			return fmt.Errorf("stream %s is full: %w", StreamRequests, err)
		}
		before = stored.Header.Get(jetstream.MsgIDHeader) != msg.Header.Get(jetstream.MsgIDHeader)
		return nil
	})
	return before, err
}
