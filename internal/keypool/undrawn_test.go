package keypool

import (
	"testing"
	"time"

	"autopurchase/worker"
)

// previewed is a draw that says whether it wants a preview first.
func previewed(d worker.Draw, how worker.Previewing) worker.Draw {
	d.Preview = how
	return d
}

// TestADrawAsksForAPreviewFirst where the request or the pool wants one: it names the key and draws nothing. What has a claim is
// never asked about.
func TestADrawAsksForAPreviewFirst(t *testing.T) {
	backends(t, func(t *testing.T, p *Pool) {
		quiet(t, p, "default", 10, 10)
		d := order1("default", "r", 4)
		see := draw(t, p, previewed(d, worker.PreviewAlways))
		if see.Turn != worker.TurnPreview || see.AppKey != "k1" || see.State != "" || see.Above != 0 || see.Resent != 0 {
			t.Fatalf("%+v", see)
		}
		if _, there, err := p.Claim(t.Context(), "default", "r"); there || err != nil {
			t.Errorf("a claim was made: %v", err)
		}
		for setting, above := range map[worker.Fen]worker.Fen{0: 0, 12345: 12345} {
			s := Settings{Count: CountLines, Width: 1, Preview: worker.PreviewAlways}
			if setting > 0 {
				s.Preview, s.PreviewAbove = worker.PreviewAbove, setting
			}
			settings(t, p, "default", s)
			if see := draw(t, p, d); see.Turn != worker.TurnPreview || see.Above != above {
				t.Errorf("%+v", see)
			}
		}
		if _, held := wantBooks(t, p, "default"); held != 0 {
			t.Errorf("%d are held", held)
		}
		claim := draw(t, p, previewed(d, worker.PreviewNever))
		if claim.Turn != worker.TurnSend || claim.AppKey != "k1" {
			t.Fatalf("%+v", claim)
		}
		if again := draw(t, p, by(previewed(d, worker.PreviewAlways), "owner-2", 2)); again.Turn != worker.TurnLookUp {
			t.Errorf("what was sent is to be %s", again.Turn)
		}
		if err := p.Unsend(t.Context(), new(worker.Claim{Pool: "default", Reference: "r", Owner: "owner-2", Attempt: 2}), ""); err != nil {
			t.Fatal(err)
		}
		if again := draw(t, p, by(previewed(d, worker.PreviewAlways), "owner-3", 3)); again.Turn != worker.TurnSend {
			t.Errorf("what is drawn is to be %s", again.Turn)
		}
		_, err := p.Draw(t.Context(), new(previewed(order1("default", "large", 11), worker.PreviewAlways)))
		wantCode(t, err, worker.CodeTooLarge)
		draw(t, p, previewed(order1("default", "fills-k2", 10), worker.PreviewNever))
		_, err = p.Draw(t.Context(), new(previewed(order1("default", "none", 7), worker.PreviewAlways)))
		wantCode(t, err, worker.CodeNoKey)
	})
}

// TestAnOlderOrderIsPreviewedAndNotTakenForLost: the pool is younger than the order, and its worker dies after the preview.
func TestAnOlderOrderIsPreviewedAndNotTakenForLost(t *testing.T) {
	backends(t, func(t *testing.T, p *Pool) {
		quiet(t, p, "default", 10)
		d := order1("default", "old", 4)
		d.Published = time.Now().Add(-time.Hour)
		if see := draw(t, p, previewed(d, worker.PreviewAlways)); see.Turn != worker.TurnPreview {
			t.Fatalf("%+v", see)
		}
		next := by(d, "owner-2", 2)
		if see := draw(t, p, previewed(next, worker.PreviewAlways)); see.Turn != worker.TurnPreview {
			t.Fatalf("%+v", see)
		}
		if claim := draw(t, p, previewed(next, worker.PreviewNever)); claim.Turn != worker.TurnSend {
			t.Errorf("%+v", claim)
		}
	})
}

// TestARefusedPreviewStands: whoever comes later finds the first outcome, and nobody orders it.
func TestARefusedPreviewStands(t *testing.T) {
	backends(t, func(t *testing.T, p *Pool) {
		quiet(t, p, "default", 10)
		d := order1("default", "r", 4)
		part := worker.Part{State: refused, Code: worker.CodePriceChanged, Reason: "too dear",
			Failed: []worker.FailedOffer{{OfferID: "1", Code: worker.CodePriceChanged, Reason: "too dear"}}}
		for range 2 {
			claim, err := p.Refuse(t.Context(), d, part)
			if err != nil || claim.State != refused || claim.AppKey != "" || claim.Part.Code != worker.CodePriceChanged || len(claim.Part.Failed) != 1 || claim.Part.At.IsZero() {
				t.Fatalf("%+v %v", claim, err)
			}
			part.Code = worker.CodeOverBudget // the first outcome stands
		}
		if claim := draw(t, p, by(d, "owner-2", 2)); claim.Turn != worker.TurnDone || claim.Part.Code != worker.CodePriceChanged || claim.Part.Reason != "too dear" {
			t.Errorf("%+v", claim)
		}
		other := by(d, "owner-2", 2)
		other.Fingerprint = "other"
		_, err := p.Refuse(t.Context(), other, part)
		wantCode(t, err, worker.CodeConflict)
		draw(t, p, order1("default", "sent", 3))
		_, err = p.Refuse(t.Context(), by(order1("default", "sent", 3), "owner-2", 2), part)
		wantCode(t, err, worker.CodeFenced)
		if _, held := wantBooks(t, p, "default"); held != 3 {
			t.Errorf("%d are held", held)
		}
	})
}

// TestAPreviewsKeyIsBenched as one is whose order was turned down.
func TestAPreviewsKeyIsBenched(t *testing.T) {
	backends(t, func(t *testing.T, p *Pool) {
		quiet(t, p, "default", 10, 10)
		for range 2 {
			if err := p.Leave(t.Context(), order1("default", "a", 1), "k1", worker.CodeUnauthorized); err != nil {
				t.Fatal(err)
			}
		}
		if err := p.Leave(t.Context(), order1("default", "b", 1), "k9", worker.CodeKeyUnknown); err != nil {
			t.Fatal(err)
		}
		wantKey(t, p, "default", "k1", StateBenched, 0, 0)
		wantKey(t, p, "default", "k2", StateActive, 0, 0)
		if see := draw(t, p, previewed(order1("default", "r", 1), worker.PreviewAlways)); see.AppKey != "k2" {
			t.Errorf("%+v", see)
		}
	})
}
