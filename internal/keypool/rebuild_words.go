package keypool

import (
	"maps"
	"slices"
	"strings"

	"autopurchase/worker"
)

// script writes the past as the arguments of rebuildScript.
func (p *past) script(before standing, claimed map[string]bool) (references []string, args []any) {
	set := p.settings
	args = append(args, len(p.sellers))
	for _, seller := range slices.Sorted(maps.Keys(p.sellers)) {
		args = append(args, seller, p.sellers[seller])
	}
	args = append(args, before.server, before.born, set.Count, set.Width, set.Low, set.Strategy, strings.Join(set.Recipients, " "), shares(set.Tenants),
		set.preview(), set.Version, p.last, strings.Join(p.order(), " "), len(p.keys))
	for _, k := range p.keys {
		onboard := 0
		if k.onboard {
			onboard = 1
		}
		args = append(args, k.appKey, k.limit, k.counts(k.used), k.counts(k.certain), k.floor, k.cleared, string(k.state), onboard,
			k.account, k.alipay, k.source, k.version, k.print)
	}
	at := len(args)
	args = append(args, 0)
	for _, s := range p.open {
		for _, open := range s.open {
			references = append(references, open.OutOrderID)
			args = append(args, words(open.AppKey, open.AlsoOn), open.Products, open.part.At.UnixMilli())
			args = appendPieces(args, open.part)
		}
	}
	args[at] = len(references)
	for _, f := range p.flights {
		for _, o := range f.orders {
			switch {
			case f.answered:
			case f.delivered:
				references = append(references, o.reference)
				args = append(args, o.size.Lines, o.size.Units, f.account)
			case claimed[o.reference]:
				references = append(references, o.reference)
				args = append(args, 0, 0, f.account)
			}
		}
	}
	return references, args
}

// appendPieces writes an outcome as the number of its pieces and the pieces.
func appendPieces(args []any, part worker.Part) []any {
	pieces := pack(&worker.Part{State: part.State, Code: part.Code, Reason: part.Reason})
	args = append(args, len(pieces))
	for _, piece := range pieces {
		args = append(args, piece)
	}
	return args
}

// references lists those of the flights that are meant.
func (p *past) references(meant func(*flight) bool) (references []string) {
	for _, f := range p.flights {
		if meant(f) {
			for _, o := range f.orders {
				references = append(references, o.reference)
			}
		}
	}
	return references
}

// order lists the keys that are drawn from, as they stand in line.
func (p *past) order() (appKeys []string) {
	for _, list := range [][]*pastKey{p.active, p.ready} {
		for _, k := range list {
			appKeys = append(appKeys, k.appKey)
		}
	}
	return appKeys
}
