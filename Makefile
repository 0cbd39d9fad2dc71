# Go, git and make are all that is assumed to be there. What else a target needs
# (a PostgreSQL server, the linter) it gets for itself.

.DEFAULT_GOAL := help
# Each module is built and tested as somebody gets it who requires it: without go.work.
export GOWORK := off
BIN     := $(CURDIR)/.bin
TESTPG  := $(BIN)/testpg

# Building the linter takes minutes, so that all clones share one, beside what Go has built:
# a CI that keeps the one keeps the other. The versions are part of the name, so that a new
# one is built and not mistaken.
LINT_VERSION := v2.15.0
LINT_CACHE    = $(shell dirname "$$(go env GOCACHE)")/convostore
LINT          = $(LINT_CACHE)/golangci-lint-$(LINT_VERSION)-$(shell go env GOVERSION)

VULN_VERSION := v1.9.0
VULN         := $(BIN)/govulncheck-$(VULN_VERSION)

APIDIFF_VERSION := v0.0.0-20261113113407-e3970619a1a4
APIDIFF         := $(BIN)/apidiff-$(APIDIFF_VERSION)

FUZZTIME    ?= 20s
BENCHTIME   ?= 1s
TESTTIMEOUT ?= 25m
# Most of what a test on PostgreSQL does is to wait for the server, which makes and drops a
# database for each: as many at once as there are processors leave half of them idle.
PARALLEL    ?= 6
TESTFLAGS   ?=

# mattn's SQLite has full text search (FTS5) only with this tag. The library's own driver
# always has it, and PostgreSQL knows nothing of it.
TAGS := sqlite_fts5

# Nested modules keep the dependencies of adapters, the command, examples, stemmers and the second SQLite
# driver out of the library's go.mod.
NESTED  := $(sort $(patsubst %/,%,$(dir $(wildcard */go.mod adapters/*/go.mod cmd/*/go.mod inbox/*/go.mod examples/*/go.mod examples/*/*/go.mod internal/*/go.mod internal/*/*/go.mod))))
# What the library is measured beside brings hundreds of packages of others along: they
# take longer to compile and to lint than all of the library, and `make bench` runs them.
AGENTS  := internal/peers/agents
MODULES := . $(filter-out $(AGENTS),$(NESTED))

# Only asked when a recipe needs it. Race detection and mattn's SQLite need both.
HAS_CGO = $(shell [ "$$(go env CGO_ENABLED)" = 1 ] && command -v $$(go env CC) >/dev/null 2>&1 && echo yes)
RACE    = $(if $(HAS_CGO),-race $(UNCHECKED))
# -race brings a check of each conversion of a pointer along. SQLite translated from C
# does little else: it takes twice the time with it, and the check is not about races.
UNCHECKED := -gcflags=modernc.org/...=-d=checkptr=0
CGO_MODULES  := internal/mattntest
TEST_MODULES  = $(if $(HAS_CGO),$(MODULES),$(filter-out $(CGO_MODULES),$(MODULES)))

# Stamping fails in a checkout that belongs to another user, and is of no use in a tool.
GO_BUILD := go build -buildvcs=false

.PHONY: help
help: ## print this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' Makefile

.PHONY: test
test: $(TESTPG) ## test every module on SQLite and on a throw-away PostgreSQL; the contract with the race detector
	@$(if $(HAS_CGO),:,echo "make: no C compiler (or CGO_ENABLED=0): testing without -race and without $(CGO_MODULES)")
	@$(TESTPG) -- $(MAKE) --no-print-directory --keep-going $(TEST_MODULES:%=test-module/%) $(if $(HAS_CGO),test-unraced)

# The race detector is for what runs at once. It makes SQLite translated to Go ten times slower,
# so that tests with one caller run without it: all of these packages, but for tests that are
# named for what is beside them, and the parts of the contract that skip themselves.
UNRACED := ./conversation ./internal/engine ./internal/engine/embeddings ./internal/engine/maintenance ./internal/engine/search ./internal/searchtest ./internal/segment ./internal/substring ./internal/upgradetest ./migrate ./store ./transfer
RACED   := Beside|Goroutines|Linear|Replica|OthersWrite|EmbeddedOnce|WaitsForOthers|WhileEmbedding
MODULE  := $(shell sed -n 's/^module //p' go.mod)
RACED_PACKAGES = $(if $(RACE),$$(go list ./... | grep -v -x -F $(UNRACED:./%=-e $(MODULE)/%)),./...)
GO_TEST = go test -parallel $(PARALLEL) -shuffle=on -timeout $(TESTTIMEOUT) -tags $(TAGS) $(TESTFLAGS)

# What the detector slows down, and the other ways to open a database.
.PHONY: test-unraced
test-unraced:
	$(GO_TEST) $(UNRACED)
	$(GO_TEST) $(RACE) -run '$(RACED)' $(filter-out ./migrate,$(UNRACED))
	cd inbox && $(GO_TEST) $(RACE) -run 'Events|Presence|Streamed|OneWins' .
	$(GO_TEST) -run '^(TestModes|TestHostTransactions|TestOpen)$$' -skip '^TestOpen$$/^(CRUD|Transactions|Concurrency|Streams|Tail)$$' ./store/postgres
	$(GO_TEST) -run '^(TestModes|TestHostTransactions|TestFile)$$' -skip '^TestFile$$/^(Transactions|Concurrency)$$' ./store/sqlite

test-module/%:
	cd $* && $(GO_TEST) $(RACE) $(RACED_PACKAGES)

# Its SQLite is in C, which the race detector does not see into, and the rest is the same as
# in the library's own tests.
test-module/$(CGO_MODULES): RACE =
# SQLite translated to Go takes minutes under it, and the rest is the same here too.
test-module/internal/ncrucestest: RACE =
# What could race is the server, which is another process, and is tested in the library's module.
test-module/examples/chat/browser test-module/inbox/browser: RACE =
# SQLite translated to Go takes minutes under it. What runs at once in the inbox is tested with it apart.
test-module/cmd/convostore test-module/inbox: RACE =
# Hundreds of packages of others would be compiled once more for it.
test-module/adapters/a2a test-module/adapters/adk test-module/adapters/eino test-module/adapters/genkit test-module/adapters/langchaingo test-module/adapters/trpc test-module/internal/payloadtest: RACE =

# What `make test` does in a small size: comparisons with plain Go, crash loops,
# histories that are checked to be linearizable, power cuts, replicas, and the parts of the
# contract that `make test` leaves out of the other ways to open a database. Most of the time is
# spent in those answers worked out once more, which is no matter of races.
FULL := ^(TestModes|TestReports|TestReplicas|TestCrash.*|TestLinear.*|TestPowerCuts.*)$$|^(TestOpen|TestFile)$$/^(Search|Concurrency)$$

.PHONY: test-full
test-full: $(TESTPG) ## run what `make test` runs in a small size in full, without the race detector
	CONVOSTORE_TEST_FULL=1 $(TESTPG) -- $(GO_TEST) -run '$(FULL)' \
		./internal/engine/... ./internal/faulttest/... ./store/postgres ./store/sqlite

.PHONY: test-short
test-short: ## test the library without PostgreSQL, in short mode (under a minute)
	CONVOSTORE_TEST_POSTGRES= CONVOSTORE_TEST_REQUIRE= go test -short -shuffle=on -tags $(TAGS) $(TESTFLAGS) ./...

# The packages with statements of PostgreSQL's, and with tests that start servers of their own.
POSTGRES := ./internal/pgtest/... ./internal/dialect ./conversation ./store ./migrate ./internal/engine/... ./store/postgres

.PHONY: test-postgres
test-postgres: $(TESTPG) ## before a release: the tests that ask PostgreSQL, on another version of it (VERSION=17; on Debian 17 and 18)
	@$(TESTPG) -version $(or $(VERSION),$(error VERSION of PostgreSQL is missing: make test-postgres VERSION=17)) -- \
		go test -parallel $(PARALLEL) -shuffle=on -timeout $(TESTTIMEOUT) -tags $(TAGS) $(TESTFLAGS) $(POSTGRES)

# Empty for all sections. A section is some tables of docs/performance.md or docs/scale.md:
# hot, import, walk, peers, sizes, scale.
ONLY    ?=
PROFILE ?= now
CASES   ?=
SIDE    ?=

.PHONY: bench
bench: $(TESTPG) ## measure and write docs/performance.md, docs/scale.md, docs/bench/ (an hour or more; ONLY="hot peers" for some)
	CONVOSTORE_BENCH_FIGURES=1 CONVOSTORE_BENCH_ONLY="$(ONLY)" $(TESTPG) -durable -- \
		go test -run '^TestFigures$$' -timeout 240m -v -tags $(TAGS) $(TESTFLAGS) ./internal/bench/ -update

.PHONY: bench-go
bench-go: $(TESTPG) ## run the pairs as Go benchmarks, on a PostgreSQL that syncs as in production
	$(TESTPG) -durable -- go test -run '^$$' -bench . -benchmem -benchtime $(BENCHTIME) -timeout 60m -tags $(TAGS) $(TESTFLAGS) ./internal/bench/...

.PHONY: bench-profile
bench-profile: $(TESTPG) ## write where time and allocations go to docs/bench/ (PROFILE=before CASES="Append Last50" SIDE=hand-written)
	CONVOSTORE_BENCH_PROFILE="$(PROFILE)" CONVOSTORE_BENCH_CASES="$(CASES)" CONVOSTORE_BENCH_SIDE="$(SIDE)" $(TESTPG) -durable -- \
		go test -run '^TestProfile$$' -timeout 30m -v -tags $(TAGS) $(TESTFLAGS) ./internal/bench/

.PHONY: bench-plans
bench-plans: $(TESTPG) ## load a large data set and check the plans of all queries (up to an hour)
	CONVOSTORE_TEST_PLANS=1 $(TESTPG) -- go test -run Plans -v -timeout 60m -tags $(TAGS) $(TESTFLAGS) ./internal/bench/...

.PHONY: bench-search
bench-search: $(TESTPG) ## measure search at 200,000 messages and write docs/search.md (an hour or more)
	CONVOSTORE_BENCH_SEARCH=1 $(TESTPG) -durable -- go test -run 'TestSearchFigures|TestWordFigures' -timeout 180m -v -tags $(TAGS) $(TESTFLAGS) ./internal/bench/ -update

.PHONY: bench-reports
bench-reports: $(TESTPG) ## measure reports at a million messages and write docs/reports.md (half an hour or more)
	CONVOSTORE_BENCH_REPORTS=1 $(TESTPG) -durable -- go test -run TestReportFigures -timeout 120m -v -tags $(TAGS) $(TESTFLAGS) ./internal/bench/ -update

.PHONY: test-agents
test-agents: $(TESTPG) ## test and lint what the library is measured beside (some minutes to compile)
	$(TESTPG) -- $(MAKE) --no-print-directory test-module/$(AGENTS) lint-module/$(AGENTS) RACE=

.PHONY: fuzz
fuzz: $(TESTPG) ## run each fuzz target for FUZZTIME (20s)
	@$(TESTPG) -- $(MAKE) --no-print-directory fuzz-targets

.PHONY: fuzz-targets
fuzz-targets:
	@grep -rHo '^func Fuzz[A-Za-z0-9_]*' --include='*_test.go' . | sed 's/:func / /' | sort | \
	while read -r file name; do \
		echo "$$name in $$file"; \
		(cd "$$(dirname "$$file")" && go test -tags $(TAGS) -run '^$$' -fuzz "^$$name\$$" -fuzztime $(FUZZTIME) .) || exit 1; \
	done

.PHONY: examples
examples: ## build and vet each example
	@for dir in examples/*/; do \
		[ -d "$$dir" ] || continue; \
		echo "$$dir"; \
		(cd "$$dir" && go vet ./... && $(GO_BUILD) -o /dev/null ./...) || exit 1; \
	done

.PHONY: lint
lint: $(MODULES:%=lint-module/%) ## check every module with golangci-lint

lint-module/%: linter
	cd $* && $(LINT) run --build-tags $(TAGS)

# The database of vulnerabilities is made of the newest version of its module, so that
# nothing but the module proxy is asked. It is kept until there is a newer one; without a
# network the newest that is there serves. The standard library is that of the toolchain which
# go.mod names: an older one at hand has faults that are mended since. Of the traces to one
# fault the first three are enough to find it.
.PHONY: vuln
vuln: export GOTOOLCHAIN = $(shell sed -n 's/^toolchain //p' go.mod)
vuln: $(VULN) ## look for known vulnerabilities in every module's code (a minute for a new database)
	@mkdir -p $(BIN); \
	version=$$(GOFLAGS=-mod=mod go mod download -json golang.org/x/vulndb@latest | tee $(BIN)/vulndb.json | sed -n 's/^\t"Version": "\(.*\)",$$/\1/p'); \
	dir=$$(sed -n 's/^\t"Dir": "\(.*\)",$$/\1/p' $(BIN)/vulndb.json); \
	db=$(BIN)/vulndb-$$version; \
	if [ -z "$$version" ] || [ -z "$$dir" ]; then \
		db=$$(ls -d $(BIN)/vulndb-v*/ 2>/dev/null | tail -1); \
		[ -n "$$db" ] || { echo "make: no database of vulnerabilities is here, and the module golang.org/x/vulndb cannot be had, so nothing was looked at:"; \
			sed -n 's/^\t"Error": /  /p' $(BIN)/vulndb.json; exit 1; }; \
		db=$${db%/}; echo "make: no newer database can be had than $$db"; \
	elif [ ! -d "$$db" ]; then \
		rm -rf $(BIN)/vulndb-*; \
		go run golang.org/x/vulndb/cmd/indexdb@$$version -vulns "$$dir/data/osv" -out "$$db.part" && mv "$$db.part" "$$db" || exit 1; \
	fi; \
	failed=; for dir in $(MODULES); do \
		echo "$$dir"; (cd "$$dir" && $(VULN) -db "file://$$db" -tags $(TAGS) ./...) >$(BIN)/vuln.txt || failed="$$failed $$dir"; \
		sed -E '/^ +#([4-9]|[0-9]{2,}): /d' $(BIN)/vuln.txt; \
	done; [ -z "$$failed" ] || { echo "make: code that is known to be vulnerable is called in$$failed"; exit 1; }

# What no test of the code looks at. Each part can be run alone.
.PHONY: release-check
release-check: release-api release-modules release-licences release-tidy release-commands vuln ## before a tag: API against the last tag, modules, licences, tidy, commands of documents, vulnerabilities

# Before 1.0 a minor version may break, and says so: BREAKING=yes.
BREAKING ?=

.PHONY: release-api
release-api: $(APIDIFF)
	@set -e; tag=$$(git describe --tags --abbrev=0 --match 'v[0-9]*' 2>/dev/null) || { echo "make: there is no tag yet that the API could be compared with"; exit 0; }; \
	old=$$(mktemp -d); trap 'rm -rf -- "$$old"' EXIT; mkdir "$$old/src"; \
	git archive "$$tag" | tar -x -C "$$old/src"; \
	(cd "$$old/src" && $(APIDIFF) -m -w "$$old/api" $(MODULE) 2>/dev/null); \
	echo "make: the API since $$tag:"; $(APIDIFF) -m "$$old/api" $(MODULE) 2>/dev/null; \
	broken=$$($(APIDIFF) -m -incompatible "$$old/api" $(MODULE) 2>/dev/null); \
	if [ -n "$$broken" ] && [ "$(BREAKING)" != yes ]; then echo "make: hosts must change their code: say so in CHANGELOG.md, and make release-check BREAKING=yes"; exit 1; fi

.PHONY: release-modules
release-modules:
	@cd internal/release && GOWORK=off go run . modules ../..

.PHONY: release-licences
release-licences:
	@cd internal/release && GOWORK=off go run . licences ../..

.PHONY: release-tidy
release-tidy:
	@failed=; for dir in . $(NESTED); do (cd "$$dir" && GOWORK=off go mod tidy -diff) || { echo "make: $$dir is not tidy"; failed=1; }; done; [ -z "$$failed" ]

.PHONY: release-commands
release-commands:
	go test -count=1 -tags $(TAGS) -run 'TestCommandsOfDocuments|TestDocuments|TestLinks|TestThreatModel' .

.PHONY: fmt
fmt: linter ## format every module
	@for dir in $(MODULES); do (cd "$$dir" && $(LINT) fmt) || exit 1; done

.PHONY: clean
clean: ## remove the tools that were built here (the linter is shared and stays)
	rm -rf $(BIN)

# Always asked to be built: go knows better than make whether it is up to date.
.PHONY: $(TESTPG)
$(TESTPG):
	@$(GO_BUILD) -o $@ ./internal/cmd/testpg

$(APIDIFF):
	@mkdir -p $(BIN)
	GOBIN=$(BIN) go install golang.org/x/exp/cmd/apidiff@$(APIDIFF_VERSION)
	@mv $(BIN)/apidiff $@

$(VULN):
	@mkdir -p $(BIN)
	GOBIN=$(BIN) go install golang.org/x/vuln/cmd/govulncheck@$(VULN_VERSION)
	@mv $(BIN)/govulncheck $@

# Moved into place at the end: two clones may build it at once, and one may be interrupted.
.PHONY: linter
linter:
	@set -e; lint="$(LINT)"; [ -x "$$lint" ] && exit; \
	echo "make: building golangci-lint $(LINT_VERSION), once for all clones (some minutes)"; \
	mkdir -p "$(LINT_CACHE)"; new=$$(mktemp -d "$(LINT_CACHE)/new.XXXXXX"); trap 'rm -rf -- "$$new"' EXIT; \
	GOFLAGS= GOBIN="$$new" go install github.com/golangci/golangci-lint/v2/cmd/golangci-lint@$(LINT_VERSION); \
	mv -- "$$new/golangci-lint" "$$lint"
