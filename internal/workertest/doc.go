// Package workertest holds what the tests of several packages share: real servers to run on, fakes, and suites that must
// hold on more than one implementation. Nothing in it is built into the program.
//
// The same suite runs on two stacks, chosen by [ForEachStack]:
//
//	processes   NATS inside the test process, redis-server as a child: always there, and they can be killed and restarted
//	containers  NATS and Redis from images: what an operator runs; needs a container engine
//
// Where something is missing, a test says so in one line:
//
//	redis-server not on the PATH       the test fails; make test installs it
//	no container engine answers        "containers" is skipped, unless REQUIRE_DOCKER=1 asks for a failure
//	the engine is on another machine   the test fails before it starts anything: tests talk to the loopback only
//	an image cannot be had             the test fails; make images builds a stand-in from local parts
//	neither docker compose nor docker-compose, beside an engine    the test of docker-compose.yml's profile cluster fails
//
// Every server listens on a free port of 127.0.0.1, keeps its data in the test's temporary folder and ends with its test.
// A server's methods are for the goroutine that runs the test; its address may be used from any.
package workertest
