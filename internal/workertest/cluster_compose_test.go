package workertest

import (
	"bytes"
	"crypto/rand"
	"fmt"
	"maps"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

// clusterPatience bounds each wait for something that must happen in the containers.
const clusterPatience = 90 * time.Second

// repository is its root, where docker-compose.yml is.
const repository = "../.."

// composed is docker-compose.yml's profile cluster with the simulator, in containers of its own.
type composed struct {
	t       *testing.T
	tool    []string // docker compose, or docker-compose where that is all there is
	project string
	env     []string
	nats    string            // URLs of the servers, on this machine
	admin   string            // URL of the simulator's admin API
	ids     map[string]string // container ids by service
	began   time.Time
}

// compose brings everything up and returns when every container is healthy. All of it goes when the test ends.
func compose(t *testing.T, settings ...string) *composed {
	t.Helper()
	engine(t)
	c := &composed{t: t, tool: composeTool(t), project: "autopurchase-cluster-" + strings.ToLower(rand.Text())[:8], began: time.Now()}
	c.env = slices.Concat(os.Environ(), settings, c.images(), c.publishPorts(), []string{
		"COMPOSE_PROFILES=cluster,sim", "AUTOPURCHASE_CHANNEL_TOKEN=" + rand.Text(), "AUTOPURCHASE_GATEWAY=http://sim:8801",
		"AUTOPURCHASE_MESSAGES=ws://sim:8802/websocket", fmt.Sprintf("APP_USER=%d:%d", os.Getuid(), os.Getgid())})
	c.takenDown()
	c.say("starting %s", c.project)
	c.output(c.command("up", "-d", "--no-build"))
	c.find()
	c.await("every container healthy", c.healthy)
	c.say("all %d containers are healthy", len(c.ids))
	return c
}

// composeTool finds compose in either of its forms.
func composeTool(t *testing.T) []string {
	t.Helper()
	if exec.CommandContext(t.Context(), "docker", "compose", "version").Run() == nil {
		return []string{"docker", "compose"}
	}
	if _, err := exec.LookPath("docker-compose"); err != nil {
		t.Fatal("a container engine answers, but there is neither docker compose nor docker-compose: install one")
	}
	return []string{"docker-compose"}
}

// images makes or finds the images and says which ones they are, as variables.
func (c *composed) images() []string {
	c.t.Helper()
	ensure := exec.CommandContext(c.t.Context(), ".ci/images/ensure", "app")
	ensure.Dir = repository
	return strings.Fields(c.output(ensure))
}

// publishPorts chooses ports that stay the same when a container is started again.
func (c *composed) publishPorts() (settings []string) {
	c.t.Helper()
	var servers []string
	for _, variable := range []string{"NATS_PORT", "NATS_PORT_2", "NATS_PORT_3", "SIM_ADMIN_PORT"} {
		address := freeAddr(c.t)
		_, port, _ := net.SplitHostPort(address)
		settings = append(settings, variable+"="+port)
		servers = append(servers, "nats://"+address)
		c.admin = "http://" + address
	}
	c.nats = strings.Join(servers[:3], ",")
	return settings
}

// takenDown has containers, volumes and network removed when the test ends, even by a signal or a panic: by a process in a
// group of its own that waits until nobody writes to it any more.
func (c *composed) takenDown() {
	c.t.Helper()
	said, err := os.Create(filepath.Join(c.t.TempDir(), "down.log"))
	if err != nil {
		c.t.Fatal(err)
	}
	down := c.command("down", "--volumes", "--timeout", "1").Args
	janitor := exec.Command("sh", append([]string{"-c", `cat; exec "$@"`, "sh"}, down...)...) // it outlives the test
	janitor.Dir, janitor.Env, janitor.Stdout, janitor.Stderr, janitor.SysProcAttr = repository, c.env, said, said, &syscall.SysProcAttr{Setpgid: true}
	until, err := janitor.StdinPipe()
	if err == nil {
		err = janitor.Start()
	}
	if err != nil {
		c.t.Fatal(err)
	}
	c.t.Cleanup(func() {
		c.showLogs()
		_ = until.Close()
		if err := janitor.Wait(); err != nil {
			text, _ := os.ReadFile(said.Name())
			c.t.Errorf("could not take everything down: %v\n%s", err, text)
		}
		_ = said.Close()
	})
}

// showLogs shows the end of each container's log if the test has failed.
func (c *composed) showLogs() {
	if !c.t.Failed() {
		return
	}
	for _, service := range slices.Sorted(maps.Keys(c.ids)) {
		logs, _ := exec.Command("docker", "logs", "--tail", "40", c.ids[service]).CombinedOutput() // the test's context is over
		c.t.Logf("%s:\n%s", service, logs)
	}
}

// command is a command of compose.
func (c *composed) command(args ...string) *exec.Cmd {
	args = slices.Concat(c.tool, []string{"--project-name", c.project}, args)
	command := exec.CommandContext(c.t.Context(), args[0], args[1:]...)
	command.Dir, command.Env = repository, c.env
	return command
}

// output runs a command and gives what it prints.
func (c *composed) output(command *exec.Cmd) string {
	c.t.Helper()
	var complaints bytes.Buffer
	command.Stderr = &complaints
	out, err := command.Output()
	if err != nil {
		c.t.Fatalf("%s: %v\n%s%s", strings.Join(command.Args, " "), err, out, complaints.Bytes())
	}
	return string(out)
}

// say logs what happens, with the seconds since the beginning.
func (c *composed) say(format string, args ...any) {
	c.t.Helper()
	c.t.Logf("%5.1f s  %s", time.Since(c.began).Seconds(), fmt.Sprintf(format, args...))
}
