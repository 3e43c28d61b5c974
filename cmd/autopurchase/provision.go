package main

import (
	"errors"
	"fmt"
	"time"

	"github.com/rs/zerolog"
	"github.com/spf13/cobra"

	"autopurchase/internal/bus"
)

// newProvision makes the queue, for a NATS on which workers may not.
func newProvision(term terminal) *cobra.Command {
	var nats natsSettings
	var replicas int
	var ackWait time.Duration
	return command(term, &cobra.Command{
		Use:   "provision",
		Short: "Make the queue's streams and the workers' consumers, or bring them up to date",
		Long: "Makes what a worker makes by itself where it may. Where NATS has users, only the provisioner's may; workers then find all\n" +
			"there. Running it again changes nothing.",
		Example: "  autopurchase provision --nats nats://nats.example.com:4222 --nats-nkey auth/provisioner.nk --replicas 3",
	}, func(s *settings) {
		nats.bindClient(s)
		bindQueue(s, &replicas, &ackWait)
	}, func(cmd *cobra.Command, _ []string) (err error) {
		broker := nats.config("autopurchase-provision", zerolog.Nop())
		broker.Replicas, broker.AckWait = replicas, ackWait
		b, err := bus.Connect(cmd.Context(), broker)
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, b.Close()) }()
		if err := b.Provision(cmd.Context()); err != nil {
			return err
		}
		fmt.Fprintln(term.err, "the queue is there")
		return nil
	})
}

// bindQueue binds what is told of the queue when it is made.
func bindQueue(s *settings, replicas *int, ackWait *time.Duration) {
	s.duration(ackWait, "ack-wait", 0, time.Second, "after how long without a sign of life the broker gives a request to another worker; for all workers, and kept if left out (30s in a new queue)")
	s.number(replicas, "replicas", 0, 1, 5, "on how many servers of a NATS cluster each message is stored: 1, 3 or 5; kept if left out (1 in a new queue)")
}
