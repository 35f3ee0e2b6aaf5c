# Everything a person or CI runs. `make help` lists it.
SHELL := /bin/bash
.DEFAULT_GOAL := help

## VENV: folder of the environments
VENV ?= .venv
UV := $(VENV)/uv/bin/uv
PIPELINE := $(VENV)/pipeline
SERVING := $(VENV)/serving
STACK := $(VENV)/stack.txt
## ROOT: folder of artifacts, logs and releases
ROOT ?= build/lookbook
SAMPLE := build/sample
## DATASET: your catalogue, a folder or zip (default: ./Dataset if there, else a drawn sample)
DATASET ?= $(if $(wildcard Dataset),Dataset,)
DATA := $(or $(DATASET),$(SAMPLE))
## PROFILE: quick, standard or best (default: standard for your catalogue, quick for the sample)
PROFILE ?= $(if $(DATASET),standard,quick)
## PRISM: Beam's Prism (default: build/bin/prism, which make test-distributed builds)
PRISM ?= build/bin/prism
## PYTEST_ARGS: for every pytest that make starts, as in PYTEST_ARGS='-k name'
PYTEST_ARGS ?=
## LOOKBOOK_STACK: py310 (TFX 1.16), py312 or py313 (TFX 1.21); default: that of the environment that is there, else the newest that fits
## LOOKBOOK_PYTHON: the Python that the environments are made from (default: the first that fits)
## REGISTRY: where make pin pushes the images, as in registry.example.com/lookbook
## CHROMIUM: the browser of test-page and screenshots (default: chromium on PATH)

export TF_CPP_MIN_LOG_LEVEL ?= 3
# Importing TFX without its bytecode takes 20 s more, each time.
export PYTHONDONTWRITEBYTECODE =

WEB := serving/web
SAY_SKIPPED = @if [ -s build/skipped.txt ]; then echo "Skipped, and why:"; sort -u build/skipped.txt; fi
OTHER_STACK := build/other-stack
# Minutes after which make test leaves the other stack out: it takes a quarter of an hour, on slow machines half of one.
HURRY := 40

.PHONY: help env env-serving run serve test check lint types imports locks lock test-pipeline test-distributed test-e2e test-heads test-beside test-other-stack test-cross test-serving contract test-page format clean \
  page bench-pipeline bench-scale bench-bulk bench-training bench-serving bench-index ablation sample proto stubs check-k8s pin check-processes check-cluster hardening soak mutations bandit sbom screenshots

help: ## this list
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / {printf "  make %-16s %s\n", $$1, $$2}' $(MAKEFILE_LIST)
	@echo; echo "Variables, as in make run PROFILE=quick:"
	@awk -F ': ' '/^## [A-Z_]+: / {sub("## ", ""); name = $$1; sub(name ": ", ""); printf "  %-16s %s\n", name, $$0}' $(MAKEFILE_LIST)

env: $(PIPELINE)/.installed $(SERVING)/.installed ## both locked environments, below $(VENV)

env-serving: ## the serving environment alone, on macOS too: merger, page, client, and lookbook classify against a server
	$(MAKE) --no-print-directory STACK=$(VENV)/serving.txt LOOKBOOK_STACK=serving $(SERVING)/.installed

run: env page $(if $(DATASET),,$(SAMPLE)/styles.csv) ## data → pipeline → release → served answer
	$(PIPELINE)/bin/lookbook run --data $(DATA) --profile $(PROFILE) --root $(ROOT) --ask 3

serve: env page ## model server, merger and page on the current release, until Ctrl-C
	$(SERVING)/bin/python -m serving.stack --release $(ROOT)/release

# Two parts at a time, since each keeps about one core busy; those that measure what an answer takes run alone.
test: ## all that CI runs: check, test-pipeline, test-e2e, test-distributed, test-serving, test-page, check-k8s, and the other stack's contract and test-cross; as root it installs what they need
	./requirements/system.sh
	rm -f build/skipped.txt
	mkdir -p build && touch build/started
	$(MAKE) --no-print-directory check
	$(MAKE) --no-print-directory --jobs=2 test-e2e test-pipeline test-distributed check-k8s
	$(MAKE) --no-print-directory test-serving test-page
	@if [ "$$(find build/started -mmin +$(HURRY))" ]; then \
	  echo "  the other stack: all else took over $(HURRY) minutes of the hour that CI has; make test-beside runs it" >> build/skipped.txt; \
	else ./requirements/test_other_stack.sh $(OTHER_STACK) contract; fi
	$(SAY_SKIPPED)

test-pipeline: env page ## tests of schema, components, pipeline and model server, but for the main job
	$(PIPELINE)/bin/python -m pytest tests $(foreach part,e2e distributed serving browser contract cross k8s hardening/serving,--ignore=tests/$(part)) -m "not slow" $(PYTEST_ARGS)

test-heads: env ## a head that is a row of the table, from CSV to merged answer; five minutes
	$(PIPELINE)/bin/python -m pytest tests/e2e/test_added_heads.py $(PYTEST_ARGS)

test-e2e: env page ## the main job, from a catalogue to a served answer
	$(PIPELINE)/bin/python -m pytest tests/e2e -m "not slow" $(PYTEST_ARGS)

test-beside: env ## the other stack beside this one: its end-to-end and contract tests, and test-cross; 25 to 45 minutes
	rm -f build/skipped.txt
	./requirements/test_other_stack.sh $(OTHER_STACK) test-e2e contract
	$(SAY_SKIPPED)

test-other-stack: env ## all of that, and make run and the whole test-pipeline and test-serving in the other stack; half an hour
	rm -f build/skipped.txt
	./requirements/test_other_stack.sh $(OTHER_STACK) run test-pipeline test-e2e test-serving contract
	$(SAY_SKIPPED)

test-cross: env ## releases that cross between this stack and the other, where test-beside left one
	LOOKBOOK_OTHER_STACK=$(wildcard $(abspath $(OTHER_STACK)/enter)) $(PIPELINE)/bin/python -m pytest tests/cross -s --basetemp=$(abspath $(OTHER_STACK)/tmp) $(PYTEST_ARGS)

test-distributed: env ## Beam's steps on Prism, which Go builds, by workers that share the data and the root alone; as root (PYTEST_ARGS='-m slow': a whole run, whose worker dies)
	@command -v go >/dev/null || test -x $(PRISM) || echo "Prism is not built: no go here; the tests are skipped."
	if command -v go >/dev/null && ! test -x $(PRISM); then \
	  GOBIN=$(dir $(abspath $(PRISM))) go install github.com/apache/beam/sdks/v2/go/cmd/prism@v$$($(PIPELINE)/bin/python -c 'import importlib.metadata; print(importlib.metadata.version("apache-beam"))') || \
	  echo "Prism is not built: go could not install it, as it says above; the tests are skipped."; fi
	PRISM=$(abspath $(PRISM)) $(PIPELINE)/bin/python -m pytest tests/distributed -m "not slow" $(PYTEST_ARGS)

test-serving: env ## tests of the merger, without TensorFlow in its process
	$(SERVING)/bin/python -m pytest tests/serving tests/contract tests/hardening/serving -m "not slow" $(PYTEST_ARGS)

contract: env ## what a model server owes its callers: MODEL_SERVER=host:port (and MODELS=a,b), else the embedded one
	MODEL_SERVER=$(MODEL_SERVER) MODELS=$(MODELS) $(SERVING)/bin/python -m pytest tests/contract $(PYTEST_ARGS)

test-page: env page ## the page: its components, and the built page in headless Chromium
	if command -v npm >/dev/null; then cd $(WEB) && npm run check; fi
	$(SERVING)/bin/python -m pytest tests/browser $(PYTEST_ARGS)

screenshots: env page ## takes the README's pictures of the page, over the current release
	$(PIPELINE)/bin/python -m tests.browser.screenshots --release $(ROOT)/release

check-k8s: env $(VENV)/checks/.installed ## all checks of the manifests, with their pods as processes, a release swap under load and the canary
	PATH="$(abspath $(PIPELINE))/bin:$$PATH" $(PIPELINE)/bin/python -m pytest tests/k8s -m "not live" $(PYTEST_ARGS)

pin: ## builds and pushes the images to REGISTRY, on base images by digest, and writes all digests into k8s/overlays/prod
	./k8s/images/pin.sh $(REGISTRY)

check-processes: env ## pods roll, die and multiply as processes of this machine, under load; a quarter of an hour
	$(PIPELINE)/bin/python -m pytest tests/k8s/test_pod_run.py -m live -s $(PYTEST_ARGS)

check-cluster: env ## deploys to the cluster of KUBECONFIG, rolls and kills pods under load, counts lost calls, cleans up
	$(PIPELINE)/bin/python -m tests.k8s.live

$(VENV)/checks/.installed: requirements/checks.txt $(UV)
	$(UV) venv --quiet --allow-existing --python $(PYTHON) $(VENV)/checks
	$(UV) pip sync --quiet --require-hashes --python $(VENV)/checks/bin/python requirements/checks.txt
	touch $@

hardening: env bandit $(VENV)/hardening/.installed ## load, faults and hostile input, all of it; the table also in build/hardening.json
	rm -f build/hardening.json
	$(SERVING)/bin/python -m pytest tests/hardening/serving --promises build/hardening.json $(PYTEST_ARGS)
	$(PIPELINE)/bin/python -m pytest tests/hardening/pipeline --promises build/hardening.json $(PYTEST_ARGS)

soak: env $(VENV)/hardening/.installed ## a quarter of an hour of ordinary load: nothing may grow
	LOOKBOOK_SOAK_S=900 $(SERVING)/bin/python -m pytest tests/hardening/serving/test_load.py -k soak --promises build/hardening.json

bandit: $(VENV)/hardening/.installed ## looks through our own code for what is known to be dangerous
	$(VENV)/hardening/bin/bandit --quiet --configfile pyproject.toml --recursive schema serving pipeline components

mutations: env ## breaks the code in known places and expects the tests to turn red; ten minutes
	$(PIPELINE)/bin/python -m tests.mutations

sbom: $(VENV)/hardening/.installed ## what the locked environments are made of, as CycloneDX in build/sbom
	mkdir -p build/sbom
	for lock in pipeline-py310 pipeline-py312 pipeline-py313 serving; do $(VENV)/hardening/bin/cyclonedx-py requirements requirements/$$lock.txt \
	  --output-reproducible --output-file build/sbom/$$lock.json || exit 1; done

$(VENV)/hardening/.installed: requirements/hardening.txt $(UV)
	$(UV) venv --quiet --allow-existing --python $(PYTHON) $(VENV)/hardening
	$(UV) pip sync --quiet --require-hashes --python $(VENV)/hardening/bin/python requirements/hardening.txt
	touch $@

page: ## builds the page where node is found, and says so where it is not
	@if command -v npm >/dev/null; then $(MAKE) --no-print-directory $(WEB)/dist/index.html; \
	else echo "The page is not built: no npm here; install node 20, or use the merger's container, which brings it."; fi

$(WEB)/node_modules/.package-lock.json: $(WEB)/package-lock.json
	cd $(WEB) && npm ci --no-audit --no-fund

$(WEB)/dist/index.html: $(WEB)/node_modules/.package-lock.json $(shell find $(WEB)/src $(WEB)/tab $(WEB)/scripts $(WEB)/index.html $(WEB)/vite.config.ts 2>/dev/null)
	cd $(WEB) && npm run build

bench-pipeline: env ## time and memory of the pipeline around training; wants DATASET
	$(PIPELINE)/bin/python -m pipeline.bench --data $(DATA)

bench-scale: env ## time and memory of imports of 40,000 to 320,000 drawn rows; half an hour (SIZES=40000,80000); on Prism too, where it is built
	$(PIPELINE)/bin/python -m tests.load.scale_bench $(if $(SIZES),--sizes $(SIZES)) $(if $(wildcard $(PRISM)),--prism $(PRISM))

bench-bulk: env ## bulk classification beside raw batches through the same models, on the current release; wants DATASET
	$(PIPELINE)/bin/python -m tests.load.bulk_bench --data $(DATA) --root $(ROOT) $(if $(PICTURES),--pictures $(PICTURES))

bench-training: env ## what each phase of a training takes of the processor for a picture (PROFILE=standard; TF_ENABLE_ONEDNN_OPTS=0: without oneDNN)
	TF_ENABLE_ONEDNN_OPTS=$${TF_ENABLE_ONEDNN_OPTS-1} $(PIPELINE)/bin/python -m tests.load.training_bench --profile $(PROFILE)

ablation: env ## what each part of the training brings, a run a part; wants DATASET
	$(PIPELINE)/bin/python -m pipeline.ablation --data $(DATA)

bench-serving: env ## five ways to the same models, side by side, on the current release
	$(SERVING)/bin/python -m tests.load.serving_bench --release $(ROOT)/release

bench-index: env $(UV) ## libraries to find similar products among more than a model remembers, on the current release's; fetches them (SIZES=40000,400000)
	$(PIPELINE)/bin/python -m tests.load.index_bench vectors $(ROOT)/release build/bench/index.npy
	OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 $(UV) run --no-project --isolated --python $(PIPELINE)/bin/python --with click --with faiss-cpu==1.15.1 \
	  --with usearch==2.26.5 --with scann==1.4.2 python -m tests.load.index_bench measure build/bench/index.npy $(if $(SIZES),--sizes $(SIZES))

proto: $(UV) ## the code and schemas of serving/proto, anew from the .proto
	UV=$(abspath $(UV)) serving/tools/generate_proto.sh

stubs: env ## the stubs of TensorFlow Serving's API, anew from the installed packages
	$(PIPELINE)/bin/python -m serving.tools.gather_stubs

check: lint types imports locks ## ruff, mypy, import-linter, locks in step with setup.py

lint: env ## ruff: rules and format
	$(PIPELINE)/bin/ruff check .
	$(PIPELINE)/bin/ruff format --check .

types: env ## mypy, each side in its environment
	$(PIPELINE)/bin/mypy --cache-dir .mypy_cache/pipeline schema components pipeline
	$(SERVING)/bin/mypy --cache-dir .mypy_cache/serving serving

imports: env ## import-linter: the order of the rooms
	$(PIPELINE)/bin/lint-imports

locks: env ## are the locks in step with setup.py?
	$(PIPELINE)/bin/python requirements/check_locks.py

lock: $(UV) ## resolves requirements/*.txt anew from setup.py
	./requirements/lock.sh $(UV)

format: env ## formats and mends what ruff can mend
	$(PIPELINE)/bin/ruff check --fix .
	$(PIPELINE)/bin/ruff format .

clean: ## removes what runs made; environments stay
	rm -rf build

sample: $(SAMPLE)/styles.csv ## draws the sample catalogue into $(SAMPLE)

$(SAMPLE)/styles.csv: $(PIPELINE)/.installed
	$(PIPELINE)/bin/lookbook data sample $(SAMPLE)

# "py310 /usr/bin/python3.10": what was picked stays, until LOOKBOOK_STACK or LOOKBOOK_PYTHON says something else.
$(STACK): $(if $(filter-out $(file <$(STACK)),$(LOOKBOOK_STACK) $(LOOKBOOK_PYTHON)),FORCE)
	mkdir -p $(VENV) && VENV=$(VENV) ./requirements/find_python.sh > $@.new
	cmp -s $@.new $@ && rm $@.new || mv $@.new $@
FORCE:
PYTHON = "$$(cut -d ' ' -f 2- $(STACK))"

$(UV): requirements/uv.txt $(STACK)
	$(PYTHON) -m venv --clear $(VENV)/uv
	$(VENV)/uv/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes --requirement requirements/uv.txt

$(PIPELINE)/.installed: $(wildcard requirements/pipeline-*-dev.txt) setup.py $(UV)
	./requirements/install.sh $(UV) $(PYTHON) $(PIPELINE) requirements/pipeline-$$(cut -d ' ' -f 1 $(STACK))-dev.txt

$(SERVING)/.installed: requirements/serving-dev.txt setup.py $(UV)
	./requirements/install.sh $(UV) $(PYTHON) $(SERVING) $<
