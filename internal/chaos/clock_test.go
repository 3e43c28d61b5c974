package chaos

import (
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"autopurchase/internal/alibaba"
	"autopurchase/internal/sim1688"
)

func TestAClockIsSetForTheLengthOfItsFault(t *testing.T) {
	for target, want := range map[uint64]time.Duration{
		1: time.Second, 0: -time.Second, 120: -61 * time.Second, 121: 61 * time.Second,
		599: farthest, 598: -farthest, 600: -time.Second,
	} {
		synctest.Test(t, func(t *testing.T) {
			v := &villain{system: &system{}, victims: map[any]*sync.Mutex{}}
			var running sync.WaitGroup
			running.Go(func() {
				if err := v.inflict(t.Context(), fault{Kind: simClock, Target: target, For: time.Minute}); err != nil {
					t.Error(err)
				}
			})
			synctest.Wait()
			if got := time.Until(v.clock.now()).Round(time.Millisecond); got != want {
				t.Errorf("target %d: the clock is %v ahead, want %v", target, got, want)
			}
			running.Wait()
			if got := time.Until(v.clock.now()).Round(time.Millisecond); got != 0 {
				t.Errorf("target %d: the clock stays %v ahead", target, got)
			}
		})
	}
}

// TestTheSimulatorGoesByTheClockThatIsSet: a token that was just issued is at its end when the clock has jumped over its life.
func TestTheSimulatorGoesByTheClockThatIsSet(t *testing.T) {
	key := sim1688.Key{AppKey: "7000001", Secret: "secret", RefreshToken: "refresh"}
	s := &system{keys: []sim1688.Key{key}}
	if err := s.startSim(t.Context()); err != nil {
		t.Fatal(err)
	}
	defer s.sim.Close()
	client, err := alibaba.NewClient(alibaba.Config{Gateway: s.sim.GatewayURL()})
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	cred := alibaba.Credentials{AppKey: key.AppKey, Secret: key.Secret}
	token, err := client.Refresh(t.Context(), cred, key.RefreshToken)
	if err != nil {
		t.Fatal(err)
	}
	cred.AccessToken = token.AccessToken
	for ahead, rejected := range map[time.Duration]bool{0: false, tokenLife - time.Minute: false, tokenLife + time.Minute: true, -farthest: false} {
		s.clock.set(ahead)
		if reply := client.Find(t.Context(), cred, "a.1"); reply.TokenRejected != rejected {
			t.Errorf("%v ahead: %+v", ahead, reply)
		}
	}
}
