package metrics

import (
	"context"
	"encoding/json"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.yaml.in/yaml/v3"

	"autopurchase/worker"
)

// full is a set with everything in it.
func full() *Set {
	s := New()
	s.Survey(func(context.Context) Survey { return Survey{} })
	s.Vitals(func() worker.Vitals { return worker.Vitals{} }, func() bool { return true })
	s.Tokens(func() []Token { return nil })
	return s
}

var described = regexp.MustCompile(`fqName: "([^"]+)"`)

// known are the names of all metrics, those of a histogram's series included.
func known(t *testing.T) map[string]bool {
	t.Helper()
	s, descs, names := full(), make(chan *prometheus.Desc), map[string]bool{}
	go func() { s.registry.Describe(descs); close(descs) }()
	for d := range descs {
		name := described.FindStringSubmatch(d.String())[1]
		names[name] = true
		if strings.HasSuffix(name, "_duration_seconds") {
			names[name+"_bucket"], names[name+"_count"], names[name+"_sum"] = true, true, true
		}
	}
	families, err := s.registry.Gather()
	must(t, err)
	for _, f := range families { // what a collector does not describe ahead, such as those of Go
		names[f.GetName()] = true
	}
	return names
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

var (
	quoted  = regexp.MustCompile(`"[^"]*"`)
	matcher = regexp.MustCompile(`\{[^}]*\}|\[[^\]]*\]|\b(by|without|on|ignoring) *\([^)]*\)`)
	word    = regexp.MustCompile(`[a-zA-Z_:$][a-zA-Z0-9_:$]*(\s*\()?`)
)

// metricsIn scans an expression for metrics: words that are no function, number or keyword.
func metricsIn(expression string) (names []string) {
	bare := matcher.ReplaceAllString(quoted.ReplaceAllString(expression, `""`), " ")
	for _, w := range word.FindAllString(bare, -1) {
		if !strings.HasSuffix(w, "(") && !slices.Contains([]string{"and", "or", "unless", "by", "without", "bool"}, w) {
			names = append(names, w)
		}
	}
	return names
}

func TestMetricsInAnExpression(t *testing.T) {
	for expression, want := range map[string]string{
		`sum by (code) (rate(a_total{x!="b_total", y="}"}[$__rate_interval])) / 2 > bool c_d`: "a_total c_d",
		`absent(up) or min without(le) (x:y) - time() < 7 * 86400`:                            "up x:y",
	} {
		if got := strings.Join(metricsIn(expression), " "); got != want {
			t.Errorf("%s: %s", expression, got)
		}
	}
}

// checkExpression says what is wrong with an expression: brackets that do not match, or a metric that nobody serves.
func checkExpression(t *testing.T, where, expression string, names, used map[string]bool) {
	t.Helper()
	for _, pair := range []string{"()", "{}", "[]"} {
		if strings.Count(expression, pair[:1]) != strings.Count(expression, pair[1:]) {
			t.Errorf("%s: %s: unbalanced %s", where, expression, pair)
		}
	}
	found := metricsIn(expression)
	if len(found) == 0 {
		t.Errorf("%s: %q names no metric", where, expression)
	}
	for _, name := range found {
		if used[name] = true; !names[name] {
			t.Errorf("%s: there is no metric %s", where, name)
		}
	}
}

// TestAlerts reads the rules as Prometheus does: strictly.
func TestAlerts(t *testing.T) {
	body, err := os.ReadFile("../../docs/alerts.yaml")
	must(t, err)
	var file struct {
		Groups []struct {
			Name  string `yaml:"name"`
			Rules []struct {
				Alert       string            `yaml:"alert"`
				Expr        string            `yaml:"expr"`
				For         string            `yaml:"for"`
				Labels      map[string]string `yaml:"labels"`
				Annotations map[string]string `yaml:"annotations"`
			} `yaml:"rules"`
		} `yaml:"groups"`
	}
	decoder := yaml.NewDecoder(strings.NewReader(string(body)))
	decoder.KnownFields(true)
	must(t, decoder.Decode(&file))
	names, alerts := known(t), map[string]bool{}
	for _, group := range file.Groups {
		for _, rule := range group.Rules {
			checkExpression(t, rule.Alert, rule.Expr, names, map[string]bool{})
			if _, err := time.ParseDuration(rule.For); err != nil && rule.For != "" {
				t.Errorf("%s: for: %v", rule.Alert, err)
			}
			if group.Name == "" || rule.Alert == "" || alerts[rule.Alert] || rule.Annotations["summary"] == "" ||
				rule.Labels["severity"] != "warn" && rule.Labels["severity"] != "page" {
				t.Errorf("not a rule of ours: %+v", rule)
			}
			alerts[rule.Alert] = true
		}
	}
	for _, about := range []string{"NoWorker", "QueueOld", "KeysLow", "Parked", "RelayDown", "DeadLettersGrow", "KeyAuthorizationEnds"} {
		if !alerts["Autopurchase"+about] {
			t.Errorf("nobody is told of %s among %v", about, slices.Sorted(maps.Keys(alerts)))
		}
	}
}

// TestDashboard has every metric of ours on it, and none that is not there.
func TestDashboard(t *testing.T) {
	body, err := os.ReadFile("../../docs/grafana-dashboard.json")
	must(t, err)
	var dashboard struct {
		Title  string `json:"title"`
		Panels []struct {
			ID      int    `json:"id"`
			Title   string `json:"title"`
			Type    string `json:"type"`
			Targets []struct {
				Expr string `json:"expr"`
			} `json:"targets"`
		} `json:"panels"`
	}
	must(t, json.Unmarshal(body, &dashboard))
	names, used, ids := known(t), map[string]bool{}, map[int]bool{}
	for _, panel := range dashboard.Panels {
		if panel.Title == "" || ids[panel.ID] || (panel.Type == "row") != (len(panel.Targets) == 0) {
			t.Errorf("not a panel: %+v", panel)
		}
		ids[panel.ID] = true
		for _, target := range panel.Targets {
			checkExpression(t, panel.Title, target.Expr, names, used)
		}
	}
	elsewhere := map[string]bool{ // what alerts are about
		"autopurchase_key_products_held": true, "autopurchase_key_products_left": true, "autopurchase_pool_products_used": true, "autopurchase_store_reachable": true,
	}
	for name := range names {
		series := strings.HasSuffix(name, "_bucket") || strings.HasSuffix(name, "_sum") || strings.HasSuffix(name, "_count")
		shown := used[name] || used[name+"_bucket"] || elsewhere[name] || series
		if strings.HasPrefix(name, "autopurchase_") && !shown {
			t.Errorf("%s is not on the dashboard", name)
		}
	}
}
