# What each target does: README.md, "How it is built".

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
MO := locale/sv/LC_MESSAGES/django.mo

.PHONY: run test test-scale test-sent-once fuzz observatory lighthouse bench bench-peer bench-files bench-bulkhead bench-rotation deploy-check coverage mutants audit sbom screenshots lint format lock messages

run: $(VENV)/installed $(MO)
	@exec $(BIN)/python -m hostup_dashboard.run

test: $(VENV)/installed-dev $(MO)
	$(BIN)/python -m tests.browser.chromium
	# Three, because on two cores a test waits half of the time. In their own order, the long files do not run last, alone.
	$(BIN)/python -m pytest -n 3 --dist loadfile --no-loadscope-reorder

# Two replicas behind nginx; then all tests without a browser once more, over a PostgreSQL and a Redis of their own.
test-scale: $(VENV)/installed-dev $(MO)
	$(BIN)/python -m pytest tests/scale
	$(BIN)/python -m tests.scale.parts $(BIN)/python -m pytest tests --ignore=tests/browser -n 2 --dist loadfile

test-sent-once: $(VENV)/installed-dev
	SENT_ONCE_PRESSES=$${SENT_ONCE_PRESSES:-10000} $(BIN)/python -m pytest -s tests/test_sent_once.py

fuzz: $(VENV)/installed-dev $(MO)
	FUZZ_CASES=$${FUZZ_CASES:-50000} $(BIN)/python -m pytest -s tests/test_fuzz.py --hypothesis-show-statistics

# Uses hadolint, shellcheck, docker compose, systemd-analyze, promtool and caddy; says which are not installed.
deploy-check: $(VENV)/installed-dev $(MO)
	$(BIN)/python -m pytest -rs tests/test_deployment.py

OBSERVATORY := data/observatory

observatory: $(VENV)/installed-dev $(OBSERVATORY)/node_modules
	$(BIN)/python -m benchmarks.observatory $(OBSERVATORY)

$(OBSERVATORY)/node_modules:
	@command -v npm >/dev/null || { echo "The observatory needs Node.js 20 or newer, with npm."; exit 1; }
	npm install --prefix $(OBSERVATORY) --no-save --no-audit --no-fund --ignore-scripts --loglevel error \
	  @mdn/mdn-http-observatory@1.4.8
	@# Instead of its install script, which would download browsers' list of hosts that are https; localhost is not on it.
	@echo '{}' > $(OBSERVATORY)/node_modules/@mdn/mdn-http-observatory/conf/hsts-preload.json

LIGHTHOUSE := data/lighthouse

lighthouse: $(VENV)/installed-dev $(MO) $(LIGHTHOUSE)/node_modules
	$(BIN)/python -m benchmarks.lighthouse $(LIGHTHOUSE)

$(LIGHTHOUSE)/node_modules:
	@command -v npm >/dev/null || { echo "Lighthouse needs Node.js 18 or newer, with npm."; exit 1; }
	npm install --prefix $(LIGHTHOUSE) --no-save --no-audit --no-fund --ignore-scripts --loglevel error \
	  lighthouse@12.8.2

bench: $(VENV)/installed-dev $(MO)
	$(BIN)/python -m benchmarks.pages

PEER := data/peer

bench-peer: $(VENV)/installed-dev $(MO) $(PEER)/bin/gunicorn
	$(BIN)/python -m benchmarks.peer $(PEER)/bin/python

$(PEER)/bin/gunicorn:
	$(PYTHON) -m venv $(PEER)
	$(PEER)/bin/python -m pip install -q --disable-pip-version-check django-helpdesk==2.6.1 gunicorn

bench-files: $(VENV)/installed-dev
	$(BIN)/python -m benchmarks.files

bench-rotation: $(VENV)/installed-dev $(MO)
	$(BIN)/python -m benchmarks.rotation 10000

bench-bulkhead: $(VENV)/installed-dev
	$(BIN)/python -m benchmarks.bulkhead

# Pillow makes the pictures smaller. Nothing else needs it, so it has a folder of its own.
PILLOW := $(VENV)/screenshots

screenshots: $(VENV)/installed-dev $(MO) $(PILLOW)
	$(BIN)/python -m tests.browser.chromium
	PYTHONPATH=$(PILLOW) $(BIN)/python -m tests.browser.screenshots

$(PILLOW):
	$(BIN)/python -m pip install -q --disable-pip-version-check --only-binary :all: --no-deps --target $@ pillow==12.2.0

lint: $(VENV)/installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

format: $(VENV)/installed-dev
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

audit: $(VENV)/installed-dev
	@$(BIN)/python .ci/audit.py requirements.txt

# What `make coverage` demands, without browser tests: 100 % with branches of CRITICAL, where a mistake could send
# something twice or give a key away, and 95 % of everything.
CRITICAL := tickets/hostup/*,tickets/crypto.py,tickets/views/status.py,tickets/views/reply.py
CRITICAL := $(CRITICAL),tickets/views/create.py,tickets/views/attachment.py,tickets/views/key.py
CRITICAL := $(CRITICAL),tickets/sending.py,tickets/replying.py,tickets/creating.py,tickets/changes.py,tickets/storage.py
CRITICAL := $(CRITICAL),tickets/upstream.py

coverage: $(VENV)/installed-dev $(MO)
	$(BIN)/python -m pytest tests --ignore=tests/browser -n 2 --dist loadfile --cov --cov-report=
	$(BIN)/python -m coverage report --fail-under=95
	$(BIN)/python -m coverage report --fail-under=100 --include="$(CRITICAL)"

mutants: $(VENV)/installed-dev $(MO)
	$(BIN)/mutmut run
	$(BIN)/mutmut results

SBOM ?= data/sbom.json

sbom: $(VENV)/installed-dev
	@mkdir -p $(dir $(SBOM))
	@$(BIN)/python -m cyclonedx_py requirements requirements.txt --output-reproducible --output-file $(SBOM)

# Locked versions stay as they are; PACKAGE="django urllib3" upgrades these two, PACKAGE=all everything.
UPGRADE = $(if $(filter all,$(PACKAGE)),--upgrade,$(addprefix --upgrade-package=,$(PACKAGE)))

lock: $(VENV)/installed-dev
	$(BIN)/uv pip compile -q $(UPGRADE) --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
	  --custom-compile-command "make lock" requirements.in -o requirements.txt
	$(BIN)/uv pip compile -q $(UPGRADE) --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
	  --custom-compile-command "make lock" requirements-dev.in -o requirements-dev.txt

messages: $(VENV)/installed
	@mkdir -p data
	@$(BIN)/pybabel -q extract -F pyproject.toml --no-location --no-wrap --sort-output -o data/django.pot \
	  -k "gettext_lazy gettext_noop ngettext_lazy:1,2 pgettext_lazy:1c,2 npgettext_lazy:1c,2,3" \
	  hostup_dashboard tickets templates
	@$(BIN)/pybabel -q update -D django -i data/django.pot -d locale --no-wrap --no-fuzzy-matching --ignore-obsolete \
	  --ignore-pot-creation-date

$(MO): locale/sv/LC_MESSAGES/django.po $(VENV)/installed
	@$(BIN)/pybabel -q compile --domain django --directory locale

$(VENV)/bin/python:
	@$(PYTHON) -c "import sys; sys.exit(sys.version_info < (3, 11))" || { \
	  echo "HostUp Dashboard needs Python 3.11 or newer; $(PYTHON) is $$($(PYTHON) -V 2>&1)." \
	       "Try: make $(MAKECMDGOALS) PYTHON=python3.12"; exit 1; }
	@$(PYTHON) -c "import venv, ensurepip" 2>/dev/null || { \
	  echo "Python's venv module is missing. On Debian: sudo apt install python3-venv"; exit 1; }
	@$(PYTHON) -m venv $(VENV)

$(VENV)/installed: requirements.txt | $(VENV)/bin/python
	@echo "Installing what the dashboard needs (once)…"
	@$(BIN)/python -m pip install -q --disable-pip-version-check --require-hashes --no-deps -r requirements.txt
	@touch $@

$(VENV)/installed-dev: requirements-dev.txt | $(VENV)/bin/python
	@echo "Installing what the tests need (once)…"
	@$(BIN)/python -m pip install -q --disable-pip-version-check --require-hashes --no-deps -r requirements-dev.txt
	@touch $@ $(VENV)/installed
