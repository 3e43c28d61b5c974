package dashboard

import (
	"context"
	"encoding/json"
	"net/http"
	"time"

	"autopurchase/worker"
)

// Config is what a dashboard is made of.
type Config struct {
	Queue    Queue
	Pools    Pools
	Requests Requests
	Letters  Letters // nil where nobody can be asked about them
	Desk     Desk

	// ReadToken is what a login to read takes. "" lets everybody read who reaches the page under a name of this machine: it must
	// listen on loopback only.
	ReadToken string
	// AdminToken is what a login to change something takes; "" lets nobody.
	AdminToken string
	// Log is told what an operator should know, with names and values in turn. May be nil.
	Log func(message string, fields ...string)
}

// Dashboard is the pages. It is safe for concurrent use.
type Dashboard struct {
	config   Config
	sessions *sessions
	brake    *brake
	keeper   *keeper
	stop     context.CancelFunc
	seats    chan struct{} // one for each who listens

	status    *shelf[worker.QueueStatus]
	keys      *shelf[[]Key]
	key       *shelf[Onboarding]
	forecasts *shelf[worker.Forecast]
	series    *shelf[[]worker.Minute]
	lists     *shelf[worker.Listing]
	lives     *shelf[foundLife]
	letters   *shelf[Letterbox]
	bulks     *bulks
}

// maxListeners is how many pages are kept live at a time; others are pages without it.
const maxListeners = 100

// New makes a dashboard. Nothing is asked before somebody looks. Close ends it.
func New(config Config) *Dashboard {
	if config.Log == nil {
		config.Log = func(string, ...string) {}
	}
	ctx, stop := context.WithCancel(context.Background())
	k := &keeper{ctx: ctx}
	d := &Dashboard{
		bulks: &bulks{all: map[string]*bulk{}}, config: config, stop: stop, keeper: k, seats: make(chan struct{}, maxListeners),
		sessions: &sessions{all: map[[32]byte]*session{}, now: time.Now}, brake: &brake{from: map[string]*guesses{}, now: time.Now},
	}
	d.status = newShelf(k, time.Second, 3*time.Second, 10*time.Second, func(ctx context.Context, _ string) (worker.QueueStatus, error) {
		return config.Queue.Status(ctx)
	})
	d.keys = newShelf(k, time.Second, 3*time.Second, 10*time.Second, config.Pools.Keys)
	d.key = newShelf(k, time.Minute, 15*time.Second, 30*time.Second, func(ctx context.Context, name string) (Onboarding, error) {
		pool, appKey := cutKey(name)
		return config.Pools.Key(ctx, pool, appKey)
	})
	d.forecasts = newShelf(k, time.Minute, time.Second, 2*time.Minute, config.Pools.Forecast)
	d.series = newShelf(k, 5*time.Second, time.Second, 10*time.Second, func(ctx context.Context, _ string) ([]worker.Minute, error) {
		return config.Requests.Series(ctx, chartMinutes)
	})
	d.lists = newShelf(k, time.Second, 3*time.Second, 10*time.Second, d.list)
	d.lives = newShelf(k, time.Second, 3*time.Second, 10*time.Second, d.findLife)
	d.letters = newShelf(k, time.Second, 3*time.Second, 10*time.Second, d.dead)
	return d
}

// question is what a list is asked for, as the name under which its answer is kept.
type question[F any] struct {
	Filter F
	After  string
}

func askedKey[F any](filter F, after string) (string, error) {
	name, err := json.Marshal(question[F]{filter, after})
	return string(name), err
}

func (d *Dashboard) list(ctx context.Context, asked string) (worker.Listing, error) {
	var q question[worker.Filter]
	if err := json.Unmarshal([]byte(asked), &q); err != nil {
		return worker.Listing{}, err
	}
	return d.config.Requests.List(ctx, q.Filter, worker.Page{Limit: perPage, After: q.After})
}

func (d *Dashboard) dead(ctx context.Context, asked string) (Letterbox, error) {
	var q question[LetterFilter]
	if err := json.Unmarshal([]byte(asked), &q); err != nil {
		return Letterbox{}, err
	}
	return d.config.Letters.Dead(ctx, q.Filter, q.After, perPage)
}

// Close ends the live pages and waits for what is being asked.
func (d *Dashboard) Close() {
	d.stop()
	d.keeper.running.Wait()
}

// Handler serves the dashboard from its root on.
func (d *Dashboard) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /assets/{file}", assets)
	mux.HandleFunc("GET /login", d.showLogin)
	mux.HandleFunc("POST /login", d.login)
	mux.HandleFunc("POST /logout", d.logout)
	for pattern, p := range d.shown() {
		mux.HandleFunc("GET "+pattern, d.reading(d.page(p)))
	}
	mux.HandleFunc("GET /keys/{pool}/{key}/statement.csv", d.reading(d.statement))
	mux.HandleFunc("GET /keys/{pool}/{key}/onboard", d.changing(d.askStep))
	mux.HandleFunc("POST /keys/{pool}/{key}/onboard", d.changing(d.changeStep))
	mux.HandleFunc("GET /keys/{pool}/{key}/{do}", d.changing(d.askKey))
	mux.HandleFunc("POST /keys/{pool}/{key}/{do}", d.changing(d.changeKey))
	mux.HandleFunc("GET /requests/change", d.changing(d.askRequests))
	mux.HandleFunc("POST /requests/change", d.changing(d.changeRequests))
	mux.HandleFunc("GET /dead/change", d.changing(d.askLetters))
	mux.HandleFunc("POST /dead/change", d.changing(d.changeLetters))
	mux.HandleFunc("GET /requests/all", d.changing(d.askAllRequests))
	mux.HandleFunc("GET /dead/all", d.changing(d.askAllLetters))
	mux.HandleFunc("POST /bulk/{id}", d.changing(d.startBulk))
	mux.HandleFunc("POST /bulk/{id}/stop", d.changing(d.stopBulk))
	mux.HandleFunc("/", d.reading(func(w http.ResponseWriter, r *http.Request) {
		d.fail(w, r, http.StatusNotFound, "There is no such page.")
	}))
	return d.guarded(mux)
}

// shown are the pages that only show something.
func (d *Dashboard) shown() map[string]page {
	pages := map[string]page{
		"/{$}":               {"overview", d.overview},
		"/keys":              {"keys", d.keysPage},
		"/keys/{pool}/{key}": {"key", d.keyPage},
		"/requests":          {"requests", d.requestsPage},
		"/requests/one":      {"request", d.requestPage},
		"/bulk/{id}":         {"bulk", d.bulkPage},
		"/workers":           {"workers", d.workersPage},
	}
	if d.config.Letters != nil {
		pages["/dead"] = page{"dead", d.lettersPage}
	}
	return pages
}

// changed has what a change may have changed asked for anew.
func (d *Dashboard) changed() {
	d.status.forget()
	d.keys.forget()
	d.key.forget()
	d.lists.forget()
	d.lives.forget()
	d.letters.forget()
}
