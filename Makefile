# Two commands for everybody: `make demo` and `make test`. Each makes its own .venv.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PO := $(wildcard storage/locale/*/LC_MESSAGES/*.po)

.PHONY: help demo test check long test-postgresql test-browser test-docker test-install addon release audit matrix matrix-debian \
	lint types floors docs-drift coverage format docs site bench false-values fuzz fuzz-line fuzz-api \
	mutation model test-ha packages faults fleet soak clean

help:
	@echo "make demo    a simulated Linky, a broker, the store and the page; Ctrl-C stops all of it"
	@echo "make test    lint, types, floors, documentation, all tests"
	@echo "make docs    the documentation as a site: build/site"
	@echo "make check ARGS='tests/x.py -k y'   those tests alone; test-postgresql, test-browser, test-ha, faults, fleet, fuzz, mutation, model,"
	@echo "             false-values, bench, coverage: see the Makefile"

demo: $(VENV)/demo
	@$(BIN)/ticbridge demo $(ARGS)

test: packages check

# --- what others build on ---------------------------------------------------------------------------

# Many tests wait for a process: two workers for each core.
WORKERS ?= $(shell echo $$((2 * $$(nproc))))
PARALLEL := -n $(WORKERS) --dist worksteal
SIDE_BY_SIDE := not alone and not real_homeassistant and not faults_long and not browser and not long

# ARGS choose tests; then those of the store run on SQLite alone, or choose too: make test-postgresql ARGS=...
check: lint types floors docs-drift site
	$(BIN)/python -m pytest $(PARALLEL) $(if $(ARGS),,-m '$(SIDE_BY_SIDE)') $(ARGS)
	$(if $(ARGS),,$(BIN)/python -m pytest -m alone)
	$(if $(ARGS),,$(BIN)/python -m pytest -m 'browser and not screenshots' tests/browser)
	$(if $(ARGS),,@$(MAKE) --no-print-directory test-postgresql ARGS='-m "not slow and not alone and not long"')

# Cases that `check` has one of, and what takes minutes: each thread of each service, each certificate, each contract's year.
long: packages $(VENV)/dev
	$(BIN)/python -m pytest $(PARALLEL) -m long $(ARGS)

# The store's tests again, on a PostgreSQL that is started for them; `check` leaves out its slow ones.
test-postgresql: $(VENV)/dev
	$(BIN)/python -m tests.postgresql tests/storage $(PARALLEL) $(ARGS)

lint: $(VENV)/dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(VENV)/dev
	$(BIN)/mypy

floors: $(VENV)/dev
	$(BIN)/lint-imports

docs-drift: $(VENV)/dev
	$(BIN)/python docs/generate.py --check
	$(BIN)/ticbridge manage makemigrations --check --dry-run

# The pages in a real chromium, in each look: both languages, light and dark, phone and desktop. It renews docs/images/pages.
test-browser: packages $(VENV)/dev
	$(BIN)/python -m pytest -m browser tests/browser $(ARGS)

# Wheel and sdist of the last commit, built twice and compared; bill of materials, licences, checksums: dist/.
release: $(VENV)/release
	$(BIN)/python deploy/release.py

# Known vulnerabilities of what a release needs; asks the package index, and a package that it cannot ask for is a failure.
audit: $(VENV)/release
	$(BIN)/pip-audit --strict --desc off --skip-editable

# The tests that need nothing but Python with other versions of it and of Django, as far as they are there.
MATRIX_PYTHON ?= python3.11 python3.12 python3.13 python3.14
MATRIX_DJANGO ?= 5.2 6.0 6.1
matrix: $(VENV)/dev
	@$(BIN)/python -m tests.matrix --python "$(MATRIX_PYTHON)" --django "$(MATRIX_DJANGO)" $(ARGS)

# The same with Debian's Python, in a Debian root that is made for it (root, mmdebstrap, systemd-container).
matrix-debian: $(VENV)/dev
	@command -v mmdebstrap >/dev/null || apt-get install -y -qq mmdebstrap >/dev/null
	@command -v systemd-nspawn >/dev/null || apt-get install -y -qq systemd-container >/dev/null
	$(BIN)/python -m tests.matrix --debian --django "$(MATRIX_DJANGO)" $(ARGS)

# The steps of the Dockerfile in a Debian root, and its command as pid 1 (root, mmdebstrap; two minutes).
test-docker: packages $(VENV)/dev
	@command -v mmdebstrap >/dev/null || apt-get install -y -qq mmdebstrap >/dev/null
	$(BIN)/python -m tests.deploy.dockerfile

# From a clean Debian to a meter in Home Assistant, timed, under a real systemd (root, mmdebstrap, systemd-container;
# ten minutes). It renews docs/start/install.txt, and the pictures of a terminal that are made of it.
test-install: packages $(VENV)/dev
	@command -v mmdebstrap >/dev/null || apt-get install -y -qq mmdebstrap >/dev/null
	@command -v systemd-nspawn >/dev/null || apt-get install -y -qq systemd-container >/dev/null
	$(BIN)/python -m tests.deploy.install --transcript docs/start/install.txt $(ARGS)
	$(BIN)/python docs/generate.py

# The add-on as a folder to copy to /addons of a Home Assistant OS: its files, the version, the wheel.
ADDON := build/homeassistant-addon/ticbridge
addon: $(VENV)/dev
	rm -rf $(ADDON) && mkdir -p $(ADDON) && cp -r deploy/homeassistant-addon/. $(ADDON)
	$(BIN)/python -m build --wheel --no-isolation --outdir $(ADDON) . >/dev/null
	sed -i "s/^version: .*/version: \"$$($(BIN)/hatchling version)\"/" $(ADDON)/config.yaml
	@echo "$(ADDON): copy it to /addons, then Add-ons, Add-on store, Check for updates"

# Every line and branch of what decides about a value, by the tests of the bridge's room alone.
WHOLE := bridge/tic/*,bridge/derived/*,bridge/address.py,bridge/checked.py,bridge/guard.py,bridge/line.py,bridge/steps.py

coverage: $(VENV)/dev
	$(BIN)/python -m pytest tests/bridge -q --cov=bridge --cov-branch --cov-report= $(ARGS)
	$(BIN)/coverage report --show-missing --skip-covered --fail-under=100 --include='$(WHOLE)'

format: $(VENV)/dev
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

# The pages that are generated, then all of them as a site: build/site. Any warning is an error.
docs: $(VENV)/dev
	$(BIN)/python docs/generate.py
	@$(MAKE) --no-print-directory site

site: $(VENV)/dev
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs --quiet build

# Bar, aim and measured of each figure; fails below a bar. The instruction counts need valgrind.
bench: $(VENV)/dev
	$(BIN)/python -m benchmarks

# A million damaged frames on a line with parity and without: no false index may leave (15 minutes).
false-values: $(VENV)/dev
	$(BIN)/python -m benchmarks.false_values $(ARGS)

# The meter's line, then the API (three quarters of an hour).
fuzz: fuzz-line fuzz-api

# Coverage-guided: what it finds is written to build/fuzz/crash-*.
FUZZ_SECONDS ?= 1800
fuzz-line: $(VENV)/fuzz
	@mkdir -p build/fuzz
	$(BIN)/python -m tests.fuzz.line build/fuzz/corpus -artifact_prefix=build/fuzz/ -print_final_stats=1 \
		-max_total_time=$(FUZZ_SECONDS) $(ARGS)

# Requests that the API's schema allows, 200 of each operation (schemathesis; 15 minutes). API_EXAMPLES=n asks for n.
API_EXAMPLES ?= 200
fuzz-api: $(VENV)/dev
	API_EXAMPLES=$(API_EXAMPLES) $(BIN)/python -m pytest tests/storage/api/test_schema.py -k answered $(ARGS)

# Mutants of the files that decide what is true; fails below 90 % (ten minutes). `mutmut show NAME` shows one.
mutation: $(VENV)/mutation
	$(BIN)/mutmut run
	$(BIN)/python -m benchmarks.mutation

# The hand-over as Spin sees it, every state of it, and that each broken rule is seen (two minutes; Debian's spin and gcc).
model:
	@sh tests/debian_packages.sh model
	@$(PYTHON) -m tests.model $(ARGS)

# Processes killed, links cut, disks filled: 20 000 readings and more, and a table of what became of them (12 minutes).
# FAULTS_SEED=n repeats a run's random faults.
faults: packages $(VENV)/dev
	FAULTS=long $(BIN)/python -m pytest -m faults -p no:randomly tests/faults $(ARGS)

# Two weeks of frames in two hours, under faults: what bridge, store and page take meanwhile; fails when something grows.
# ARGS='--seconds 1800 --frames 300000' is shorter; graphs and samples are in build/soak.
soak: packages $(VENV)/dev
	$(BIN)/python -m tests.soak $(ARGS)

# Two hosts of bridges and two of store workers, in networks of their own: one is cut off for a minute, then dies (root;
# three minutes).
fleet: packages $(VENV)/dev
	$(BIN)/python -m tests.fleet

# A real Home Assistant on a real broker, looked at with chromium (half an hour; root). The first time, two minutes and 2 GB
# in HA_LAB, a folder.
test-ha: packages $(VENV)/dev
	tests/real_homeassistant/setup.sh
	$(BIN)/python -m pytest -m real_homeassistant -p no:randomly tests/real_homeassistant $(ARGS)

# Debian's packages that tests use (mosquitto); only where we may install: root on Debian.
packages:
	@sh tests/debian_packages.sh

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "ticbridge needs Python 3.11 or newer; $(PYTHON) is older: make PYTHON=python3.12 ..."; exit 1; }
	@sh tests/debian_packages.sh venv
	@$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); \
		echo "python3 -m venv failed: on Debian, sudo apt install python3-venv"; exit 1; }

$(VENV)/demo: $(VENV)/bin/python pyproject.toml hatch_build.py $(PO)
	$(BIN)/pip install --quiet --disable-pip-version-check -e '.[store,demo]'
	@touch $@

$(VENV)/dev: $(VENV)/bin/python pyproject.toml hatch_build.py $(PO)
	$(BIN)/pip install --quiet --disable-pip-version-check -e '.[store,demo,dev]'
	@touch $@ $(VENV)/demo

$(VENV)/fuzz: $(VENV)/dev
	$(BIN)/pip install --quiet --disable-pip-version-check -e '.[fuzz]'
	@touch $@

$(VENV)/release: $(VENV)/dev
	$(BIN)/pip install --quiet --disable-pip-version-check -e '.[release]'
	@touch $@

$(VENV)/mutation: $(VENV)/dev
	$(BIN)/pip install --quiet --disable-pip-version-check -e '.[mutation]'
	@touch $@

clean:
	rm -rf $(VENV) build dist mutants .mypy_cache .ruff_cache .pytest_cache .import_linter_cache
