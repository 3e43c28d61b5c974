package keypool

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"autopurchase/worker"
)

// stepScript records how a step of a key's onboarding stands. With the last one that was open, the key comes into use.
//
//	KEYS    the pool's, then the change, then the pool's steps
//	ARGV    1 app key  2 step  3 verdict  4 every step there is, with blanks between them
//	returns ok and the key | no_such_key | stale | reused
//
// A step is a field <app key>.<step> → verdict, milliseconds, by and why, a line each.
var stepScript = newChange(`
local app, step, verdict = ARGV[1], ARGV[2], ARGV[3]
local k, answered = asked(app)
if not k then return answered end

local function stands(name) return string.match(redis.call('HGET', KEYS[7], app .. '.' .. name) or '', '^(%l+)\n%d+\n(.*)$') end
local is, said = stands(step)
if is == verdict and said == change.by .. '\n' .. change.why then
  made()
  return info(k)
end
redis.call('HSET', KEYS[7], app .. '.' .. step, verdict .. '\n' .. string.format('%.0f', now) .. '\n' .. change.by .. '\n' .. change.why)

local done = unready(k)
for name in string.gmatch(ARGV[4], '%S+') do
  local is = stands(name)
  done = done and (is == 'passed' or is == 'waived')
end
if done then
  redis.call('HDEL', KEYS[1], app .. '.onboard')
  if k.state == 'onboarding' then admit(k) end
end
tell('onboarding', k, {step = step, verdict = verdict})
made()
if done and k.state ~= 'new' then alarm() end
return info(k)
`)

// Step records how a step of a key's onboarding stands, by whom and why (Change). The same again changes nothing. A key in
// StateOnboarding comes into use once every step is passed or waived; one that is in use stays so. Errors: that the step, the
// verdict or who says so is missing or wrong, *worker.Denied, or a *worker.Trouble.
func (p *Pool) Step(ctx context.Context, pool, appKey, step string, verdict worker.StepVerdict, c Change) (Info, error) {
	c.By, c.Why = oneLine(c.By), oneLine(c.Why)
	if _, known := worker.StepNamed(step); !known {
		return Info{}, fmt.Errorf("step: must be one of %s", strings.Join(worker.StepNames(), ", "))
	}
	if !slices.Contains([]worker.StepVerdict{worker.StepPassed, worker.StepWaived, worker.StepOpen}, verdict) {
		return Info{}, fmt.Errorf("verdict: must be passed, waived or open")
	}
	if c.By == "" {
		return Info{}, fmt.Errorf("by: must say who says so")
	}
	n := namesOf(pool)
	args := c.args(appKey, step, string(verdict), strings.Join(worker.StepNames(), " "))
	return infoOf(pool)(p.run(ctx, pool, stepScript, append(c.keys(n), n.steps), args...))
}

func oneLine(text string) string { return strings.Join(strings.Fields(text), " ") }

// Steps gives what is on record about a key's onboarding, by step. Errors are *worker.Trouble.
func (p *Pool) Steps(ctx context.Context, pool, appKey string) (map[string]worker.Done, error) {
	all, err := p.fields(ctx, namesOf(pool).steps)
	if err != nil {
		return nil, err
	}
	done := map[string]worker.Done{}
	for name, said := range all {
		if app, step, _ := strings.Cut(name, "."); app == appKey {
			done[step] = doneOf(said)
		}
	}
	return done, nil
}

func doneOf(said string) worker.Done {
	parts := strings.SplitN(said, "\n", 4)
	if len(parts) != 4 {
		return worker.Done{}
	}
	at, _ := strconv.ParseInt(parts[1], 10, 64)
	return worker.Done{Verdict: worker.StepVerdict(parts[0]), At: time.UnixMilli(at).UTC(), By: parts[2], Why: parts[3]}
}

// recallScript writes the steps that the journal has, where it is ahead of this Redis; else those that are missing here.
//
//	KEYS    the pool's, then the pool's steps
//	ARGV    1 server and 2 born as they were seen  3 last sequence of the journal, then each step's name and what it is
//	returns ok
var recallScript = newOpenScript(`
if pool.server ~= ARGV[1] or (redis.call('HGET', KEYS[1], 'born') or '') ~= ARGV[2] then return {'ok', events} end
local ahead = not pool.born or tonumber(ARGV[3]) > tonumber(redis.call('HGET', KEYS[1], 'seq') or '0')
if ahead then redis.call('DEL', KEYS[6]) end
for i = 4, #ARGV, 2 do redis.call('HSETNX', KEYS[6], ARGV[i], ARGV[i + 1]) end
return {'ok', events}
`)

// stepped takes an event about a step into the picture.
func (k *pastKey) stepped(event worker.PoolEvent) {
	if k.steps == nil {
		k.steps = map[string]worker.Done{}
	}
	k.steps[event.Step] = worker.Done{Verdict: worker.StepVerdict(event.Verdict), At: event.At, By: event.By, Why: event.Why}
	if !resting(State(event.State)) || worker.Onboarded(worker.Checklist(k.steps)) {
		k.onboard = false
	}
}

// recallSteps brings the steps to what the past says, before the rest of the pool is.
func (p *Pool) recallSteps(ctx context.Context, pool string, before standing, past *past) error {
	args := []any{before.server, before.born, past.last}
	for _, k := range past.keys {
		for step, d := range k.steps {
			said := strings.Join([]string{string(d.Verdict), strconv.FormatInt(d.At.UnixMilli(), 10), d.By, d.Why}, "\n")
			args = append(args, k.appKey+"."+step, said)
		}
	}
	n := namesOf(pool)
	_, err := p.run(ctx, pool, recallScript, append(n.keys(), n.steps), args...)
	return err
}
