package keypool

import (
	"context"
	"fmt"
	"slices"

	"github.com/redis/go-redis/v9"
)

// batchScript runs steps of one pool, one after the other. Each is what it is alone. If one breaks down in an error, those before
// it have happened and their replies are lost, as with a connection.
//
//	KEYS    the pool's, then the claim of each step
//	ARGV    for each step: its place, the number of its arguments, and these
//	returns the reply of each step
var batchScript = loadable(batch(quick)...)

// batch is the script that makes the steps which begin leaves over.
func batch(begin string) []string {
	parts := []string{kept, "local KEYS, ARGV = KEYS, ARGV\nlocal replies, done, at = {}, 0, 1\n", begin, common, guard, shared, "local steps = {}\n"}
	for _, s := range []*script{drawScript, settleScript, unsendScript} {
		parts = append(parts, fmt.Sprintf("steps[%d] = function()\n", s.place), s.body, "\nend\n")
	}
	return append(parts, each)
}

// each takes one step after the other.
const each = `
local words, claims = ARGV, {unpack(KEYS, 6)}
for i = done + 1, #claims do
  local name, n = claims[i], tonumber(words[at + 1])
  KEYS[6], ARGV, events = name, {unpack(words, at + 2, at + 1 + n)}, 0
  local fine, reply = pcall(steps[tonumber(words[at])])
  if not fine then
    write_up()
    return {err = reply} -- raised once more it would lose its first word, by which errors are told apart
  end
  replies[i] = reply
  at = at + 2 + n
end
write_up()
return replies
`

// shared is what the steps of a batch have in common: a key's books and the lists of keys are read once, and the books of those
// that changed are written once, when the last step is done or one has broken down. Nobody else sees Redis in between; the steps
// themselves read both through key and nth only.
//
//	key, nth  read what no step before has read
//	keep      notes that a key's books have changed
//	become    has the lists read again: whoever changes one of them then gives the key its new state
//	write_up  writes what keep noted
const shared = `
local books, changed, lists = {}, {}, {[3] = {}, [4] = {}}
local read_key, read_nth, write_key, turn = key, nth, keep, become

key = function(app)
  local k = books[app] or read_key(app)
  books[app] = k
  return k
end

nth = function(list, i)
  local app = lists[list][i]
  if app == nil then
    app = read_nth(list, i)
    lists[list][i] = app
  end
  return app
end

keep = function(k) changed[k.app] = k end

become = function(k, state)
  lists = {[3] = {}, [4] = {}}
  turn(k, state)
end

local function write_up()
  for _, k in pairs(changed) do write_key(k) end
end
`

// group is calls that travel as one script run.
type group struct {
	calls []*call
	reply *redis.Cmd
}

// groups puts the steps of each pool together. Their order is kept: a caller waits for one step before it takes the next.
func groups(batch []*call) []*group {
	all := make([]*group, 0, 1) // of one pool, mostly
	for _, c := range batch {
		at := slices.IndexFunc(all, func(g *group) bool { return g.takes(c) })
		if at < 0 {
			at, all = len(all), append(all, &group{calls: make([]*call, 0, len(batch))})
		}
		all[at].calls = append(all[at].calls, c)
	}
	return all
}

func (g *group) takes(c *call) bool {
	first := g.calls[0]
	return c.script.place > 0 && first.script.place > 0 && c.keys[0] == first.keys[0]
}

// command is the group's script run, of words that it appends to those given; they are in use until its reply is there.
func (g *group) command(ctx context.Context, words []any, server string) []any {
	first := g.calls[0]
	if first.script.place == 0 {
		words = append(words, "evalsha", first.script.sha, len(first.keys))
		for _, key := range first.keys {
			words = append(words, key)
		}
		words = append(append(words, server), first.args...)
	} else {
		words = append(words, "evalsha", batchScript.sha, 5+len(g.calls))
		for _, key := range first.keys[:5] {
			words = append(words, key)
		}
		for _, c := range g.calls {
			words = append(words, c.keys[5])
		}
		words = append(words, server)
		for _, c := range g.calls {
			words = append(append(words, c.script.place, len(c.args)), c.args...)
		}
	}
	g.reply = redis.NewCmd(ctx, words...)
	return words
}

// answer gives every call its reply.
func (g *group) answer() {
	values, err := g.reply.Slice()
	if g.calls[0].script.place == 0 || err != nil {
		for _, c := range g.calls {
			c.done <- answer{reply{values: values}, err}
		}
		return
	}
	for i, c := range g.calls {
		c.done <- answer{replyOf(values[i]), nil} // the script gives each its own
	}
}
