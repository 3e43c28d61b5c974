package keypool

import (
	"context"
	"strconv"
	"strings"

	"github.com/redis/go-redis/v9"

	"autopurchase/worker"
)

// Claim shows a claim as it stands, without touching it; false if there is none. It has neither turn nor the clock's reading.
// Errors are *worker.Trouble: worker.CodeNoPool when there is neither claim nor pool, which may be lost with its claims.
func (p *Pool) Claim(ctx context.Context, pool, reference string) (worker.Claim, bool, error) {
	n := namesOf(pool)
	var born *redis.BoolCmd
	var fields *redis.MapStringStringCmd
	err := p.together(ctx, func(pipe redis.Pipeliner) {
		born, fields = pipe.HExists(ctx, n.pool, "born"), pipe.HGetAll(ctx, n.claim+reference)
	})
	switch {
	case err != nil:
		return worker.Claim{}, false, err
	case len(fields.Val()) == 0 && !born.Val():
		return worker.Claim{}, false, refusal(pool, "no_pool", "")
	case len(fields.Val()) == 0:
		return worker.Claim{}, false, nil
	}
	claim, err := claimFrom(pool, reference, fields.Val())
	return claim, err == nil, err
}

// claimFrom reads a claim's hash.
func claimFrom(pool, reference string, fields map[string]string) (worker.Claim, error) {
	number := func(name string) int64 {
		n, _ := strconv.ParseInt(fields[name], 10, 64) // only scripts write them
		return n
	}
	claim := worker.Claim{
		Pool: pool, Reference: reference, AppKey: fields["k"], State: worker.ClaimState(fields["s"]), Products: number("n"),
		Owner: fields["o"], Attempt: int(number("a")), Resent: int(number("x")), SentAt: moment(number("t")),
	}
	for i := 0; fields["e"+strconv.Itoa(i)] != ""; i++ {
		claim.AlsoOn = append(claim.AlsoOn, fields["e"+strconv.Itoa(i)])
	}
	if !claim.State.Settled() {
		return claim, nil
	}
	claim.Part = worker.Part{State: claim.State, At: moment(number("t") + number("d"))}
	var text strings.Builder
	for i := 0; ; i++ {
		piece, more := fields["r"+strconv.Itoa(i)]
		if !more {
			break
		}
		text.WriteString(piece)
	}
	if err := unpack(text.String(), &claim.Part); err != nil {
		return claim, &worker.Trouble{Code: worker.CodeInternal, Reason: "claim " + reference, Err: err}
	}
	return claim, nil
}
