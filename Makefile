# make figures   regenerates figures/ and Audio_Exemple/ from the shipped models
# make help      lists all targets

# Interpreter of .venv: by default the first of these that is new enough.
PYTHONS = python3.11 python3.12 python3.13 python3.14 python3 python
NEW_ENOUGH = -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null
PYTHON ?= $(shell for name in $(PYTHONS); do $$name $(NEW_ENOUGH) && command -v $$name && break; done)
# Address of PyTorch's CPU wheels. By default, pip on Linux installs the CUDA build, which takes several GB.
TORCH_INDEX ?=
# Model of figures and scorecard: its name or folder. By default, all models of the demo page.
MODEL ?=
# Descriptors of figures.
DESCRIPTORS ?= centroid fundamental
# Timbre of train and data.
DOMAIN ?= violin
# Name of the model that train writes.
NAME ?= my_$(DOMAIN)
# Optimiser steps of train; by default those of TrainingConfig.
STEPS ?=
# Semitones by which train also resamples the recordings, for timbres with few notes: SHIFTS="-1 0 1".
SHIFTS ?=
# Other options of "timbrelib train": FLAGS=--resume.
FLAGS ?=
# Folder of recordings for train, data, scorecard and bench.
TIMBRE_DATA ?= recordings
# Recipes take these from the environment, because they may contain spaces.
export MODEL DOMAIN NAME TIMBRE_DATA

RUN = .venv/bin/python -m
LOCKED = .venv/locked
READY = .venv/ready

.PHONY: help install figures page docs test fuzz bench lab data train scorecard notebooks lint lock clean
.DELETE_ON_ERROR:
.NOTPARALLEL:  # several goals are made one after the other, as "make -j figures page" needs

help:  ## list the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "%-12s%s\n", $$1, $$2 }' Makefile

$(LOCKED): requirements.lock
	@"$(PYTHON)" $(NEW_ENOUGH) || { \
	    echo "Python 3.11 or newer was not found: install it, or say where it is, make PYTHON=/path/to/python3.11" >&2; \
	    exit 1; }
	"$(PYTHON)" -m venv .venv
	$(RUN) pip install --disable-pip-version-check -q $(if $(TORCH_INDEX),--index-url $(TORCH_INDEX)) \
	    "$$(grep '^torch==' requirements.lock)"
	$(RUN) pip install --disable-pip-version-check -q -r requirements.lock
	touch $@

$(READY): $(LOCKED) pyproject.toml
	$(RUN) pip install --disable-pip-version-check -q --no-deps --no-build-isolation -e .
	# librosa compiles itself into numba's cache at its first use, which two notebooks at the same time would corrupt
	.venv/bin/python -c 'import numpy; from timbrelib.descriptors import centroid; centroid(numpy.ones((1, 1025)))'
	touch $@

install: $(READY)  ## build .venv alone

figures: $(READY)  ## regenerate figures/ and Audio_Exemple/, print the scorecard (MODEL=, DESCRIPTORS=)
	$(RUN) timbrelib figures $(if $(MODEL),--model "$$MODEL") --descriptors $(DESCRIPTORS)
	$(RUN) timbrelib scorecard $(if $(MODEL),--model "$$MODEL",--out docs/scorecard.md)

page: $(READY)  ## build site/index.html from figures, sounds and scorecard
	$(RUN) timbrelib page

docs: $(READY)  ## build the reference of the Python interface, site/api/index.html
	.venv/bin/python docs/reference.py

test: $(READY)  ## run the tests, three files at a time
	OMP_NUM_THREADS=1 $(RUN) pytest -n 3 --dist loadfile --no-loadscope-reorder

fuzz: $(READY)  ## feed 2,000 damaged and unusual inputs to each reader of files
	FUZZ_INPUTS=2000 $(RUN) pytest tests/test_fuzz.py

bench: $(READY)  ## write benchmarks against alternatives into benchmarks/ (TIMBRE_DATA= adds training)
	$(RUN) pip install --disable-pip-version-check -q -e .[bench]
	.venv/bin/python benchmarks/bench.py --data "$$TIMBRE_DATA"

lab: $(READY)  ## open JupyterLab
	$(RUN) jupyterlab --FileContentsManager.preferred_dir=notebooks

data: $(READY)  ## download the original recordings of DOMAIN and rebuild its files in TIMBRE_DATA
	$(RUN) timbrelib download --domain "$$DOMAIN"

train: $(READY)  ## train a model called NAME on the recordings of DOMAIN in TIMBRE_DATA
	$(RUN) timbrelib train "$$TIMBRE_DATA/$$DOMAIN" --name "$$NAME" \
	    $(if $(STEPS),--steps $(STEPS)) $(if $(SHIFTS),--shifts $(SHIFTS)) $(FLAGS)

scorecard: $(READY)  ## print the scorecard; with recordings in TIMBRE_DATA, also measure the models on them (MODEL=)
	$(RUN) timbrelib scorecard $(if $(MODEL),--model "$$MODEL") \
	    $(if $(shell test -d "$(TIMBRE_DATA)" && echo found),--data "$$TIMBRE_DATA")

notebooks: $(READY)  ## execute the notebooks in place
	$(RUN) timbrelib notebooks

lint: $(READY)  ## check style, type hints and the layers of imports
	$(RUN) ruff check .
	$(RUN) ruff format --check .
	$(RUN) mypy
	.venv/bin/lint-imports --no-logo --no-cache

lock: $(READY)  ## write requirements.lock from the installed packages
	mkdir -p build
	{ head -n 1 requirements.lock; grep '^torch==' requirements.lock; \
	  $(RUN) pip freeze --all --exclude-editable | grep -vE '^(torch|pip|pyworld)==' | sort -f; } > build/lock
	mv build/lock requirements.lock

clean:  ## remove everything that make has built
	rm -rf .venv build site *.egg-info
