package workertest

import (
	"maps"
	"os/exec"
	"slices"
	"strings"
	"time"
)

// docker runs a command of the engine's and gives what it prints.
func (c *composed) docker(args ...string) string {
	c.t.Helper()
	return strings.TrimSpace(c.output(exec.CommandContext(c.t.Context(), "docker", args...)))
}

// find learns the containers' ids.
func (c *composed) find() {
	c.t.Helper()
	c.ids = map[string]string{}
	listed := c.docker("ps", "--all", "--no-trunc", "--filter", "label=com.docker.compose.project="+c.project,
		"--format", `{{.Label "com.docker.compose.service"}} {{.ID}}`)
	for line := range strings.Lines(listed) {
		service, id, _ := strings.Cut(strings.TrimSpace(line), " ")
		c.ids[service] = id
	}
}

// inspect gives a fact about every container, by service.
func (c *composed) inspect(format string) map[string]string {
	c.t.Helper()
	services := slices.Sorted(maps.Keys(c.ids))
	args := []string{"inspect", "--format", format}
	for _, service := range services {
		args = append(args, c.ids[service])
	}
	facts := map[string]string{}
	for i, fact := range strings.Split(c.docker(args...), "\n") {
		facts[services[i]] = fact
	}
	return facts
}

// starts says since when each container runs.
func (c *composed) starts() map[string]string {
	c.t.Helper()
	return c.inspect("{{.State.StartedAt}}, restarted {{.RestartCount}} times")
}

func (c *composed) healthy() bool {
	c.t.Helper()
	for _, status := range c.inspect("{{.State.Health.Status}}") {
		if status != "healthy" {
			return false
		}
	}
	return true
}

// kill kills containers. The engine takes that for the operator's wish: no restart policy brings them back, start does.
func (c *composed) kill(services ...string) {
	c.t.Helper()
	c.say("killing %s", strings.Join(services, " and "))
	c.docker(append([]string{"kill"}, c.containers(services)...)...)
}

func (c *composed) start(services ...string) {
	c.t.Helper()
	c.docker(append([]string{"start"}, c.containers(services)...)...)
	c.say("started %s again", strings.Join(services, " and "))
}

func (c *composed) containers(services []string) (ids []string) {
	for _, service := range services {
		ids = append(ids, c.ids[service])
	}
	return ids
}

// await polls what has no event to wait for.
func (c *composed) await(what string, holds func() bool) {
	c.t.Helper()
	limit, again := time.After(clusterPatience), time.NewTicker(250*time.Millisecond)
	defer again.Stop()
	for !holds() {
		select {
		case <-again.C:
		case <-limit:
			c.t.Fatalf("waited %v in vain for %s", clusterPatience, what)
		}
	}
}
