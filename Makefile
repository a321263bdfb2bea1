# make demo   install into .venv, train a small network, quantise it, and look for deviations
# make test   install into .venv, and run all that this machine can check: lint, types, tests
# make        the same as make test

PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
STAMP  := $(VENV)/.installed
PLUGINS := $(wildcard plugins/*/pyproject.toml)
# Every optional part that the tests use; what is too heavy for them (litert-torch brings JAX) is left out.
EDITABLE := -e .[dev] -e plugins/dltf-drepair -e plugins/dltf-image -e plugins/dltf-onnxruntime[convert] -e plugins/dltf-openvino[int8] \
            -e plugins/dltf-speech[deepspeech,transformers,whisper] -e plugins/dltf-tflite \
            -e plugins/dltf-torch[int8,onnx,safetensors] -e plugins/dltf-vae[onnx]
SOURCES := src plugins tests examples benchmarks docs

.PHONY: all test lint types tests format demo install clean

all: test

test: lint types tests

install: $(STAMP)

# One pip call for host and plugins together, so that a plugin's "dltf>=…" is this checkout.
$(STAMP): pyproject.toml constraints.txt $(PLUGINS)
	@$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "dltf needs Python 3.11 or newer; try: make PYTHON=python3.11 " + "$(MAKECMDGOALS)")'
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt $(EDITABLE)
	touch $@

lint: $(STAMP)
	$(BIN)/ruff check $(SOURCES)
	$(BIN)/ruff format --check $(SOURCES)

types: $(STAMP)
	$(BIN)/mypy src/dltf $(patsubst %/pyproject.toml,%/src,$(PLUGINS))

tests: $(STAMP)
	$(BIN)/python -m pytest -n auto --dist worksteal

format: $(STAMP)
	$(BIN)/ruff check --fix $(SOURCES)
	$(BIN)/ruff format $(SOURCES)

demo: $(STAMP)
	rm -rf demo
	$(BIN)/python examples/demo/make_models.py demo
	$(BIN)/dltf run examples/demo/profile.toml --out demo/run
	$(BIN)/dltf export demo/run demo/found
	@echo
	@echo "Look at demo/found/previews: seed, finding and difference side by side."

clean:
	rm -rf $(VENV) demo runs build dist .mypy_cache .pytest_cache .ruff_cache .hypothesis
