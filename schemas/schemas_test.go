package schemas

import (
	"encoding/json"
	"errors"
	"io/fs"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"

	"autopurchase/worker"
)

func TestEverySchemaCompiles(t *testing.T) {
	want := []string{
		"request", "result", "status", "keypool-event", "channel-frame", "dead-letter", "key-add", "key-list", "key-change",
	}
	for _, name := range want {
		if !slices.Contains(Names(), name) {
			t.Errorf("%s is missing", name)
		}
	}
	for _, name := range Names() {
		compile(t, name)
		if id := load(t, name)["$id"]; id != Base+name+suffix {
			t.Errorf("%s calls itself %v", name, id)
		}
	}
}

func TestUnknownSchema(t *testing.T) {
	if _, err := Schema("nothing"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("got %v", err)
	}
}

// Every object is closed, or a map with rules for its names, and every field says what it means.
func TestSchemasAreClosedAndDescribed(t *testing.T) {
	for _, name := range Names() {
		schema := load(t, name)
		defs, _ := schema["$defs"].(map[string]any)
		walk(schema, func(at string, node map[string]any) {
			_, names := node["propertyNames"] // of a map
			if node["type"] == "object" && node["additionalProperties"] != false && !names {
				t.Errorf("%s%s is open", name, at)
			}
			if properties, ok := node["properties"].(map[string]any); ok && node["type"] == "object" {
				for field, about := range properties {
					if !described(about, defs) {
						t.Errorf("%s%s: %s has no description", name, at, field)
					}
				}
			}
		})
	}
}

func described(about any, defs map[string]any) bool {
	node, _ := about.(map[string]any)
	if text, ok := node["description"].(string); ok && text != "" {
		return true
	}
	ref, _ := node["$ref"].(string)
	def, found := defs[strings.TrimPrefix(ref, "#/$defs/")]
	return found && described(def, defs)
}

// The schemas know the same words as the domain.
func TestSchemasHaveTheDomainsWords(t *testing.T) {
	for _, name := range []string{"result", "dead-letter", "channel-frame", "order-list", "orders", "order-life"} {
		same(t, name+" codes", enumOf(t, name, "$defs", "code"), worker.Codes())
	}
	same(t, "steps", enumOf(t, "key-onboard", "properties", "step"), worker.StepNames())
	same(t, "steps", enumOf(t, "key-onboarding", "$defs", "step", "properties", "step"), worker.StepNames())
	for _, name := range []string{"order-list", "orders", "order-life"} {
		same(t, name+" states", enumOf(t, name, "$defs", "state"), worker.LifeStates())
	}
	same(t, "outcomes", enumOf(t, "result", "properties", "outcome"), outcomes)
	same(t, "order states", enumOf(t, "status", "properties", "state"), worker.OrderStates())
	same(t, "order events", enumOf(t, "status", "properties", "event"), worker.OrderEvents())
	same(t, "kinds", enumOf(t, "keypool-event", "properties", "kind"), eventKinds)
}

func same[S ~string](t *testing.T, what string, got []string, words []S) {
	t.Helper()
	want := make([]string, len(words))
	for i, word := range words {
		want[i] = string(word)
	}
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("%s: got %v, want %v", what, got, want)
	}
}

func enumOf(t *testing.T, name string, path ...string) []string {
	t.Helper()
	node := load(t, name)
	for _, step := range path {
		node, _ = node[step].(map[string]any)
	}
	list, _ := node["enum"].([]any)
	var words []string
	for _, word := range list {
		words = append(words, word.(string))
	}
	return words
}

// The tables, the schemas and the JSON tags of the domain name the same fields.
func TestTablesNameTheSchemasFields(t *testing.T) {
	for name, rows := range map[string]map[string]bool{
		"request": rowsOf(requestTable), "result": rowsOf(resultTable), "status": rowsOf(statusTable),
		"keypool-event": rowsOf(eventTable), "dead-letter": rowsOf(deadTable),
	} {
		schema := load(t, name)
		properties, _ := schema["properties"].(map[string]any)
		if got, want := slices.Sorted(maps.Keys(rows)), slices.Sorted(maps.Keys(properties)); !slices.Equal(got, want) {
			t.Errorf("%s: the table has %v, the schema %v", name, got, want)
		}
		needed, _ := schema["required"].([]any)
		for field, need := range rows {
			if slices.Contains(needed, any(field)) != need {
				t.Errorf("%s: table and schema do not agree whether %s is required", name, field)
			}
		}
	}
	for name, domain := range map[string]reflect.Type{
		"status": reflect.TypeFor[worker.Status](), "keypool-event": reflect.TypeFor[worker.PoolEvent](),
	} {
		properties, _ := load(t, name)["properties"].(map[string]any)
		if got, want := tagsOf(domain), slices.Sorted(maps.Keys(properties)); !slices.Equal(got, want) {
			t.Errorf("%s: the domain has %v, the schema %v", name, got, want)
		}
	}
}

func rowsOf[T any](rows table[T]) map[string]bool {
	names := map[string]bool{}
	for _, row := range rows {
		names[row.name] = row.need == required
	}
	return names
}

func tagsOf(domain reflect.Type) []string {
	var tags []string
	for field := range domain.Fields() {
		if tag, _, _ := strings.Cut(field.Tag.Get("json"), ","); tag != "-" {
			tags = append(tags, tag)
		}
	}
	slices.Sort(tags)
	return tags
}

// The domain's own encoding of statuses and pool events is what the decoders read.
func TestDomainTypesAreReadAsMarshalled(t *testing.T) {
	for name, empty := range map[string]any{"status": new(worker.Status), "keypool-event": new(worker.PoolEvent)} {
		schema := compile(t, name)
		for file, body := range examples(t, "valid", name) {
			if err := json.Unmarshal(body, empty); err != nil {
				t.Fatal(err)
			}
			text, err := json.Marshal(empty)
			if err != nil {
				t.Fatal(err)
			}
			if err := validate(schema, text); err != nil {
				t.Errorf("%s: %v", file, err)
			}
			if err := decoders[name](text); err != nil {
				t.Errorf("%s: %v", file, err)
			}
		}
	}
}

func load(t *testing.T, name string) map[string]any {
	t.Helper()
	text, err := Schema(name)
	if err != nil {
		t.Fatal(err)
	}
	var schema map[string]any
	if err := json.Unmarshal(text, &schema); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return schema
}

// walk visits every object of a JSON value.
func walk(value any, visit func(at string, node map[string]any)) { walkAt("", value, visit) }

func walkAt(at string, value any, visit func(string, map[string]any)) {
	switch v := value.(type) {
	case map[string]any:
		visit(at, v)
		for name, child := range v {
			walkAt(at+"/"+name, child, visit)
		}
	case []any:
		for _, child := range v {
			walkAt(at+"/-", child, visit)
		}
	}
}
