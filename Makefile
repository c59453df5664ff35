# make figures   regenerate figures/ and Audio_Exemple/ from the shipped model
# make help      the rest

PYTHON ?= $(shell command -v python3.11 || command -v python3)
# Address of PyTorch's CPU wheels; without it pip takes the default build, several GB of CUDA on Linux.
TORCH_INDEX ?=
# Of figures and scorecard: a shipped model or a folder; by default all that the page shows.
MODEL ?=
DESCRIPTORS ?= centroid fundamental
DOMAIN ?= violin
# The model's, of train.
NAME ?= my_$(DOMAIN)
# Optimiser steps of train; the default is TrainingConfig's.
STEPS ?=
# Semitones by which it also resamples the recordings, for timbres with few notes: SHIFTS="-1 0 1".
SHIFTS ?=
# More of train, as "timbrelib train --help" lists them: FLAGS=--resume.
FLAGS ?=
# Folder of recordings for train and data; figures and test never need it.
TIMBRE_DATA ?= recordings
export TIMBRE_DATA

RUN = .venv/bin/python -m
READY = .venv/ready
NOTEBOOKS = $(sort $(wildcard notebooks/*.ipynb))

.PHONY: help figures page test fuzz bench lab train data scorecard notebooks lint lock clean
.DELETE_ON_ERROR:

help:  ## show this list
	@grep -E '^[a-z]+:.*##' Makefile | sed -E 's/:.*## /\t/' | expand -t 12

$(READY): requirements.lock pyproject.toml
	$(PYTHON) -c 'import sys; sys.version_info >= (3, 11) or sys.exit("Python 3.11 is needed: make PYTHON=/path/to/python3.11")'
	$(PYTHON) -m venv .venv
	$(RUN) pip install --disable-pip-version-check -q $(if $(TORCH_INDEX),--index-url $(TORCH_INDEX)) torch==2.13.0
	$(RUN) pip install --disable-pip-version-check -q -r requirements.lock
	$(RUN) pip install --disable-pip-version-check -q --no-deps --no-build-isolation -e .
	# numba's cache of pYIN is made here, for two notebooks that made it at once would spoil it
	.venv/bin/python -c 'import numpy; from timbrelib import descriptors; descriptors.track_fundamental(numpy.ones(4096))'
	touch $@

figures: $(READY)  ## regenerate figures/ and Audio_Exemple/, print the scorecard (MODEL= for one model, DESCRIPTORS=)
	mkdir -p build/notebooks
	$(MAKE) --no-print-directory -j2 $(if $(MODEL),$(call of_model,$(MODEL)),$(of_page))
	$(RUN) timbrelib scorecard $(if $(MODEL),--model $(MODEL),--out docs/scorecard.md)

# One run of a notebook: run/NOTEBOOK@MODEL@DESCRIPTOR, the longest first, two at a time.
of_model = run/06_scorecard@$(1) $(foreach d,$(DESCRIPTORS),run/04_target_decode@$(1)@$(d)) \
    $(if $(filter fundamental,$(DESCRIPTORS)),run/08_follow_a_line@$(1)) run/10_sorted_codebook@$(1) run/01_train@$(1) \
    $(foreach d,$(DESCRIPTORS),run/02_codebook_pca@$(1)@$(d) run/03_descriptor_histogram@$(1)@$(d))
OTHERS = $(filter-out violin,$(notdir $(wildcard timbrelib/models/*)))
of_page = run/09_other_timbres run/07_timbre_transfer $(call of_model,violin) $(OTHERS:%=run/10_sorted_codebook@%)
part = $(word $(1),$(subst @, ,$*))
# the notebooks run in their own folder, from which a model's relative path would lead elsewhere
setting = $(if $(call part,2),-p MODEL $(if $(wildcard $(call part,2)/),$(abspath $(call part,2)),$(call part,2))) \
    $(if $(call part,3),-p DESCRIPTOR $(call part,3))

run/%:
	OMP_NUM_THREADS=1 $(RUN) papermill --cwd notebooks --no-log-output --no-progress-bar $(setting) \
	    notebooks/$(call part,1).ipynb 'build/notebooks/$(subst /,_,$*).ipynb'

page: $(READY)  ## build site/index.html from figures, sounds and scorecard
	$(RUN) timbrelib page

test: $(READY)  ## run the tests, two files at a time
	OMP_NUM_THREADS=1 $(RUN) pytest -n 2 --dist loadfile

fuzz: $(READY)  ## feed 2,000 damaged and unusual inputs to each reader of files
	FUZZ_INPUTS=2000 $(RUN) pytest tests/test_fuzz.py

bench: $(READY)  ## time everything beside other ways, into benchmarks/ (time to the LSD bar: TIMBRE_DATA=)
	$(RUN) pip install --disable-pip-version-check -q -e .[bench]
	.venv/bin/python benchmarks/bench.py --data $(TIMBRE_DATA)

lab: $(READY)  ## open JupyterLab
	$(RUN) jupyterlab notebooks

data: $(READY)  ## download the original recordings of DOMAIN and rebuild its files in TIMBRE_DATA
	$(RUN) timbrelib download --domain $(DOMAIN)

train: $(READY)  ## train a model named NAME on DOMAIN's recordings in TIMBRE_DATA
	$(RUN) timbrelib train $(TIMBRE_DATA)/$(DOMAIN) --name $(NAME) \
	    $(if $(STEPS),--steps $(STEPS)) $(if $(SHIFTS),--shifts $(SHIFTS)) $(FLAGS)

scorecard: $(READY)  ## measure the examples, and the model on the recordings in TIMBRE_DATA
	$(RUN) timbrelib scorecard $(MODEL:%=--model %) $(if $(wildcard $(TIMBRE_DATA)),--data $(TIMBRE_DATA))

notebooks: $(READY)  ## execute the committed notebooks in place
	OMP_NUM_THREADS=1 $(RUN) jupyter nbconvert --to notebook --execute --inplace --ExecutePreprocessor.record_timing=False \
	    --ExecutePreprocessor.store_widget_state=False $(NOTEBOOKS)
	sed -i -E 's/("model_id": ")[0-9a-f]{32}/\1/' $(NOTEBOOKS)  # of widgets that are no more; another every time

lint: $(READY)  ## check style and type hints
	$(RUN) ruff check .
	$(RUN) ruff format --check .
	$(RUN) mypy

lock: $(READY)  ## write requirements.lock from what is installed
	mkdir -p build
	{ head -n 1 requirements.lock; echo torch==2.13.0; \
	  $(RUN) pip freeze --all --exclude-editable | grep -vE '^(torch|pip|pyworld)==' | sort -f; } > build/lock
	mv build/lock requirements.lock

clean:  ## remove what make has built
	rm -rf .venv build site *.egg-info
