# `make demo` and `make test` do all their own set-up; see README.md.

GOLANGCI_LINT   := github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v2.15.0
CONTROLLER_GEN  := sigs.k8s.io/controller-tools/cmd/controller-gen@v0.23.0
CRD_REF_DOCS    := github.com/elastic/crd-ref-docs@v0.3.0
GOTESTSUM       := gotest.tools/gotestsum@v1.13.0

# go test, which shows each skipped test and fails if there was one: what cannot run here must not look as if it had passed.
GO_TEST         := go run $(GOTESTSUM) --format standard-quiet --post-run-command \
	'sh -c "test $$TESTS_SKIPPED -eq 0 || { echo skipped tests: $$TESTS_SKIPPED; exit 1; }"' --

LOCAL_CACHE     := $(or $(KVROCKS_LOCAL_CACHE),$(HOME)/.cache/kvrocks-local)
LOCAL_CONFIG    := /var/lib/kvrocks-local/kubeconfig
FUZZ_RUNS       ?= 100000
KILLS           ?= 10
DOWN_AFTER      ?= 2s

# With KUBECONFIG set, that cluster is used, with the real images; otherwise the local one is brought up.
ifdef KUBECONFIG
KUBECTL         := kubectl
METACONTROLLER  := metacontroller/install
else
KUBECTL         := $(LOCAL_CACHE)/bin/kubectl --kubeconfig $(LOCAL_CONFIG)
METACONTROLLER  := local/standin/metacontroller/install
endif

.PHONY: check demo down test build lint generated unit fuzz scenarios smoke bench bench-migration bench-failover bench-moves generate local-up local-down local-status packages programs images install deploy uninstall

## What a contributor runs first: no root, no cluster, nothing installed or written ##

# Format, lint and generated files of the operator, and its tests without real servers and with a tenth of the random lives.
# What it leaves out, and all of local/, runs in `make test`.
check: generated
	go run $(GOLANGCI_LINT) run ./...
	go test -short ./...

## The two commands of the README ##

demo: install
	@KUBECTL="$(KUBECTL)" local/scenarios/demo.sh

test: lint unit fuzz scenarios
	@$(foreach program,METACONTROLLER_BIN KVROCKS_BIN KVROCKS_CONTROLLER_BIN,$(if $($(program)),,echo "not run: the program that $(program) would name; its stand-in was";))

down: local-down

## Build ##

build:
	CGO_ENABLED=0 go build -trimpath -o bin/hook-server ./server/cmd
	CGO_ENABLED=0 go build -trimpath -o bin/sidecar ./sidecar/cmd

# What the types of api/ say in other languages, written into a tree.
generate_into = mkdir -p $(1)/api/v1alpha1 $(1)/manifests/crds $(1)/docs \
	&& go run $(CONTROLLER_GEN) object:headerFile=/dev/null crd:crdVersions=v1 paths=./api/... \
		output:object:dir=$(1)/api/v1alpha1 output:crd:dir=$(1)/manifests/crds \
	&& go run $(CRD_REF_DOCS) --source-path=api/v1alpha1 --config=docs/api-reference.yaml --renderer=markdown --output-path=$(1)/docs/api.md

generate:
	$(call generate_into,.)

## Test ##

# Writes nothing into the tree: what would be generated is compared in a folder of its own.
generated:
	@stale=; fresh=$$(mktemp -d); trap 'rm -rf "$$fresh"' EXIT; \
	{ $(call generate_into,"$$fresh"); } >"$$fresh/log" 2>&1 || { cat "$$fresh/log"; exit 1; }; \
	for file in api/v1alpha1/zz_generated.deepcopy.go manifests/crds docs/api.md; do diff -r "$$fresh/$$file" "$$file" || stale=yes; done; \
	test -z "$$stale" || { echo "generated files are out of date: run make generate and commit"; exit 1; }

lint: generated
	go run $(GOLANGCI_LINT) run ./...
	cd local && go run $(GOLANGCI_LINT) run --config ../.golangci.yaml ./...

# Without a KVROCKS_BIN, tests that need a kvrocks take the stand-in; it lies in the tree, or go test would not see it change.
unit: packages programs
	cd local && CGO_ENABLED=0 go build -o ../bin/kvrocks-stand-in ./standin/kvrocks/cmd
	KVROCKS_BIN=$${KVROCKS_BIN:-$(CURDIR)/bin/kvrocks-stand-in} $(GO_TEST) -race -timeout 15m ./...
	cd local && $(GO_TEST) -race -timeout 15m $$(go list ./... | grep -v /scenarios)

# Every fuzz target of the tree, about ten seconds each; their seeds also run in `unit`.
fuzz:
	.ci/fuzz.sh $(FUZZ_RUNS)

# One scenario uninstalls the operator, and with it every instance, so those of the demo go before.
scenarios: install
	$(KUBECTL) delete namespace kvrocks-demo --ignore-not-found
	cd local && $(GO_TEST) -count=1 -timeout 60m -parallel 2 ./scenarios/...

# What tests rely on in the local cluster, and that nothing of it stays: takes the cluster up, through crashes, and down.
smoke:
	cd local && go test -tags smoke -count=1 -v -timeout 20m ./smoke

bench:
	go test -run '^$$' -bench . -benchmem ./...
	go test -run TestLoad -v ./server -args -load 60s

# How fast slots move, next to CLUSTERX MIGRATE by hand.
bench-migration: install
	cd local && go test -run '^$$' -bench Migration -benchtime 1x -timeout 60m ./scenarios

# How long writes stop when a master is lost: KILLS times, with DOWN_AFTER. For a standard instance, for a cluster, and for a
# shard that only kvrocks-controller looks after.
bench-failover: install
	cd local && go test -run '^$$' -bench Failover -benchtime 1x -timeout 60m ./scenarios -args -kills $(KILLS) -down-after $(DOWN_AFTER)

# What clients with default options miss of MOVES planned moves.
MOVES ?= 30
bench-moves: install
	cd local && go test -run '^$$' -bench PlannedMove -benchtime 1x -timeout 90m ./scenarios -args -moves $(MOVES)

## The local cluster ##

local-up:
	@cd local && go run ./kubernetes up

local-down:
	@cd local && go run ./kubernetes down

# Compiles the programs of the cluster; some unit tests run an API server of their own.
programs:
	@cd local && go run ./kubernetes build

local-status:
	@cd local && go run ./kubernetes status

# What tests need of the distribution: redis-server and redis-sentinel, among others.
packages:
	@cd local && go run ./kubernetes packages

images: local-up
	@cd local && go run ./kubernetes images

install: images
	@$(MAKE) --no-print-directory deploy

# The operator on a cluster that has the images.
deploy:
	$(KUBECTL) apply --server-side --force-conflicts -k $(METACONTROLLER)
	$(KUBECTL) apply --server-side --force-conflicts -k manifests
ifndef KUBECONFIG
	@KUBECTL="$(KUBECTL)" local/kubernetes/roll.sh
endif
	$(KUBECTL) -n metacontroller rollout status statefulset/metacontroller --timeout=5m
	$(KUBECTL) -n kvrocks-system rollout status deployment/kvrocks-hooks --timeout=5m
	$(KUBECTL) -n kvrocks-system rollout status deployment/kvrocks-sidecar --timeout=5m

# What is gone already is no error, nor is a CompositeController when its kind is gone.
remove = $(KUBECTL) delete --ignore-not-found -k $(1) || ! $(KUBECTL) get customresourcedefinition compositecontrollers.metacontroller.k8s.io

# In this order, or what is deleted waits for a finalizer that nothing takes off: docs/operations.md. Metacontroller stays when
# something else uses it.
uninstall:
	@left=$$($(KUBECTL) get kvrocks -A --no-headers -o custom-columns=:.metadata.namespace,:.metadata.name 2>/dev/null); \
	test -z "$$left" || { echo "delete these instances first (kubectl delete kvrocks --all -A); if they hang, see \"Uninstalled in another order\" in docs/operations.md:"; echo "$$left"; exit 1; }
	$(call remove,metacontroller)
	$(call remove,manifests)
	@others=$$($(KUBECTL) get compositecontrollers,decoratorcontrollers -o name 2>/dev/null); \
	test -z "$$others" || { echo "Metacontroller stays, because these use it:"; echo "$$others"; exit 0; }; \
	$(call remove,$(METACONTROLLER))
