# The front door. Every target is one line; what it does is in runtime/ (python3 -m runtime --help).
PYTHON ?= python3
RUNTIME := $(PYTHON) -m runtime
PYTEST := $(RUNTIME) in dev python -m pytest
.DEFAULT_GOAL := help
.PHONY: help demo stop up down restart build status ps logs shell psql traffic onboard pages trigger env clean screenshots setup generate \
  lock dbt-build dbt-test test test-fast test-compose conformance test-live lint lock-check bench

##@ Run
demo: ## everything on this machine, no Docker: servers, sample drops, pipeline, dashboards
	@$(RUNTIME) demo
stop: ## stop the servers of `make demo`; data stays
	@$(RUNTIME) stop
up: ## everything in containers (PROFILE=distributed: Celery, three workers; DEV=1: your working copy inside)
	@$(RUNTIME) up $(if $(PROFILE),--profile $(PROFILE)) $(if $(DEV),--dev)
down: ## stop and remove the containers; data stays in volumes (VOLUMES=1: goes as well)
	@$(RUNTIME) down $(if $(VOLUMES),--volumes)
restart: ## restart the containers (S=superset: those of one service)
	@$(RUNTIME) restart $(S)
build: ## the container images
	@$(RUNTIME) build
traffic: ## the shop behind the domain orders takes orders: make traffic MINUTES=60 SEED=7, minutes of its life
	@$(RUNTIME) traffic $(MINUTES) $(if $(SEED),--seed $(SEED))
onboard: ## a new dataset, from its files to a dashboard: make onboard FILES="a.csv b.csv" (YES=1: ask nothing)
	@$(RUNTIME) onboard $(FILES) $(if $(DOMAIN),--domain $(DOMAIN)) $(if $(DATASET),--dataset $(DATASET)) $(if $(YES),--yes)
pages: ## reports and profiles for a browser on this machine, read-only, until Ctrl-C
	@$(RUNTIME) pages
trigger: ## start a run of a DAG and follow it to its end: make trigger DAG=bank
	@$(RUNTIME) trigger $(DAG)
clean: ## stop, and delete data, environments and settings (YES=1: without asking)
	@$(RUNTIME) clean $(if $(YES),--yes)

##@ Look
status: ## which runtime is up, and where its servers are
	@$(RUNTIME) status
ps: ## the containers and their health
	@$(RUNTIME) ps
logs: ## the end of every log; S=airflow-scheduler follows one
	@$(RUNTIME) logs $(S)
env: ## settings as shell exports: eval "$(make -s env)"
	@$(RUNTIME) env
psql: ## the warehouse, as its superuser
	@$(RUNTIME) psql
shell: ## a shell inside, with goldworks, airflow and dbt (S=superset: another container)
	@$(RUNTIME) shell $(S)

##@ Change
setup: ## the Python environments, those of the tests too
	@$(RUNTIME) setup runtime dbt airflow superset dev stand-ins
generate: ## bronze models from the contracts, and what Superset calls its columns from dbt
	@$(RUNTIME) in dev python dbt/generate.py
	@$(RUNTIME) in dev python superset/describe.py
dbt-build: ## build and test the models in your own schemas
	@$(RUNTIME) dbt build
lock: ## resolve every environment again, write the requirement files
	@$(RUNTIME) lock
screenshots: ## pictures of the running platform for docs/
	@$(RUNTIME) in dev python tests/e2e/screenshots.py

##@ Check
test: ## the whole suite
	@$(RUNTIME) setup runtime dbt airflow superset dev stand-ins
	@$(PYTEST) -n 2 --durations 20 --durations-min 20
test-fast: ## unit tests only, an answer in a minute
	@$(PYTEST) -n auto tests/unit
test-compose: ## `make up` from nothing in a project of its own: DAGs, dashboards, a killed worker, a restarted database
	@$(RUNTIME) setup dev
	@$(PYTEST) -m compose tests/compose
conformance: ## every warehouse held to the model at length: random histories, kills (RUNS=1000 KILLS=50 SEED=1)
	@$(RUNTIME) setup runtime dev stand-ins
	@seed=$(or $(SEED),$$(date +%s)); echo "seed $$seed"; \
	  GOLDWORKS_STATE_MACHINE_RUNS=$(or $(RUNS),1000) GOLDWORKS_KILLS=$(or $(KILLS),50) \
	  GOLDWORKS_REBUILDS=$(or $(REBUILDS),30) GOLDWORKS_SEED=$$seed $(PYTEST) --hypothesis-seed=$$seed tests/conformance
test-live: ## conformance on a Redshift or Snowflake of yours, in a database made for it (TARGET=redshift YES=1)
	@$(RUNTIME) setup runtime dev stand-ins
	@$(RUNTIME) in dev python -m tests.conformance.live $(TARGET) $(if $(YES),--yes)
dbt-test: ## the tests of the models, on what is there
	@$(RUNTIME) dbt test
bench: ## what loads cost, against the server's limit (ROWS=1000000 ROUNDS=3 ONLY="first reload" AGAINST=../before)
	@$(RUNTIME) in dev python -m bench $(if $(ROWS),--rows $(ROWS)) $(if $(ROUNDS),--rounds $(ROUNDS)) \
	  $(if $(PROFILES),--profiles $(PROFILES)) $(if $(ONLY),--only $(ONLY)) \
	  $(if $(AGAINST),--against $(AGAINST)) $(if $(WITHOUT),--without $(WITHOUT))
lint: ## code, SQL, workflows, wording; whether contracts, models and charts fit
	@$(RUNTIME) lint
lock-check: ## whether the requirement files are what their pyproject.toml resolves to
	@$(RUNTIME) lock-check

help:
	@awk -F ':.*## ' '/^##@/ {printf "\n%s\n", substr($$0, 5)} /^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)
