# Thin names over `python -m autograde …`. `.venv` is made on first use and again when its list of packages changes.
#     make lab ARGS="--no-browser --port 8899"      arguments pass through to the command
#     make lab PYTHON=python3.12                    the Python that .venv is made with
#     make lab PIP_ARGS="--extra-index-url https://download.pytorch.org/whl/cpu"    torch without CUDA
PYTHON ?= python3
PIP_ARGS ?=
ARGS ?=

ifeq ($(OS),Windows_NT)
VENV_PYTHON := .venv/Scripts/python
else
VENV_PYTHON := .venv/bin/python
endif
READY := .venv/ready

COMMANDS := lab test grade report marks replay doctor build bench gpu audit
.PHONY: $(COMMANDS) clean
.DEFAULT_GOAL := lab

$(COMMANDS): $(READY)
	@$(VENV_PYTHON) -m autograde $@ $(ARGS)

# autograde/__init__.py is what knows the oldest Python that will do, and says so in one line.
$(READY): pyproject.toml constraints.txt
	@$(PYTHON) -c "import sys; sys.dont_write_bytecode = True; import autograde" \
		|| { echo "Name another one, for instance: make $(MAKECMDGOALS) PYTHON=python3.12" >&2; exit 1; }
	@echo "Making .venv; the first time this takes some minutes."
	@$(PYTHON) -m venv .venv
	@$(VENV_PYTHON) -m pip install --quiet $(PIP_ARGS) --constraint constraints.txt --editable ".[lab,grade,dev]"
	@echo "made from pyproject.toml and constraints.txt" > $(READY)

# What was made here can be made again; work/ is a learner's own and stays.
clean:
	rm -rf .venv dist .pytest_cache .ruff_cache
