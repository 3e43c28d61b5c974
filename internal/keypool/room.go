package keypool

import (
	"context"
	"math"
	"slices"
	"strings"

	"github.com/redis/go-redis/v9"

	"autopurchase/worker"
)

// Room returns the size of the largest order that one usable key of the payer can take now; see worker.Stock. What the pool
// does not count is without limit. A missing pool has no room.
func (p *Pool) Room(ctx context.Context, pool string, payer worker.Payer) (worker.Size, error) {
	n := namesOf(pool)
	var known *redis.StringSliceCmd
	var books *redis.MapStringStringCmd
	err := p.together(ctx, func(pipe redis.Pipeliner) {
		known, books = pipe.LRange(ctx, n.known, 0, -1), pipe.HGetAll(ctx, n.pool)
	})
	if err != nil {
		return worker.Size{}, err
	}
	most := int64(0)
	for _, appKey := range known.Val() {
		info, ok := infoFrom(books.Val(), pool, appKey)
		if !ok {
			return worker.Size{}, refusal(pool, "broken", appKey)
		}
		if pays(info, payer, books.Val()) {
			most = max(most, info.Left)
		}
	}
	if books.Val()["count"] == CountUnits {
		return worker.Size{Lines: math.MaxInt64, Units: most}, nil
	}
	return worker.Size{Lines: most, Units: math.MaxInt64}, nil
}

// pays says whether a key is one of a payer's.
func pays(k Info, payer worker.Payer, books map[string]string) bool {
	like := func(appKey string) bool {
		return k.AppKey == appKey || k.Account != "" && k.Account == books[appKey+".account"]
	}
	return (payer.Account == "" || k.Account == payer.Account) && (payer.Alipay == "" || k.Alipay == payer.Alipay) &&
		(payer.Like == "" || like(payer.Like)) && !slices.ContainsFunc(strings.Fields(payer.Unlike), like)
}

// Shares gives the weights of the pool's tenants; see worker.Stock.
func (p *Pool) Shares(ctx context.Context, pool string) (map[string]int, error) {
	settings, err := p.Settings(ctx, pool)
	return settings.Tenants, err
}
