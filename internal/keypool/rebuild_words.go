package keypool

import "autopurchase/worker"

// script writes the past as the arguments of rebuildScript.
func (p *past) script(before standing, claimed map[string]bool) (references []string, args []any) {
	args = append(args, before.server, before.born, p.settings.Count, p.settings.Width, p.settings.Low, p.last, len(p.keys))
	for _, k := range p.keys {
		benched := ""
		if k.benched {
			benched = "benched"
		}
		args = append(args, k.appKey, k.limit, k.used, k.certain, k.floor, benched, k.account, k.alipay, k.versions)
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
	pieces := pack(worker.Part{Code: part.Code, Reason: part.Reason})
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
