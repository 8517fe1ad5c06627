# SPDX-License-Identifier: Apache-2.0
# Thin: the work is done by `python -m emlearn_tools ...` and tests/run.py.

PYTHON ?= python3
VENV ?= .venv
OUT ?= build/demo
BENCH_VENV ?= build/bench/venv

VENV_PYTHON = $(VENV)/bin/python
TOOLS = PYTHONPATH=scripts/west_commands $(VENV_PYTHON) -m emlearn_tools

.PHONY: help demo test soak bench workspace clean

help:
	@echo 'make demo [DATA=dir SPEC=file.yaml] [OUT=dir]  recordings to firmware, one person held out'
	@echo 'make test                                      all tests; what was skipped stands in the last lines'
	@echo 'make soak [EMLEARN_DATA=dir]                   the tests that take longer, and real recordings'
	@echo 'make bench [DOC=1 EMLEARN_DATA=dir]            cost of features and trees under QEMU, against others'
	@echo 'make workspace                                 west init and update around this checkout'
	@echo 'make clean                                     remove $(VENV) and build'

demo:
	@$(PYTHON) scripts/make_venv.py $(VENV) scripts/requirements-train.txt scripts/requirements-firmware.txt
	@$(TOOLS) demo -o "$(OUT)" $(if $(DATA),--data "$(DATA)") $(if $(SPEC),--spec "$(SPEC)")

test:
	@$(PYTHON) scripts/make_venv.py $(VENV) tests/requirements.txt
	@$(VENV_PYTHON) tests/run.py

soak:
	@$(PYTHON) scripts/make_venv.py $(VENV) tests/requirements.txt
	@$(VENV_PYTHON) tests/run.py --soak

bench:
	@$(PYTHON) scripts/make_venv.py $(BENCH_VENV) scripts/requirements-train.txt
	@$(PYTHON) scripts/make_venv.py $(BENCH_VENV) bench/requirements.txt || \
		echo 'the other converters cannot be installed: measuring what is there' >&2
	@$(BENCH_VENV)/bin/python bench/features.py $(if $(DOC),--doc)
	@$(BENCH_VENV)/bin/python bench/trees.py $(if $(DOC),--doc)

workspace:
	@$(PYTHON) scripts/make_venv.py $(VENV) scripts/requirements.txt
	$(VENV_PYTHON) -m pip install --quiet west
	$(VENV)/bin/west topdir >/dev/null 2>&1 || $(VENV)/bin/west init -l .
	$(VENV)/bin/west update --narrow --fetch-opt=--depth=1
	$(VENV)/bin/west packages pip --install
	$(VENV)/bin/west zephyr-export

clean:
	rm -rf $(VENV) build
