package sim1688

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
)

// admin is the judge's window into the books; the package comment documents it.
type admin struct{ sim *Sim }

func (a *admin) routes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { write(w, ok(map[string]string{"status": "ok"})) })
	mux.HandleFunc("GET /admin/orders", a.orders)
	mux.HandleFunc("GET /admin/keys", a.keys)
	mux.HandleFunc("GET /admin/faults", a.faults)
	mux.HandleFunc("GET /admin/offers", a.offers)
	mux.HandleFunc("GET /admin/pushes", a.pushes)
	mux.HandleFunc("POST /admin/keys", change(a.sim.AddKey))
	mux.HandleFunc("POST /admin/faults", change(a.inject))
	mux.HandleFunc("POST /admin/stock", change(a.stock))
	mux.HandleFunc("POST /admin/price", change(a.price))
	mux.HandleFunc("POST /admin/permissions", change(a.permit))
	mux.HandleFunc("POST /admin/agreement", change(a.agreement))
	mux.HandleFunc("POST /admin/order-price", change(a.orderPrice))
	mux.HandleFunc("POST /admin/progress", change(a.sim.Progress))
	mux.HandleFunc("POST /admin/push", a.push)
	mux.HandleFunc("POST /admin/website", a.visit)
	mux.HandleFunc("POST /admin/reset", func(w http.ResponseWriter, _ *http.Request) {
		a.sim.Reset()
		write(w, ok(struct{}{}))
	})
	return mux
}

func (a *admin) orders(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	found := a.sim.Orders(OrderFilter{OutOrderID: q.Get("out_order_id"), AppKey: q.Get("app_key")})
	write(w, ok(map[string]any{"orders": found}))
}

func (a *admin) keys(w http.ResponseWriter, _ *http.Request) {
	write(w, ok(map[string]any{"keys": a.sim.Keys()}))
}

func (a *admin) faults(w http.ResponseWriter, _ *http.Request) {
	write(w, ok(map[string]any{"faults": a.sim.Faults()}))
}

func (a *admin) offers(w http.ResponseWriter, _ *http.Request) {
	write(w, ok(map[string]any{"offers": a.sim.books.catalogue()}))
}

func (a *admin) pushes(w http.ResponseWriter, r *http.Request) {
	appKey := r.URL.Query().Get("app_key")
	write(w, ok(map[string]any{"sessions": a.sim.Sessions(appKey), "unconfirmed": a.sim.Unconfirmed(appKey)}))
}

func (a *admin) inject(list []Fault) error {
	if list == nil {
		return errors.New("faults: null is no list; [] ends every fault")
	}
	return a.sim.Inject(list...)
}

func (a *admin) stock(asked struct {
	OfferID string `json:"offer_id"`
	SpecID  string `json:"spec_id"`
	Stock   *int64 `json:"stock"`
}) error {
	if asked.Stock == nil {
		return errors.New("stock: missing")
	}
	return a.sim.SetStock(asked.OfferID, asked.SpecID, *asked.Stock)
}

func (a *admin) price(asked struct {
	OfferID  string `json:"offer_id"`
	PriceFen *int64 `json:"price_fen"`
}) error {
	if asked.PriceFen == nil {
		return errors.New("price_fen: missing")
	}
	return a.sim.SetPrice(asked.OfferID, *asked.PriceFen)
}

func (a *admin) orderPrice(asked struct {
	OrderID  string `json:"order_id"`
	TotalFen int64  `json:"total_fen"`
	PostFen  int64  `json:"post_fen"`
}) error {
	return a.sim.SetOrderPrice(asked.OrderID, asked.TotalFen, asked.PostFen)
}

func (a *admin) permit(asked struct {
	AppKey   string    `json:"app_key"`
	APIs     *[]string `json:"apis"`
	Messages *bool     `json:"messages"`
}) error {
	return a.sim.books.permit(asked.AppKey, asked.APIs, asked.Messages)
}

func (a *admin) agreement(asked struct {
	Member string `json:"member"`
	Open   *bool  `json:"open"`
}) error {
	if asked.Member == "" || asked.Open == nil {
		return errors.New("member and open: must not be missing")
	}
	a.sim.SetAgreement(asked.Member, *asked.Open)
	return nil
}

func (a *admin) push(w http.ResponseWriter, r *http.Request) {
	var asked struct {
		AppKey string          `json:"app_key"`
		Topic  string          `json:"topic"`
		Data   json.RawMessage `json:"data"` // kept as it came: a number that is an id passes through no float
		Mock   bool            `json:"mock"`
	}
	err := read(w, r, &asked)
	if err == nil && (asked.Topic == "" || asked.Data == nil) {
		err = errors.New("topic and data: must not be missing")
	}
	if err != nil {
		write(w, wrong(err))
		return
	}
	send := a.sim.Push
	if asked.Mock {
		send = a.sim.PushMock
	}
	id := send(asked.AppKey, asked.Topic, asked.Data)
	if id == "" {
		write(w, wrong(fmt.Errorf("app_key: %q is not known", asked.AppKey)))
		return
	}
	write(w, ok(map[string]string{"push_id": id}))
}

// change is a handler that reads one value strictly, applies it, and answers {} or what is wrong.
func change[T any](apply func(T) error) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		var asked T
		err := read(w, r, &asked)
		if err == nil {
			err = apply(asked)
		}
		if err != nil {
			write(w, wrong(err))
			return
		}
		write(w, ok(struct{}{}))
	}
}

func read(w http.ResponseWriter, r *http.Request, into any) error {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if err != nil {
		return fmt.Errorf("body: %w", err)
	}
	return decodeStrict(body, into)
}

func wrong(err error) answer {
	return answer{status: http.StatusBadRequest, body: encode(map[string]string{"error": err.Error()})}
}
