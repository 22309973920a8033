# Two commands are all a newcomer needs: `make demo` and `make test`. Each sets up everything on a fresh machine.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
OUT ?= demo
CT ?=
SEED ?= 7
STUDIES ?= 200
# OPEN=0 stops after the files, without the review page.
OPEN ?= 1

# Of a phantom, and of nothing else, the model that was trained on phantoms may say something too: beside the measured
# sentences of the lungs stand its own.
LEARNED := RegionReportLib/model/demo/config.json

.PHONY: demo test test-all lint bench clean

demo: $(VENV)/.installed
ifeq ($(CT),)
	$(BIN)/regionreport phantom --seed $(SEED) --finding effusion:350:right --finding nodule:18:left:upper -o "$(OUT)/patient"
endif
	$(BIN)/regionreport draft "$(if $(CT),$(CT),$(OUT)/patient/ct.nii.gz)" -o "$(OUT)/report" --overwrite
ifeq ($(CT),)
ifneq ($(wildcard $(LEARNED)),)
	$(BIN)/regionreport redraft "$(OUT)/report" --region lungs --writer region-tokens --device cpu
endif
endif
	$(BIN)/regionreport show "$(OUT)/report"
	@echo
	@echo "Open $(OUT)/report/report.html in a browser, or $(OUT)/report/segmentation.seg.nrrd in 3D Slicer."
ifneq ($(OPEN),0)
	$(BIN)/regionreport review "$(OUT)/report"
endif

test: $(VENV)/.installed lint
	$(BIN)/pytest -n auto --dist loadfile -m "not slow"

test-all: $(VENV)/.installed lint
	$(BIN)/pytest -n auto --dist loadfile

lint: $(VENV)/.installed
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy

# Half an hour and more with 200 phantoms, which are made once; STUDIES=40 tells nearly the same.
bench: $(VENV)/.installed
	$(BIN)/python Testing/bench/stages.py
	$(BIN)/python Testing/bench/cohort.py --studies $(STUDIES)

clean:
	rm -rf $(VENV) demo build *.egg-info

$(VENV)/.installed: pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10))' || \
		{ echo "Python 3.10 or newer is needed (found $$($(PYTHON) --version)); set PYTHON=..."; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || \
		{ echo "Python's venv module is missing; on Debian: apt-get install python3-venv"; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --upgrade pip
	$(BIN)/pip install --quiet --editable ".[dev]" --constraint constraints.txt
	@touch $@
