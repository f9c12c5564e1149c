# Each target does its own set-up: Python 3.11 or newer and make are all that a fresh machine needs.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed

.PHONY: help messages demo bundle sbom licences test test-oldest test-newest test-rule-mutants mutants test-slow test-spark coverage properties check format docs site fuzz bench bench-ledger bench-rules bench-linkage bench-read bench-sampling bench-scale constraints sample clean

help:            ## what each target does
	@grep -E '^[a-z-]+: .*##' $(MAKEFILE_LIST) | sed -E 's/:.*##/  /'

$(STAMP): constraints.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "fupin needs Python 3.11 or newer; try: make PYTHON=python3.12"; exit 1; }
	@$(PYTHON) -m venv $(VENV) || { echo "no venv module; on Debian: apt-get install python3-venv"; exit 1; }
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --only-binary :all: --require-hashes --requirement constraints.txt
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $(STAMP)

demo: $(STAMP)   ## reconcile the sample data, both stages, into demo/
	$(BIN)/fupin run sample_data -o demo
	@$(BIN)/python tests/check_demo.py demo sample_data/truth
	@$(BIN)/fupin rules compare --pack exit-national --pack shaanxi --run demo | head -7
	@rm -rf demo-cases
	@$(BIN)/fupin cases round demo --ledger demo-cases
	@$(BIN)/fupin cases dispatch --due 2030-01-01 --ledger demo-cases
	@rm -rf demo-audit
	@$(BIN)/fupin sample draw county demo -o demo-audit --list sample_data/audit/未建档立卡农户名单.xlsx

# The tests start the program hundreds of times; an installed one is compiled once, not at every start.
unexport PYTHONDONTWRITEBYTECODE

# Two processes side by side keep two cores busy; a second thread in each would only wait for the first.
PYTEST := POLARS_MAX_THREADS=1 $(BIN)/python -m pytest -n 2

test: $(STAMP)   ## the tests, without the slow ones
	$(PYTEST)

# Both resolve the program's own dependencies anew; the tools that test stay as they are pinned.
test-oldest: $(STAMP)  ## the same with the lowest version of everything that pyproject.toml allows
	$(BIN)/python tools/bounds.py oldest > $(VENV)/oldest.txt
	$(call test_with,oldest)

test-newest: $(STAMP)  ## the same with the newest versions that it allows
	$(BIN)/python tools/bounds.py newest > $(VENV)/newest.txt
	$(call test_with,newest)

define test_with
	rm -rf $(VENV)-$(1)
	$(PYTHON) -m venv $(VENV)-$(1)
	$(VENV)-$(1)/bin/python -m pip install --quiet --disable-pip-version-check --only-binary :all: --requirement $(VENV)/$(1).txt
	$(VENV)-$(1)/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	$(VENV)-$(1)/bin/python -m pip check
	POLARS_MAX_THREADS=1 $(VENV)-$(1)/bin/python -m pytest -n 2
endef

test-rule-mutants: $(STAMP)  ## change every threshold and operator of every shipped rule: an example must notice
	$(BIN)/python -m pytest -q -m "" tests/test_mutants.py

# PACKAGES=cases and ONLY=cases/keys do a part of it, SAMPLE=120 SEED=2 a random sample of each package. What survives is printed; tools/mutants.toml says
# what makes no difference.
PACKAGES ?= normalise cases rules
mutants: $(STAMP)  ## change the program in 2,500 places, one at a time: a test must notice; takes an hour
	$(BIN)/python tools/mutants.py $(PACKAGES)

test-slow: $(STAMP)  ## the slow ones
	$(BIN)/python -m pytest -m slow

# PySpark is large, and only here: make test-spark SPARK='pyspark==3.5.*' takes another version.
SPARK ?= pyspark
test-spark:      ## a Spark cluster on this computer says what two threads say, also when computers of it die; needs Java
	rm -rf $(VENV)-spark
	$(PYTHON) -m venv $(VENV)-spark
	$(VENV)-spark/bin/python -m pip install --quiet --disable-pip-version-check --only-binary :all: --require-hashes --requirement constraints.txt
	$(VENV)-spark/bin/python -m pip install --quiet --disable-pip-version-check --editable '.[spark]' '$(SPARK)'
	$(VENV)-spark/bin/python -m pytest -m slow tests/test_spark.py

# A test that fails under tracing (it is slower) does not keep the report back, but the target fails for it.
coverage: $(STAMP)  ## the share of branches that tests take, in the processes that tests start, too; over an hour
	rm -f $(VENV)/coverage*
	POLARS_MAX_THREADS=1 $(BIN)/coverage run -m pytest -q --timeout 900 $(TESTS); tested=$$?; \
	$(BIN)/coverage combine -q && $(BIN)/coverage report --skip-covered --sort=miss && \
	$(BIN)/coverage json -q -o $(VENV)/branches.json && \
	$(BIN)/python tools/branches.py $(VENV)/branches.json 95 && exit $$tested

check: $(STAMP)  ## ruff, and mypy strict
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format: $(STAMP) ## let ruff mend what it can
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

docs: $(STAMP)   ## print commands, glossary, checks and the session into the documents
	$(BIN)/python tests/make_docs.py

messages: $(STAMP)  ## collect what the program says into the Chinese catalogue, and make it ready
	$(BIN)/python tests/make_messages.py

site: $(STAMP)   ## the documents as web pages, in site/
	$(BIN)/python -m mkdocs build --quiet --strict

properties: $(STAMP)  ## every property on forty times as many invented cases: more than 100,000
	FUPIN_EXAMPLES=40 $(PYTEST) -m hypothesis --timeout 7200

fuzz: $(STAMP)   ## 50,000 damaged files through the readers
	$(BIN)/python tests/fuzz_readers.py --count 50000

bench-read: $(STAMP)  ## a workbook of 1 M rows and 2 GB of GB18030 beside the bare libraries; needs 6 GB of disk
	$(BIN)/python bench/read_scale.py

bench: $(STAMP)  ## linkage of 1 M persons with 10 M rows beside its floor; needs 4 GiB of memory
	$(BIN)/python bench/link_scale.py

bench-rules: $(STAMP)  ## all packs over 0.1, 1 and 4 M persons; needs 24 GiB of memory
	POLARS_MAX_THREADS=2 $(BIN)/python bench/rules.py

bench-ledger: $(STAMP)  ## 500,000 cases: two rounds, lists, 1,000 workbooks of 200; needs 3 GiB of memory
	$(BIN)/python bench/ledger.py

bench-sampling: $(STAMP)  ## do the intervals of samples hold the truth: 15 invented populations, 500 draws each
	$(BIN)/python bench/sampling.py 500

bench-scale: $(STAMP)  ## whole runs over 0.1, 0.3 and 1 M persons with ten times as many rows; takes long
	$(BIN)/python bench/scale.py

bench-linkage: $(STAMP)  ## linkage beside Splink, on hard and easy worlds of 200 k with 1 M; takes half an hour
	$(BIN)/python bench/linkage.py hard
	$(BIN)/python bench/linkage.py easy

sample: $(STAMP) ## make sample_data anew from its committed seed
	$(BIN)/fupin synth --office sample_data

constraints: $(STAMP)  ## resolve and pin again, with hashes and without hosts
	$(BIN)/python -c 'import tomllib; d = tomllib.load(open("pyproject.toml", "rb")); \
	  print(*d["dependency-groups"]["dev"], *d["build-system"]["requires"], "editables", sep="\n")' > .venv/dev.in
	$(BIN)/pip-compile --quiet --generate-hashes --strip-extras --allow-unsafe --extra synth --extra database --extra seal \
	  --no-emit-index-url --no-emit-find-links --no-emit-trusted-host --no-header --no-annotate \
	  --output-file constraints.txt pyproject.toml .venv/dev.in

licences: $(STAMP)  ## whether every part's licence is allowed
	$(BIN)/python tools/parts.py licences

sbom: $(STAMP)   ## the bill of materials, CycloneDX, in dist/
	@mkdir -p dist
	$(BIN)/python tools/parts.py sbom > dist/fupin.cdx.json

# One folder for each system and version of Python: make bundle PYTHON_VERSION=3.12
PYTHON_VERSION ?= $(shell $(PYTHON) -c 'import sys; print("%d.%d" % sys.version_info[:2])')
bundle: $(STAMP) ## folders to carry to computers without network, for Linux and for Windows, in bundle/
	$(BIN)/python tools/bundle.py linux-x86_64 $(PYTHON_VERSION)
	$(BIN)/python tools/bundle.py windows-amd64 $(PYTHON_VERSION)

clean:           ## remove what was made
	rm -rf $(VENV) $(VENV)-oldest $(VENV)-newest $(VENV)-spark demo demo-cases demo-audit dist build bundle site sample_data/.fupin sample_data/runs sample_data/cases .pytest_cache .mypy_cache .ruff_cache .hypothesis
