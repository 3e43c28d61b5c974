# The only door: people and CI come in here. `make help` lists the targets.

SHELL         := bash
.SHELLFLAGS   := -euo pipefail -c
.DEFAULT_GOAL := help

# What the caller may set:
ARGS     ?=
PACKAGES ?= ./...
TIMEOUT  ?= 15m
ORDERS   ?= 2000
FAULTS   ?= 200
SEED     ?=

BINARY  := bin/autopurchase
# How the program is built that is used. grpcnotrace: else grpc, which traces go out with, brings pages that execute html/template,
# for which the linker keeps every method (see .ci/unused-methods). The Dockerfile, .ci/images/ensure and the tests build it so too, and what
# is linted is compiled so: all share what was compiled once.
PRODUCT := -tags=grpcnotrace -trimpath
LINT    := go tool -modfile=.ci/tools/go.mod golangci-lint

.PHONY: help build demo test chaos lint bench bench-peers bench-growth images compose-demo compose-cluster clean needs-race needs-redis needs-browser

help: ## list the targets
	@sed -nE 's/^([a-z-]+):.*## (.*)/\1\t\2/p' Makefile | expand -t 16

build: ## build the program, a static binary, as bin/autopurchase
	CGO_ENABLED=0 go build $(PRODUCT) -o $(BINARY) ./cmd/autopurchase

demo: build ## run the main job against the simulator: make demo ARGS="--requests 2000"
	@$(BINARY) demo $(ARGS)

test: needs-race needs-redis needs-browser images ## run every test with the race detector: make test PACKAGES=./worker/...
	@# make lint has vetted it all
	go test -race -vet off -p 1 -timeout $(TIMEOUT) $(PACKAGES)
	$(if $(filter ./...,$(PACKAGES)),cd bench && go test -race -vet off -timeout $(TIMEOUT) ./...)

chaos: build needs-redis ## break the whole system on purpose: make chaos ORDERS=10000 FAULTS=1000 SEED=7 ARGS="-keep"
	@go run ./cmd/chaos -binary $(BINARY) -orders $(ORDERS) -faults $(FAULTS) $(if $(SEED),-seed $(SEED)) $(ARGS)

lint: export CGO_ENABLED := 0
lint: export GOFLAGS := $(PRODUCT)
lint: ## check format, go vet, golangci-lint (built on its first use), and that no dependency makes the binary keep what nobody calls
	@unformatted=$$("$$(go env GOROOT)/bin/gofmt" -l $$(git ls-files -co --exclude-standard '*.go')); \
	 [[ -z $$unformatted ]] || { echo "gofmt these:"; echo "$$unformatted"; exit 1; }
	go vet ./...
	cd bench && go vet ./...
	$(LINT) run ./...
	.ci/unused-methods $(PRODUCT)

bench: build needs-redis ## measure this machine against a bare loop doing the same I/O: make bench ARGS="-bench Durable -pairs 9"
	go test -run '^$$' -bench . -benchtime 1x -timeout 1h ./internal/benchmark $(ARGS)

bench-peers: needs-redis ## measure the worker beside asynq and Watermill doing the same job: make bench-peers ARGS="-pairs 9 -json"
	cd bench && go test -run '^$$' -bench . -benchtime 1x -timeout $(TIMEOUT) . -args $(ARGS)

bench-growth: build needs-redis ## compare purchases where up to a million claims and requests are stored: make bench-growth ARGS="-growth.stored 100000"
	go test -run '^$$' -bench Growth -benchtime 1x -timeout $(TIMEOUT) ./internal/benchmark -growth.stored 1000000 -profiles $(CURDIR)/bin/profiles $(ARGS)

images: ## get the images of the container tests, or build stand-ins where none can be pulled
	@if docker info >/dev/null 2>&1; then .ci/images/ensure >/dev/null; \
	 elif [[ $${REQUIRE_DOCKER:-} == 1 ]]; then echo "missing: a docker engine, which REQUIRE_DOCKER=1 asks for"; exit 1; \
	 else echo "no docker engine answers: container tests are skipped, the same suites run on local processes"; fi

compose-demo: ## bring docker-compose.yml up with the simulator, buy, check the books, take it down
	@.ci/compose-demo

compose-cluster: ## bring its profile cluster up, lose a server of each kind under load, check the books, take it down
	REQUIRE_DOCKER=1 go test -count 1 -v -run TestClusterLosesItsParts -timeout $(TIMEOUT) ./internal/workertest

clean: ## remove what was built, stand-in images too
	rm -rf bin
	@! docker info >/dev/null 2>&1 || docker images -q 'autopurchase-standin/*' | sort -u | xargs -r docker rmi -f >/dev/null

needs-race: # the race detector needs a C compiler
	@.ci/need "$$(go env CC)" gcc libc6-dev

needs-redis:
	@.ci/need redis-server redis-server

needs-browser: # the dashboard is tested in a headless one
	@.ci/need chromium chromium
