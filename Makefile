# make play   sets up what is missing, then plays the bundled model (without a sound device: renders play.wav)
# make test   sets up what is missing, then runs the tests
# make lint   ruff and mypy          make bench  docs/performance.md          make clean  removes what make made
# make results  trains the seed paper's design and writes docs/results.md: it beside ours (half an hour)

VENV ?= .venv
BIN := $(VENV)/bin
PYTHON ?= $(firstword $(foreach name,python3.11 python3.12 python3,$(shell \
	$(name) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 13))' 2>/dev/null && command -v $(name))))
# The pinned build. The CPU wheels are asked for where their index can be reached; the plain registry does otherwise.
TORCH ?= torch==2.13.0
TORCH_INDEX ?= https://download.pytorch.org/whl/cpu
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check

# $(call system,TEST,PACKAGES,WHAT FOR): where the shell command TEST fails, install Debian's PACKAGES, or say what to do
define system
	@if ! { $(1); } >/dev/null 2>&1; then \
	  if [ "$$(id -u)" = 0 ]; then as=; elif command -v sudo >/dev/null; then as=sudo; else as=none; fi; \
	  if command -v apt-get >/dev/null && [ "$$as" != none ]; then \
	    echo "installing $(2) ($(3))"; \
	    $$as env DEBIAN_FRONTEND=noninteractive sh -c 'apt-get -qq update; apt-get -qq install -y --no-install-recommends $(2)' \
	      </dev/null >/dev/null || echo "make: $(2) could not be installed: $(3) will not work; install it by hand" >&2; \
	  else echo "make: $(2) is missing and cannot be installed from here: $(3) will not work; install it by hand" >&2; fi; \
	fi
endef

.PHONY: play test lint bench results clean setup setup-tests
.DEFAULT_GOAL := play

play: setup
	@NOIZESTREAM_WITHOUT_DEVICE=play.wav $(BIN)/noizestream play $(ARGS)

# The live tests listen to a real audio server: they have the machine to themselves, and what else runs gives way to them (another
# copy of this, too: its first part is nice). The others share its cores, one thread each: torch's threads would wait for each
# other. Both parts run whatever becomes of the first, unless it is interrupted; either fails the whole.
test: setup setup-tests
ifeq ($(strip $(ARGS)),)
	@trap 'exit 130' INT; rest=0; live=0; \
	OMP_NUM_THREADS=1 nice -n 5 $(BIN)/python -m pytest -n auto --dist loadfile --ignore tests/live || rest=$$?; \
	$(BIN)/python -m pytest tests/live || live=$$?; \
	if [ $$rest$$live != 00 ]; then \
	  echo "make test: exit code $$rest of all but the live tests, $$live of the live tests" >&2; exit 1; fi
else
	@$(BIN)/python -m pytest $(ARGS)
endif

lint: $(VENV)/.dev
	@$(BIN)/ruff check . && $(BIN)/ruff format --check . && $(BIN)/mypy noizestream

bench: setup setup-tests
	@$(BIN)/python benchmarks/performance.py $(ARGS)

results: setup
	@$(BIN)/python benchmarks/results.py $(ARGS)

setup: $(VENV)/.installed
	$(call system,[ "$$(uname)" != Linux ] || PATH="$$PATH:/sbin:/usr/sbin" ldconfig -p | grep -q libportaudio.so.2,libportaudio2,sound)

setup-tests: $(VENV)/.dev
	$(call system,command -v jackd,jackd2,the tests against a real audio server)

# Each stamp is one step, so that a set-up that was cut off goes on where it stopped.
$(VENV)/.torch:
ifeq ($(PYTHON),)
	@echo "make: Python 3.11 or 3.12 is needed and neither is here; install it, or name it: make PYTHON=/path/to/python3.11" >&2; exit 1
endif
	$(call system,$(PYTHON) -c "import ensurepip; import venv",$(notdir $(PYTHON))-venv,the virtual environment)
	@echo "setting up $(VENV) with $(PYTHON) (once; some minutes)"
	@$(PYTHON) -m venv $(VENV) || { echo "make: $(PYTHON) cannot make a virtual environment; install python3-venv" >&2; exit 1; }
	@index=; if $(BIN)/python -c 'import sys, urllib.request as r; r.urlopen(sys.argv[1] + "/torch/", timeout=5)' $(TORCH_INDEX) 2>/dev/null; \
	  then index="--extra-index-url $(TORCH_INDEX)"; fi; $(PIP) $$index "$(TORCH)"
	@touch $@

$(VENV)/.installed: pyproject.toml $(VENV)/.torch
	@$(PIP) -e .
	@touch $@

$(VENV)/.dev: constraints.txt $(VENV)/.installed
	@$(PIP) -c constraints.txt -e '.[dev]'
	@touch $@

clean:
	rm -rf $(VENV) .pytest_cache .ruff_cache .mypy_cache build dist play.wav
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
