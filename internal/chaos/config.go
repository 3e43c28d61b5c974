package chaos

import (
	"errors"
	"fmt"
	"io"
	"time"
)

// Config says what to run. Binary and Dir are required.
type Config struct {
	Binary   string        // the built program
	Dir      string        // of data and logs; it is not removed
	Orders   int           // purchase requests to publish, at least 20
	Faults   int           // faults to inject
	Seed     uint64        // of the plan and of the requests
	Workers  int           // processes; default 4
	Relays   int           // processes; default 2
	AtOnce   int           // faults at the same time; default 4
	Kinds    []Kind        // faults to choose from; default all
	Timeout  time.Duration // after which it is judged as it is; default 30 min
	Progress io.Writer     // a line now and then; default nowhere
}

func (c Config) withDefaults() Config {
	setDefault(&c.Workers, 4)
	setDefault(&c.Relays, 2)
	setDefault(&c.AtOnce, 4)
	setDefault(&c.Timeout, 30*time.Minute)
	if len(c.Kinds) == 0 {
		c.Kinds = every()
	}
	if c.Progress == nil {
		c.Progress = io.Discard
	}
	return c
}

func setDefault[T comparable](field *T, value T) {
	var zero T
	if *field == zero {
		*field = value
	}
}

func (c Config) validate() error {
	var problems []error
	bad := func(wrong bool, format string, args ...any) {
		if wrong {
			problems = append(problems, fmt.Errorf(format, args...))
		}
	}
	bad(c.Binary == "", "binary: must be given")
	bad(c.Dir == "", "dir: must be given")
	bad(c.Orders < 20, "orders %d: must be at least 20", c.Orders)
	bad(c.Faults < 0, "faults %d: must not be negative", c.Faults)
	bad(c.Workers < 1 || c.Relays < 1 || c.AtOnce < 1, "workers, relays, at-once: must be at least 1")
	for _, kind := range c.Kinds {
		bad(spans[kind] == span{}, "kind %q: is none; see the package's documentation", kind)
	}
	return errors.Join(problems...)
}
