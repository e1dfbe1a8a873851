# One manifest, one live pipeline. `make help` lists what there is to make.

MANIFEST ?= examples/arcade.yaml
ARGS ?=
RATE ?= 1000
# The scripts run on the Node of node_modules, whatever version installed it.
NODE := node_modules/.bin/node --disable-warning=TimeoutNegativeWarning
CLI := $(NODE) cli/main.ts
# Node keeps what it compiled here, with which our programs start in half of the time.
export NODE_COMPILE_CACHE ?= $(CURDIR)/node_modules/.cache/node
# Fake target whose age says when dependencies were installed.
INSTALLED := node_modules/.package-lock.json

.DEFAULT_GOAL := help
.PHONY: help run kind kind-down images sbom test unit operator sql idle images-test pipeline browser bench bench-freshness bench-operator bench-viewers bench-history check kube-linter fix crds clean-state

help: ## List the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{ printf "  make %-15s %s\n", $$1, $$2 }'

run: $(INSTALLED) ## Run the whole pipeline of MANIFEST (examples/arcade.yaml) on this machine
	@exec $(CLI) run $(MANIFEST) $(ARGS)

kind: ## Go from nothing to a live dashboard on a kind cluster (PORT, WEBHOOK=1)
	@exec tools/kind

kind-down: ## Delete that cluster
	@tools/kind down

images: ## Build the images with docker, podman or buildah (BUILD_FLAGS: flags for it)
	@tools/build-images

sbom: ## Print the npm packages of the app image as a software bill of materials (CycloneDX)
	@tools/sbom

# What often waits, or uses one processor, runs next to others.
test: $(INSTALLED) ## Run the checks and every tier of tests
	@$(MAKE) --no-print-directory --jobs=3 --output-sync=line check unit control-plane
	@$(MAKE) --no-print-directory --jobs=3 --output-sync=line quiet busy

.PHONY: control-plane quiet busy
control-plane: $(INSTALLED)
	@$(NODE) testkit/cluster/build.ts
quiet:
	@$(MAKE) --no-print-directory idle
	@$(MAKE) --no-print-directory images-test
busy: operator sql
	@$(MAKE) --no-print-directory pipeline
	@$(MAKE) --no-print-directory browser

unit: $(INSTALLED) ## Run the unit tests, and hold what they cover of the code
	@npm run --silent test -- --project unit --coverage

operator: $(INSTALLED) ## Run the tests of the operator on a real Kubernetes API server
	@npm run --silent test -- --project operator

sql: $(INSTALLED) ## Run the tests of what Flink plans for the SQL, and of what it refuses
	@npm run --silent test -- --project sql

idle: $(INSTALLED) ## Watch for twelve minutes that the operator does nothing when nothing changes
	@npm run --silent test -- --project idle

images-test: $(INSTALLED) ## Build the images and run their commands, where root has dockerd and debootstrap
	@npm run --silent test -- --project images

pipeline: $(INSTALLED) ## Run the tests on a real Kafka and a real Flink
	@npm run --silent test -- --project pipeline

browser: $(INSTALLED) chromium ## Run the tests of the dashboard in a real Chromium
	@npm run --silent test -- --project browser

bench: $(INSTALLED) ## Measure the job against the demo's queries on the same events (ARGS=--full: all of it)
	@npm run --silent bench -- $(ARGS)

bench-freshness: $(INSTALLED) ## Measure how old an event is on the dashboard, at RATE events/s (1000)
	@npm run --silent bench:freshness -- $(RATE)

bench-operator: $(INSTALLED) ## Measure the operator, up to 1,000 resources
	@$(NODE) bench/operator.ts

bench-viewers: $(INSTALLED) ## Measure how many viewers one core serves
	@npm run --silent bench:viewers

bench-history: $(INSTALLED) ## Measure how quickly a board's history is copied, and written again
	@$(NODE) bench/history.ts

check: $(INSTALLED) ## Check types, style, imports, and for unused code
	@npm run --silent check

kube-linter: ## Look with kube-linter for what is careless in the objects that are rendered
	@tools/kube-linter

fix: $(INSTALLED) ## Format, and fix what the linter can fix
	@npm run --silent fix

crds: $(INSTALLED) ## Print the CRD from api/ into crds/
	@$(CLI) crd > crds/gameanalytics.yaml

clean-state: ## Forget the topics and the job's state of earlier runs
	@rm -rf .gameanalytics

.PHONY: chromium
chromium:
	@command -v chromium chromium-browser google-chrome > /dev/null || tools/install-chromium

# Missing prerequisites are reported in a sentence, before the first command fails without them.
$(INSTALLED): package-lock.json
	@command -v npm > /dev/null || { echo "npm was not found. Install Node.js 20 or newer with npm, and run this again." >&2; exit 1; }
	@echo "installing npm packages (once)"
	@npm ci --no-audit --no-fund --loglevel=error || { echo "npm could not install the packages; when it could not reach its registry, check the network, and run this again." >&2; exit 1; }
	@touch $@
