package dashboard

import (
	"net/http"
	"net/url"
	"slices"
	"strings"

	"autopurchase/worker"
)

// stepRow is a step of a key's onboarding and what a person may say about it.
type stepRow struct {
	OnboardingStep
	Links []link
}

// stepWord is what a person may say about a step.
type stepWord struct {
	verdict               worker.StepVerdict
	label, title, explain string
}

var stepWords = []stepWord{
	{worker.StepPassed, "It is done", "Done", "You have done it on 1688, or seen that it is done."},
	{worker.StepWaived, "Go without it", "Go without", "The key may order without it. Say why: whoever asks later is told."},
	{worker.StepOpen, "It is not done", "Not done", "The key is not drawn from before it is done, if it was not ready yet."},
}

// stepRows add the words that make sense. What 1688 itself proves, no person says.
func stepRows(path string, steps []OnboardingStep) (rows []stepRow) {
	for _, s := range steps {
		row := stepRow{OnboardingStep: s}
		for _, word := range stepWords {
			if word.verdict != s.Verdict && (word.verdict != worker.StepPassed || !s.Machine) {
				row.Links = append(row.Links, link{word.label, path + "/onboard?" + url.Values{"step": {s.Step}, "verdict": {string(word.verdict)}}.Encode()})
			}
		}
		rows = append(rows, row)
	}
	return rows
}

func (d *Dashboard) askStep(w http.ResponseWriter, r *http.Request) {
	d.confirmStep(w, r, http.StatusOK, "")
}

func (d *Dashboard) confirmStep(w http.ResponseWriter, r *http.Request, code int, problem string) {
	pool, appKey := r.PathValue("pool"), r.PathValue("key")
	step, known := worker.StepNamed(r.FormValue("step"))
	at := slices.IndexFunc(stepWords, func(s stepWord) bool { return string(s.verdict) == r.FormValue("verdict") })
	if _, err := d.listed(r, pool, appKey); err != nil || !known || at < 0 {
		d.fail(w, r, http.StatusNotFound, "There is no such key, or no such step, or nothing of that name can be said about it.")
		return
	}
	word, path := stepWords[at], keyPath(pool, appKey)
	d.ask(w, r, code, confirmation{
		Title: word.title + ": " + step.Title, Explain: []string{"App key " + appKey + ". " + step.Do, word.explain},
		Action: path + "/onboard", Back: path + "?steps=show", Button: word.label, Problem: problem,
		Hidden: []field{{Name: "step", Value: step.Name}, {Name: "verdict", Value: string(word.verdict)}},
		Fields: []field{whyField(r, word.verdict == worker.StepWaived)},
	})
}

// changeStep takes a person's word.
func (d *Dashboard) changeStep(w http.ResponseWriter, r *http.Request) {
	change := StepChange{Pool: r.PathValue("pool"), AppKey: r.PathValue("key"), Step: r.PostFormValue("step"), Verdict: worker.StepVerdict(r.PostFormValue("verdict")), Signed: signed(r)}
	if change.Verdict == worker.StepWaived && strings.TrimSpace(change.Why) == "" {
		d.confirmStep(w, r, http.StatusUnprocessableEntity, "Why: must be given for going without a step.")
		return
	}
	said, err := d.config.Desk.ChangeStep(r.Context(), change)
	if err != nil {
		d.changed()
		d.confirmStep(w, r, http.StatusUnprocessableEntity, err.Error())
		return
	}
	d.done(w, r, keyPath(change.Pool, change.AppKey)+"?steps=show", said)
}
