package channel

import (
	"cmp"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/json"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gorilla/websocket"
	"github.com/rs/zerolog"

	"autopurchase/worker"
)

// Desk is what the relay does for its workers. Each call runs in a goroutine of its own and should end by ctx, which ends at
// the ask's deadline but not with the worker's connection: an order half sent is better finished than broken off.
type Desk interface {
	// Place sends one order to 1688, once.
	Place(ctx context.Context, order worker.Order) worker.Answer
	// Preview asks what 1688 would make of an order.
	Preview(ctx context.Context, order worker.Order) worker.Answer
	// Find looks an order up by its reference with the key that would have placed it.
	Find(ctx context.Context, appKey, reference string) worker.Answer
	// Probe calls the platform's currentTime with the key, which proves key, secret and clock.
	Probe(ctx context.Context, appKey string) worker.Answer
	// Check finds out one thing about a key; one that it does not know is not_attempted.
	Check(ctx context.Context, appKey string, what worker.Check) worker.Answer
	// Authorize begins the authorization of a key, or ends it with a code.
	Authorize(ctx context.Context, a worker.Authorization) worker.Answer
	// Detail shows one order as it is now, by 1688's order id.
	Detail(ctx context.Context, appKey, orderID string) worker.Answer
	// List shows a page of the orders that a buyer made between two moments.
	List(ctx context.Context, leaf worker.Leaf) worker.Answer
	// Pay asks for the money for an order, once.
	Pay(ctx context.Context, charge worker.Charge) worker.Answer
	// CancelOrder closes one order at 1688, by its order id.
	CancelOrder(ctx context.Context, appKey, orderID string) worker.Answer
	// PayLink gives an address where a person pays for orders of one key by hand.
	PayLink(ctx context.Context, appKey string, orderIDs []string) worker.Answer
}

// ServerConfig says how a relay serves its workers.
type ServerConfig struct {
	Token string // bearer token that workers must bring; "" lets nobody in
	Open  bool   // lets everybody in without a token: on a loopback whose every program may order
	Desk  Desk
	// Follow is told that work on an ask begins, by its operation, and gives the context to do it under; what it returns is told
	// the answer. May be nil.
	Follow      func(ctx context.Context, op string) (context.Context, func(worker.Answer))
	Instance    string        // names this relay among others: letters, digits, "_" and "-"; default a random one
	MaxInFlight int           // asks in work at once over all workers; more are answered throttled; default 1024
	MaxAsk      time.Duration // the longest any ask may run, whatever its deadline; default 1 minute
	PingEvery   time.Duration // a dead connection is noticed within two of these; default 10 s
	Log         zerolog.Logger
}

// Server is the relay's end of the channel: an http.Handler for the path /channel. It is safe for use by many goroutines.
type Server struct {
	cfg      ServerConfig
	token    [sha256.Size]byte
	upgrader websocket.Upgrader
	start    time.Time       // origin of the relay's clock: it counts up steadily whatever is done to the machine's
	ctx      context.Context // of every ask and connection
	stop     context.CancelCauseFunc
	seats    chan struct{} // one for each ask in work
	lastPush atomic.Uint64

	mu       sync.Mutex
	desks    []*session
	next     int // whose turn it is to get a push
	draining bool
	asks     sync.WaitGroup
	sessions sync.WaitGroup
}

// NewServer makes a server without connections. It starts no goroutine.
func NewServer(cfg ServerConfig) *Server {
	cfg.Instance = cmp.Or(cfg.Instance, strings.ToLower(rand.Text())[:12])
	cfg.MaxInFlight = orDefault(cfg.MaxInFlight, 1024)
	cfg.MaxAsk = orDefault(cfg.MaxAsk, time.Minute)
	cfg.PingEvery = orDefault(cfg.PingEvery, 10*time.Second)
	if cfg.Follow == nil {
		cfg.Follow = func(ctx context.Context, _ string) (context.Context, func(worker.Answer)) {
			return ctx, func(worker.Answer) {}
		}
	}
	s := &Server{cfg: cfg, token: sha256.Sum256([]byte(cfg.Token)), start: time.Now(), seats: make(chan struct{}, cfg.MaxInFlight)}
	s.ctx, s.stop = context.WithCancelCause(context.Background())
	s.upgrader = websocket.Upgrader{
		Subprotocols:    []string{Subprotocol},
		ReadBufferSize:  socketBuffer,
		WriteBufferSize: socketBuffer,
		Error: func(w http.ResponseWriter, _ *http.Request, status int, _ error) {
			refuse(w, status, "bad_handshake", "this is a websocket for workers")
		},
	}
	return s
}

// ServeHTTP checks the handshake and serves one worker until its connection ends.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch {
	case !s.authorized(r):
		w.Header().Set("WWW-Authenticate", "Bearer")
		refuse(w, http.StatusUnauthorized, "unauthorized", "the bearer token is missing or wrong")
		return
	case !offers(r, Subprotocol):
		refuse(w, http.StatusBadRequest, "unsupported_protocol", "Sec-WebSocket-Protocol must offer "+Subprotocol)
		return
	case !s.enter():
		refuse(w, http.StatusServiceUnavailable, "going_away", "the relay is going down")
		return
	}
	defer s.sessions.Done()
	tcp := &socket{}
	ws, err := s.upgrader.Upgrade(&hijacking{w, tcp}, r, nil)
	if err != nil {
		return // the upgrader has answered
	}
	s.serve(ws, tcp)
}

func (s *Server) serve(ws *websocket.Conn, tcp *socket) {
	desk := newSession(s, ws, tcp)
	desk.greet()
	s.list(desk)
	s.cfg.Log.Debug().Str("worker", ws.RemoteAddr().String()).Msg("worker connected")
	cause := desk.run(desk.handle)
	s.unlist(desk)
	level := zerolog.InfoLevel // orders it had under way are looked up by whoever takes its requests over
	if usual(cause) {
		level = zerolog.DebugLevel
	}
	s.cfg.Log.WithLevel(level).Str("worker", ws.RemoteAddr().String()).Str("why", cause.Error()).Msg("worker gone")
}

// authorized lets in who brings the token. It compares digests, so that neither the token's content nor its length shows in the time taken.
func (s *Server) authorized(r *http.Request) bool {
	if s.cfg.Open {
		return true
	}
	scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	given := sha256.Sum256([]byte(token))
	return subtle.ConstantTimeCompare(given[:], s.token[:]) == 1 && s.cfg.Token != "" && strings.EqualFold(scheme, "Bearer")
}

func offers(r *http.Request, protocol string) bool {
	for _, offered := range websocket.Subprotocols(r) {
		if offered == protocol {
			return true
		}
	}
	return false
}

func refuse(w http.ResponseWriter, status int, word, text string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(map[string]string{"error": word, "message": text})
}

// clock is the relay's clock in milliseconds.
func (s *Server) clock() int64 { return s.start.UnixMilli() + time.Since(s.start).Milliseconds() }

// moment turns a reading of the relay's clock into a time.
func (s *Server) moment(clock int64) time.Time {
	return s.start.Add(time.Duration(clock-s.start.UnixMilli()) * time.Millisecond)
}
