package main

import (
	"context"
	"sync"
	"time"

	"autopurchase/internal/bus"
	"autopurchase/internal/keypool"
	"autopurchase/worker"
)

// platform proves things about a key at 1688, and lets a buyer account authorize it: the order channel.
type platform interface {
	prober
	Check(ctx context.Context, appKey string, what worker.Check) worker.Answer
	Authorize(ctx context.Context, a worker.Authorization) worker.Answer
}

// proveWithin bounds all checks of one key together: whoever asked waits.
const proveWithin = 3500 * time.Millisecond

// onboard takes a person's word on a step, if there is one, lets 1688 prove what is open, and shows how the key stands then. What was
// proven once stays so until a person opens it again: a relay that was started anew has heard no test push.
func (a keyAdmin) onboard(ctx context.Context, q bus.OnboardKey) (bus.Onboarding, error) {
	if q.Step != "" {
		err := a.onRecord(ctx, q.Pool, func() error {
			_, err := a.pool.Step(ctx, q.Pool, q.AppKey, q.Step, q.Verdict, keypool.Change(q.Change))
			return err
		})
		if err != nil {
			return bus.Onboarding{}, err
		}
	}
	info, err := a.pool.Show(ctx, q.Pool, q.AppKey)
	if err != nil {
		return bus.Onboarding{}, err
	}
	items, err := a.checklist(ctx, q.Pool, q.AppKey)
	if err != nil {
		return bus.Onboarding{}, err
	}
	if proven := a.prove(ctx, info, items); len(proven) > 0 {
		if err := a.proved(ctx, info, proven); err != nil {
			return bus.Onboarding{}, err
		}
		if info, err = a.pool.Show(ctx, q.Pool, q.AppKey); err != nil {
			return bus.Onboarding{}, err
		}
	}
	return onboarding(info, items), nil
}

func (a keyAdmin) checklist(ctx context.Context, pool, appKey string) ([]worker.Item, error) {
	done, err := a.pool.Steps(ctx, pool, appKey)
	return worker.Checklist(done), err
}

// prove checks the open steps that a machine can check, writes into the items how they stand, and gives those that passed.
func (a keyAdmin) prove(ctx context.Context, info keypool.Info, items []worker.Item) (proven []worker.Item) {
	answers := a.checks(ctx, info.AppKey, items)
	now := time.Now().UTC()
	for i, item := range items {
		if item.Verdict != worker.StepOpen || !item.Machine() {
			continue
		}
		items[i].Done = item.Weigh(answers[item.Check], info.Account)
		items[i].At = now
		if items[i].Verdict == worker.StepPassed {
			proven = append(proven, items[i])
		}
	}
	return proven
}

// checks makes each check once, all at the same time.
func (a keyAdmin) checks(ctx context.Context, appKey string, items []worker.Item) map[worker.Check]worker.Answer {
	ctx, cancel := context.WithTimeout(ctx, proveWithin)
	defer cancel()
	answers := map[worker.Check]worker.Answer{}
	var mu sync.Mutex
	var asking sync.WaitGroup
	for _, item := range items {
		if _, asked := answers[item.Check]; asked || item.Verdict != worker.StepOpen || !item.Machine() {
			continue
		}
		mu.Lock()
		answers[item.Check] = worker.Answer{}
		mu.Unlock()
		asking.Go(func() {
			answer := a.market.Check(ctx, appKey, item.Check)
			mu.Lock()
			defer mu.Unlock()
			answers[item.Check] = answer
		})
	}
	asking.Wait()
	return answers
}

// proved puts on record what was proven.
func (a keyAdmin) proved(ctx context.Context, info keypool.Info, proven []worker.Item) error {
	return a.onRecord(ctx, info.Pool, func() error {
		for _, item := range proven {
			c := keypool.Change{By: item.By, Why: item.Why}
			if _, err := a.pool.Step(ctx, info.Pool, info.AppKey, item.Name, item.Verdict, c); err != nil {
				return err
			}
		}
		return nil
	})
}

func onboarding(info keypool.Info, items []worker.Item) bus.Onboarding {
	o := bus.Onboarding{Key: keyInfo(info), Done: worker.Onboarded(items)}
	for _, item := range items {
		o.Steps = append(o.Steps, bus.OnboardingStep{
			Step: item.Name, Title: item.Title, Do: item.Do, Machine: item.Machine(), Verdict: item.Verdict, By: item.By, Why: item.Why, At: item.At,
		})
	}
	return o
}

// authorize hands a step of an authorization to the relay. With a state and no code it only asks how it stands.
func (a keyAdmin) authorize(ctx context.Context, q bus.AuthorizeKey) (bus.Authorization, error) {
	info, err := a.pool.Show(ctx, q.Pool, q.AppKey)
	if err != nil {
		return bus.Authorization{}, err
	}
	var begun *worker.Proof
	if q.State == "" || q.Code != "" {
		answer := a.market.Authorize(ctx, worker.Authorization{
			AppKey: q.AppKey, Account: info.Account, RedirectURI: q.RedirectURI, Code: q.Code, State: q.State,
		})
		if answer.Verdict != worker.Placed {
			return bus.Authorization{}, &worker.Trouble{Code: answer.Code, Reason: answer.Reason}
		}
		begun = answer.Proof
	}
	held := a.market.Check(ctx, q.AppKey, worker.CheckToken)
	stands := bus.Authorization{AppKey: q.AppKey, Authorized: held.Verdict == worker.Placed, Reason: held.Reason, Accounts: []string{}}
	if begun != nil {
		stands.Address, stands.State = begun.Address, begun.State
	}
	if proof := held.Proof; proof != nil {
		stands.Accounts = append(stands.Accounts, proof.Accounts...)
		stands.Fingerprint, stands.EndsAt, stands.AlarmDays = proof.Fingerprint, proof.EndsAt(), proof.Alarm
	}
	return stands, nil
}
