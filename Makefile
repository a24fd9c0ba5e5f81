# callcrm's commands. `make help` lists them.
# The environment is `.venv` in this folder; it is made once, and again only when what it stands on changes.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
UV := $(BIN)/uv
PIP_INSTALL := $(UV) pip install -q --python $(BIN)/python
PIP_SYNC := $(UV) pip sync -q --python $(BIN)/python --require-hashes
# What the environment is made of.
SOURCES := pyproject.toml $(wildcard hatch_build.py webui/frontend/package-lock.json)
FRONTEND := $(wildcard webui/frontend/*.mjs webui/frontend/*.json webui/frontend/src/*.* webui/frontend/src/*/*.*)
CATALOGS := $(wildcard webui/locale/*/LC_MESSAGES/*.po)
COMPILE := $(UV) pip compile -q --universal --generate-hashes --no-header --no-annotate \
	--no-emit-index-url --no-emit-find-links --python-version 3.11
ARGS ?=
# Many tests wait for a PBX or a browser: one process more than processors keeps those busy.
WORKERS ?= $(shell echo $$(($$(getconf _NPROCESSORS_ONLN) + 1)))

export UV_NO_PROGRESS := 1
# A company's own authority is trusted where the system trusts it.
export UV_SYSTEM_CERTS ?= true

.DEFAULT_GOAL := help
.PHONY: help setup demo demo-asterisk run test lint bench lock image messages clean chromium asterisk container mariadb

help: ## list the commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(VENV)/ready ## make the environment (.venv) and nothing more

demo: $(VENV)/ready ## a call centre on a simulated PBX, in the browser (ARGS="--web-port 9000")
	@$(BIN)/callcrm demo $(ARGS)

demo-asterisk: $(VENV)/ready ## the same on a real Asterisk that is fetched and started, with phones that call
	@$(BIN)/python -m tests.pbx demo $(ARGS)

run: $(VENV)/ready ## the daemon on config/callcrm.toml
	@mkdir -p data
	@$(BIN)/callcrm run --config config/callcrm.toml $(ARGS)

test: $(VENV)/dev chromium asterisk container mariadb lint ## set up the tools and run every check (ARGS="tests/ami -k login")
	$(BIN)/pytest -n $(WORKERS) $(ARGS)

lint: $(VENV)/dev ## style, types and the borders between the parts
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	@if command -v node >/dev/null && [ -x webui/frontend/node_modules/.bin/tsc ]; then \
		echo "tsc --noEmit"; cd webui/frontend && node_modules/.bin/tsc --noEmit; \
	else echo "lint: no Node here, so the TypeScript is not checked"; fi

bench: $(VENV)/ready ## what the machine bears: events a second, and from the event to the pop
	@$(BIN)/python -m bench $(ARGS)

lock: $(VENV)/dev ## renew the locks of Python's and the browser's packages
	$(COMPILE) --upgrade pyproject.toml -o requirements.lock
	$(COMPILE) --upgrade --extra dev pyproject.toml -o requirements-dev.lock
	@if command -v npm >/dev/null; then cd webui/frontend && npm update --package-lock-only --ignore-scripts; \
	else echo "lock: no npm here, so package-lock.json stays as it is"; fi

image: ## build the container image (docker or buildah)
	@if command -v docker >/dev/null; then docker build -t callcrm .; \
	elif command -v buildah >/dev/null; then buildah bud --format docker --isolation chroot -t callcrm .; \
	else echo "image: neither docker nor buildah here; on Debian: apt install buildah" >&2; exit 1; fi

messages: $(VENV)/dev ## collect the texts to translate and renew the catalogs
	$(BIN)/pybabel -q extract -F webui/locale/babel.cfg --no-location --sort-output --project callcrm \
		-o webui/locale/messages.pot .
	@if [ -n "$(CATALOGS)" ]; then $(BIN)/pybabel -q update -i webui/locale/messages.pot -d webui/locale \
		--no-fuzzy-matching --ignore-obsolete; fi

clean: ## take away the environment and what was built
	rm -rf $(VENV) build dist webui/static/dist webui/frontend/node_modules

# ---- the environment -----------------------------------------------------------------------------

$(VENV)/bin/uv:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
		echo "callcrm needs Python 3.11 or newer as $(PYTHON). On Debian and Ubuntu: apt install python3 python3-venv" >&2; exit 1; }
	@$(PYTHON) -c 'import venv, ensurepip' 2>/dev/null || { \
		echo "Python's venv is missing. On Debian and Ubuntu: apt install python3-venv" >&2; exit 1; }
	@if [ -d /etc/apt ] && [ ! -e /etc/ssl/certs/ca-certificates.crt ]; then \
		echo "The certificates of the web are missing. On Debian and Ubuntu: apt install ca-certificates" >&2; exit 1; fi
	@echo "setting up: Python's packages and the browser's files (about a minute, once)"
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/pip install -q --disable-pip-version-check uv

$(VENV)/ready: requirements.lock $(SOURCES) $(FRONTEND) $(CATALOGS) | $(VENV)/bin/uv
	@$(PIP_SYNC) requirements.lock
	@$(PIP_INSTALL) uv
	@$(PIP_INSTALL) --no-deps -e .
	@rm -f $(VENV)/dev
	@touch $@

$(VENV)/dev: requirements-dev.lock $(SOURCES) $(FRONTEND) $(CATALOGS) | $(VENV)/bin/uv
	@$(PIP_SYNC) requirements-dev.lock
	@$(PIP_INSTALL) uv
	@$(PIP_INSTALL) --no-deps -e .
	@touch $(VENV)/ready $@

# ---- what the tests need besides -----------------------------------------------------------------
# In CI (CI=true) they must be had; elsewhere the tests that need them say so and are skipped.

chromium: $(VENV)/dev
	@$(BIN)/python -m tests.browser || [ "$$CI" != true ]

asterisk: $(VENV)/dev
	@$(BIN)/python -m tests.pbx install || { \
		echo "no Asterisk here: the tests on a real one are skipped" >&2; [ "$$CI" != true ]; }

# Without these nothing fails, in CI neither: not every machine may build images, or run one more server.
container: $(VENV)/dev
	@$(BIN)/python -m tests.container

mariadb: $(VENV)/dev
	@$(BIN)/python -m tests.mariadb
