# Two commands do everything on a fresh machine: `make demo` and `make test`.
# Both set up what they need below .tox and .cache, and nothing outside the checkout.

PYTHON ?= python3
TOX := .cache/tox/bin/tox
ENV := .tox/check
READY := .cache/ready

.PHONY: demo test wire redis versions mutants bench requirements clean

# What has at least one scenario for each way in which a node and a venue can part, and is quick.
WIRE := $(addprefix scenarios/,control disconnect hedge inflight restart) \
  $(wildcard scenarios/issues/3046* scenarios/issues/3081* scenarios/attack/killed-* \
  scenarios/attack/submitted-in-on-start-and-killed.yaml)
# How many at once: they sleep most of the time, but each start of a process costs seconds of CPU.
WIRE_JOBS ?= 14

demo: $(READY)
	$(ENV)/bin/recon run --engine stock --engine recon

test: $(READY) redis
	$(TOX) run -qq -e check

# A real Redis for what runs over real sockets; without one those tests are skipped, but for CI.
redis:
	@command -v redis-server >/dev/null || { test "$$(id -u)" = 0 && apt-get update -q && \
	  apt-get install -y -q --no-install-recommends redis-server; } >.cache/redis.log 2>&1 || \
	  echo "redis-server is not here and was not installed; its tests are skipped"

# Over real sockets: five times with recon, once with stock beside it, 200 kills, and the table of it.
# What fails must not hide what comes after it.  What stock gets wrong is for the table to judge.
wire: $(READY) redis
	rm -rf .cache/wire; mkdir -p .cache/wire
	failed=0; \
	$(ENV)/bin/python -m sim.wire.suite .cache/wire --recon 5 --stock 1 --jobs $(WIRE_JOBS) $(WIRE) \
	  || failed=1; \
	$(ENV)/bin/python -m sim.wire.kills --kills 200 --jobs 6 >.cache/wire/kills.txt || failed=1; \
	cat .cache/wire/kills.txt; \
	$(ENV)/bin/python -m sim.report.wire .cache/wire || failed=1; \
	exit $$failed

# The bug reports on the releases that had them, and recon on the oldest that it is for.
versions: $(READY)
	$(TOX) run -e nautilus-1.221.0,nautilus-1.222.0,nautilus-1.226.0,nautilus-1.227.0
	$(ENV)/bin/python -m sim.report.issues .cache/versions

# What no test of recon/core notices is in tests/mutation/survivors.toml, or this fails.
mutants: $(TOX)
	$(TOX) run -e mutants

bench: $(READY)
	$(ENV)/bin/python -m sim.bench

$(TOX): requirements-tox.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info[:2] != (3, 13))' || \
	  { echo "error: $(PYTHON) is not Python 3.13; install 3.13 (pyenv and uv read .python-version) or call make PYTHON=..."; exit 2; }
	$(PYTHON) -m venv .cache/tox
	.cache/tox/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-tox.txt
	@touch $@

$(READY): $(TOX) requirements.txt pyproject.toml tox.ini
	$(TOX) run -e check --notest
	$(ENV)/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

# Pins what pyproject.toml asks for, with hashes and without index addresses.
requirements: PIP_COMPILE = .cache/tools/bin/pip-compile --quiet --strip-extras --allow-unsafe \
  --generate-hashes --no-emit-index-url --no-emit-find-links --no-emit-trusted-host
requirements:
	$(PYTHON) -m venv .cache/tools
	.cache/tools/bin/python -m pip install --quiet pip-tools
	$(PIP_COMPILE) --all-build-deps --extra sim --extra fleet --extra redis --extra test -o requirements.txt pyproject.toml
	$(PIP_COMPILE) -o requirements-tox.txt requirements-tox.in
	$(PIP_COMPILE) -o requirements/mutants.txt requirements/mutants.in
	.cache/tools/bin/python requirements/compile.py $(PIP_COMPILE)

clean:
	rm -rf .cache .tox build *.egg-info
