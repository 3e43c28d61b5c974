package keypool

import (
	"cmp"
	"context"
	"errors"
	"strconv"
	"strings"
	"time"

	"autopurchase/worker"
)

// What relays read is in a hash of its own, so that the pool's books stay small. For each key it has
//
//	<app_key>.secret, <app_key>.tokens    number, end, fingerprint and text, with blanks between them
//	<app_key>.told                        end of the tokens and words of the last alarm about it
//	<app_key>.lease                       which relay's turn it is to change the tokens, and until when
//
// The number grows with each value that is put in; that of one that is in the journal is its event's sequence or higher. An end is
// milliseconds of Unix time, 0 for none. Access tokens that belong to the refresh token that is stored are not put into the journal:
// each can be had again, and there is one every few hours for each key.
const (
	fieldSecret = "secret"
	fieldTokens = "tokens"
	fieldTold   = "told"
)

// Sealed is a value that only relays can open.
type Sealed struct {
	Text        string    // base64 of an age file; "" for none
	Number      int64     // of a key's values, the later one has the higher number
	Fingerprint string    // by which persons recognize the value; of tokens, the refresh token
	Ends        time.Time // of tokens: when the refresh token ends; zero when not known
}

// Kept is what a pool keeps of a key for relays.
type Kept struct {
	Pool, AppKey, Source string
	Secret, Tokens       Sealed
}

// sealScript stores a sealed value.
//
//	KEYS    the pool's, then the change, then what is sealed
//	ARGV    1 app key  2 secret | tokens  3 end  4 fingerprint  5 text
//	returns ok and the number | no_such_key | managed | stale | reused
var sealScript = newChange(`
local app, kind, ends, print, text = ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5]
local known, k = repeated(), key(app)
if type(known) == 'table' then return known end
if not k then return fail('no_such_key', app) end
local have = redis.call('HGET', KEYS[7], app .. '.' .. kind) or '0 0  '
local number, _, have_print, have_text = string.match(have, '^(%d+) (%d+) (%S*) (%S*)$')
number = tonumber(number)
if known or have_text == text then return {'ok', events, number} end
if k.state == 'removed' then return fail('no_such_key', app) end
local v = redis.call('HMGET', KEYS[1], app .. '.version', app .. '.source')
local old = stale(v[1])
if old then return old end
if kind == 'secret' and v[2] == 'managed' then return fail('managed', app) end
number = number + 1
if kind == 'secret' then
  redis.call('HINCRBY', KEYS[1], app .. '.version', 1)
  redis.call('HSET', KEYS[1], app .. '.print', print)
end
if kind == 'secret' or have_print ~= print or change.id ~= '' then
  tell(kind, k, {sealed = text, fingerprint = print, ends_ms = tonumber(ends)})
  number = math.max(number, tonumber(redis.call('HGET', KEYS[1], 'seq')))
end
made()
redis.call('HSET', KEYS[7], app .. '.' .. kind, string.format('%.0f', number) .. ' ' .. ends .. ' ' .. print .. ' ' .. text)
return {'ok', events, number}
`)

// SealSecret stores a key's sealed secret in the place of an older one, and gives its number. The same text again changes nothing.
// Errors: one that names the field, *worker.Denied, or a *worker.Trouble.
func (p *Pool) SealSecret(ctx context.Context, pool, appKey string, secret Sealed, c Change) (number int64, err error) {
	return p.seal(ctx, pool, appKey, fieldSecret, secret, c)
}

// SealTokens stores a key's sealed tokens as SealSecret does a secret. The last one who stores wins: see Lease.
func (p *Pool) SealTokens(ctx context.Context, pool, appKey string, tokens Sealed, c Change) (number int64, err error) {
	return p.seal(ctx, pool, appKey, fieldTokens, tokens, c)
}

func (p *Pool) seal(ctx context.Context, pool, appKey, field string, s Sealed, c Change) (int64, error) {
	if err := errors.Join(nameError(pool), s.validate(field)); err != nil {
		return 0, err
	}
	n, ends := namesOf(pool), int64(0)
	if !s.Ends.IsZero() {
		ends = s.Ends.UnixMilli()
	}
	r, err := p.run(ctx, pool, sealScript, append(c.keys(n), n.sealed), c.args(appKey, field, ends, s.Fingerprint, s.Text)...)
	return r.number(2), err
}

// maxSealed is the length in bytes of the longest sealed text.
const maxSealed = 64 << 10

func (s Sealed) validate(field string) error {
	if s.Text == "" || len(s.Text) > maxSealed || strings.ContainsAny(s.Text, " \r\n\t") {
		return errors.New(field + ": must be a sealed value in base64, without blanks, at most 64 KiB")
	}
	if worker.CheckName(s.Fingerprint) != nil {
		return errors.New("fingerprint: must be given, such as 1f2e-3d4c-5b6a-7988")
	}
	return nil
}

// Kept gives what a pool keeps for relays of each of its keys, in the order in which they came; one of which nothing is kept is
// there too. Errors are *worker.Trouble; worker.CodeRedisDown also for a Redis that is not verified, and so may lack some.
func (p *Pool) Kept(ctx context.Context, pool string) ([]Kept, error) {
	if verified, err := p.verifiedNow(ctx, pool); err != nil || !verified {
		return nil, cmp.Or(err, refusal(pool, statusUnverified, ""))
	}
	infos, err := p.Keys(ctx, pool)
	if err != nil {
		return nil, err
	}
	fields, err := p.fields(ctx, namesOf(pool).sealed)
	if err != nil {
		return nil, err
	}
	kept := make([]Kept, 0, len(infos))
	for _, info := range infos {
		kept = append(kept, Kept{
			Pool: pool, AppKey: info.AppKey, Source: info.Source,
			Secret: readSealed(fields[info.AppKey+"."+fieldSecret]), Tokens: readSealed(fields[info.AppKey+"."+fieldTokens]),
		})
	}
	return kept, nil
}

// verifiedNow says whether the Redis that answers now is the one on which the pool was verified.
func (p *Pool) verifiedNow(ctx context.Context, pool string) (bool, error) {
	if !p.guarded() {
		return true, nil
	}
	if _, err := p.identify(ctx, pool); err != nil {
		return false, err
	}
	return p.verified(ctx, pool)
}

// readSealed reads a field.
func readSealed(field string) (s Sealed) {
	words := strings.Split(field, " ")
	if len(words) != 4 {
		return s
	}
	s.Fingerprint, s.Text = words[2], words[3]
	s.Number, _ = strconv.ParseInt(words[0], 10, 64) // only scripts write them
	if ends, _ := strconv.ParseInt(words[1], 10, 64); ends > 0 {
		s.Ends = time.UnixMilli(ends).UTC()
	}
	return s
}
