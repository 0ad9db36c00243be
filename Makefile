# make demo      a photograph in, its attributes and an annotated picture out: base install, no torch
# make test      lint, types, import contract and all tests, in an environment of its own
# make lint      ruff and the import contract
# make types     mypy
# make fuzz      100,000 broken pictures, each answered: results/photographs/fuzz.json (minutes)
# make picture   docs/portrait.png and docs/heatmaps_portrait.png again, from the sample portrait
# make numbers   the tables in README and docs again, from results
# make curve     docs/training_curve.png again, from results/weights
# make node      the JavaScript example and its test: installs onnxruntime-node (300 MB) into examples
# make clean     remove the environments and everything else that is made
#
# PYTHON=python3.12 chooses the interpreter (3.10 or newer), PHOTO=path the photograph of the demo.

PYTHON ?= python3
PHOTO ?= $(PORTRAIT)

# matplotlib's sample portrait: Grace Hopper, a photograph of the US Navy, in the public domain.
PORTRAIT = $(shell .venv-demo/bin/python -c "import matplotlib; \
	print(matplotlib.get_data_path() + '/sample_data/grace_hopper.jpg')")
PACKAGE := $(shell find src/facelocus -type f -not -name '*.pyc')
NEW_ENOUGH = import sys; sys.exit(sys.version_info < (3, 10) and \
	"facelocus needs Python 3.10 or newer: make PYTHON=python3.12, say")

.PHONY: help demo test lint types fuzz picture numbers curve node clean

help:
	@sed -n 's/^# \{0,1\}//p' Makefile | sed -n '1,/^PYTHON/p'

demo: .venv-demo/installed
	@.venv-demo/bin/facelocus analyze "$(PHOTO)" --draw demo
	@echo "annotated picture: $$(ls -t demo/*.facelocus.png | head -n 1)"

# Lint and types first: they take seconds. Torch runs one thread a process, as several test processes share the cores.
test: lint types
	OMP_NUM_THREADS=1 .venv/bin/python -m pytest --numprocesses auto --maxprocesses 8 --dist loadfile

lint: .venv/installed
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	.venv/bin/lint-imports

types: .venv/installed
	.venv/bin/mypy

fuzz: .venv/installed
	OMP_NUM_THREADS=1 .venv/bin/python benchmarks/photographs/fuzz.py --json results/photographs/fuzz.json

picture: .venv-demo/installed
	folder=$$(mktemp -d) && .venv-demo/bin/facelocus analyze "$(PORTRAIT)" --draw "$$folder" \
		&& mv "$$folder"/*.png docs/portrait.png && rmdir "$$folder"
	.venv-demo/bin/facelocus heatmaps "$(PORTRAIT)" --to docs/heatmaps_portrait.png

numbers: .venv/installed
	.venv/bin/python benchmarks/document_numbers.py

curve: .venv/installed
	.venv/bin/facelocus runs results/weights --draw docs/training_curve.png

# The stamps: an environment is brought up to date when what it is made from is newer.
.venv/installed: pyproject.toml
	@echo "installing into .venv (the lab's torch is large: this takes minutes)"
	$(PYTHON) -c '$(NEW_ENOUGH)'
	$(PYTHON) -m venv .venv
	.venv/bin/python -m pip install -qq --editable '.[lab,serve,ray,dev]'
	touch $@

.venv-demo/installed: pyproject.toml $(PACKAGE)
	@echo "installing into .venv-demo"
	@$(PYTHON) -c '$(NEW_ENOUGH)'
	@$(PYTHON) -m venv .venv-demo
	@.venv-demo/bin/python -m pip install -qq '.[demo]'
	@touch $@

node: .venv/installed
	ONNXRUNTIME_NODE_INSTALL_CUDA=skip npm install --prefix examples --no-save --no-package-lock --no-audit --no-fund onnxruntime-node
	.venv/bin/python -m pytest tests/test_examples.py

clean:
	rm -rf .venv .venv-demo demo examples/node_modules build dist src/*.egg-info
	rm -rf .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
