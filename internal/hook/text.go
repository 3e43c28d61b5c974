package hook

import (
	"fmt"

	"autopurchase/worker"
)

// Text says in one line what happened and what it asks of a person.
func Text(e worker.PoolEvent) string {
	return fmt.Sprintf("app key pool %s: %s", e.Pool, happened(e))
}

func happened(e worker.PoolEvent) string {
	switch e.Kind {
	case worker.EventLow:
		return fmt.Sprintf("low, %d products left: prepare a key", e.Left)
	case worker.EventExhausted:
		return "no key has room, purchases wait: add a key"
	case worker.EventSpent:
		return fmt.Sprintf("key %s is spent and no key waits to take over, %d products left: prepare a key", e.AppKey, e.Left)
	case worker.EventBenched:
		return fmt.Sprintf("key %s was taken out of use%s, %d products left", e.AppKey, because(e.Why), e.Left)
	case worker.EventStopped:
		return fmt.Sprintf("key %s was stopped with its account%s, %d products left: a person restores it", e.AppKey, because(e.Why), e.Left)
	case worker.EventEnding:
		return fmt.Sprintf("the authorization of key %s ends%s: authorize it again", e.AppKey, because(e.Why))
	}
	if e.AppKey != "" {
		return fmt.Sprintf("%s, key %s%s", e.Kind, e.AppKey, because(e.Why))
	}
	return string(e.Kind) + because(e.Why)
}

func because(why string) string {
	if why == "" {
		return ""
	}
	return " (" + why + ")"
}
