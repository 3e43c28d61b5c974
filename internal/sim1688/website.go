package sim1688

import (
	"errors"
	"net/http"
	"time"
)

// Visit is an order that a buyer makes on the website, where no app has a part in it.
type Visit struct {
	Member     string    `json:"member"`
	OutOrderID string    `json:"out_order_id"` // "" as on the website; another one plays what an app did that nobody remembers
	Lines      []Line    `json:"lines"`        // at the shelf's prices
	MadeAt     time.Time `json:"made_at"`      // zero for now
}

// Visit enters an order that was made on the website. It counts for no key and is pushed to nobody. It returns the order, or an error
// that names what the shelf refuses.
func (s *Sim) Visit(v Visit) (Order, error) {
	if v.Member == "" || len(v.Lines) == 0 {
		return Order{}, errors.New("member and lines: must not be missing")
	}
	placed, refused := s.books.place(purchase{account: &account{Key: Key{Member: v.Member}}, ref: v.OutOrderID, lines: v.Lines, made: v.MadeAt})
	if refused != nil {
		return Order{}, errors.New("lines: " + refused.code + ": " + refused.message)
	}
	return placed[0].Order, nil
}

func (a *admin) visit(w http.ResponseWriter, r *http.Request) {
	var asked Visit
	if err := read(w, r, &asked); err != nil {
		write(w, wrong(err))
		return
	}
	order, err := a.sim.Visit(asked)
	if err != nil {
		write(w, wrong(err))
		return
	}
	write(w, ok(order))
}
