# make figures   regenerate figures/ and Audio_Exemple/ from the shipped model
# make help      the rest

PYTHON ?= $(shell command -v python3.11 || command -v python3)
# Address of PyTorch's CPU wheels; without it pip takes the default build, several GB of CUDA on Linux.
TORCH_INDEX ?=
MODEL ?= violin
DESCRIPTORS ?= centroid fundamental
DOMAIN ?= violin
# Optimiser steps of train; the default is TrainingConfig's.
STEPS ?=
# Folder of recordings for train and data; figures and test never need it.
TIMBRE_DATA ?= recordings
export TIMBRE_DATA

RUN = .venv/bin/python -m
READY = .venv/ready
NOTEBOOKS = $(sort $(wildcard notebooks/*.ipynb))
# the notebooks run in their own folder, from which a model's relative path would lead elsewhere
PAPERMILL = $(RUN) papermill --cwd notebooks --no-log-output -p MODEL $(if $(wildcard $(MODEL)/),$(abspath $(MODEL)),$(MODEL))

.PHONY: help figures test lab train data scorecard notebooks lint lock clean
.DELETE_ON_ERROR:

help:  ## show this list
	@grep -E '^[a-z]+:.*##' Makefile | sed -E 's/:.*## /\t/' | expand -t 12

$(READY): requirements.lock pyproject.toml
	$(PYTHON) -c 'import sys; sys.version_info >= (3, 11) or sys.exit("Python 3.11 is needed: make PYTHON=/path/to/python3.11")'
	$(PYTHON) -m venv .venv
	$(RUN) pip install --disable-pip-version-check -q $(if $(TORCH_INDEX),--index-url $(TORCH_INDEX)) torch==2.13.0
	$(RUN) pip install --disable-pip-version-check -q -r requirements.lock
	$(RUN) pip install --disable-pip-version-check -q --no-deps --no-build-isolation -e .
	touch $@

figures: $(READY)  ## regenerate figures/ and Audio_Exemple/, print the scorecard (MODEL=, DESCRIPTORS=)
	mkdir -p build/notebooks
	$(PAPERMILL) notebooks/01_train.ipynb build/notebooks/01_train.ipynb
	{ for descriptor in $(DESCRIPTORS); do for name in 02_codebook_pca 03_descriptor_histogram 04_target_decode; do \
	    $(PAPERMILL) -p DESCRIPTOR $$descriptor notebooks/$$name.ipynb build/notebooks/$${name}_$$descriptor.ipynb || exit 1; \
	done; done; } & \
	for name in 06_scorecard $(if $(filter fundamental,$(DESCRIPTORS)),08_follow_a_line); do \
	    $(PAPERMILL) notebooks/$$name.ipynb build/notebooks/$$name.ipynb || exit 1; \
	done; wait $$!
	$(RUN) timbrelib scorecard --model $(MODEL)

test: $(READY)  ## run the tests
	$(RUN) pytest

lab: $(READY)  ## open JupyterLab
	$(RUN) jupyterlab notebooks

data: $(READY)  ## download the original recordings of DOMAIN and rebuild its files in TIMBRE_DATA
	$(RUN) timbrelib download --domain $(DOMAIN)

train: $(READY)  ## train a model on DOMAIN's recordings in TIMBRE_DATA, into models/DOMAIN
	$(RUN) timbrelib train --domain $(DOMAIN) $(if $(STEPS),--steps $(STEPS))

scorecard: $(READY)  ## measure the examples, and the model on the recordings in TIMBRE_DATA
	$(RUN) timbrelib scorecard --model $(MODEL) $(if $(wildcard $(TIMBRE_DATA)),--data $(TIMBRE_DATA))

notebooks: $(READY)  ## execute the committed notebooks in place
	$(RUN) jupyter nbconvert --to notebook --execute --inplace --ExecutePreprocessor.record_timing=False \
	    --ExecutePreprocessor.store_widget_state=False $(NOTEBOOKS)
	sed -i -E 's/("model_id": ")[0-9a-f]{32}/\1/' $(NOTEBOOKS)  # of widgets that are no more; another every time

lint: $(READY)  ## check style
	$(RUN) ruff check .
	$(RUN) ruff format --check .

lock: $(READY)  ## write requirements.lock from what is installed
	mkdir -p build
	{ head -n 1 requirements.lock; echo torch==2.13.0; \
	  $(RUN) pip freeze --all --exclude-editable | grep -vE '^(torch|pip)==' | sort -f; } > build/lock
	mv build/lock requirements.lock

clean:  ## remove what make has built
	rm -rf .venv build *.egg-info
