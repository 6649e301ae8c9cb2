# The front door. Every target is one line; what it does is in runtime/ (python3 -m runtime --help).
PYTHON ?= python3
RUNTIME := $(PYTHON) -m runtime
PYTEST := $(RUNTIME) in dev python -m pytest
.DEFAULT_GOAL := help
.PHONY: help demo stop status logs clean env psql screenshots setup generate lock dbt-build dbt-test test test-fast lint lock-check bench

##@ Run
demo: ## everything on this machine, no Docker: servers, sample drops, pipeline, dashboards
	@$(RUNTIME) demo
stop: ## stop every server; data stays
	@$(RUNTIME) stop
clean: ## stop, and delete data, environments and settings (YES=1: without asking)
	@$(RUNTIME) clean $(if $(YES),--yes)

##@ Look
status: ## which servers run, and where
	@$(RUNTIME) status
logs: ## the end of every log; S=airflow-scheduler follows one
	@$(RUNTIME) logs $(S)
env: ## settings as shell exports: eval "$(make -s env)"
	@$(RUNTIME) env
psql: ## the warehouse, as its superuser
	@$(RUNTIME) psql

##@ Change
setup: ## the Python environments, those of the tests too
	@$(RUNTIME) setup runtime dbt airflow superset dev
generate: ## bronze models and dbt sources, anew from the contracts
	@$(RUNTIME) in dev python dbt/generate.py
dbt-build: ## build and test the models in your own schemas
	@$(RUNTIME) dbt build
lock: ## resolve every environment anew, write the requirement files
	@$(RUNTIME) lock
screenshots: ## pictures of the running platform for docs/
	@$(RUNTIME) in dev python tests/e2e/screenshots.py

##@ Check
test: ## the whole suite
	@$(RUNTIME) setup runtime dbt airflow superset dev
	@$(PYTEST)
test-fast: ## unit tests only, an answer in a minute
	@$(PYTEST) -n auto tests/unit
dbt-test: ## the tests of the models, on what is there
	@$(RUNTIME) dbt test
bench: ## what loads cost, against the server's limit (ROWS=1000000 ROUNDS=3 ONLY="first reload")
	@$(RUNTIME) in dev python -m bench $(if $(ROWS),--rows $(ROWS)) $(if $(ROUNDS),--rounds $(ROUNDS)) \
	  $(if $(PROFILES),--profiles $(PROFILES)) $(if $(ONLY),--only $(ONLY))
lint: ## ruff, mypy, sqlfluff
	@$(RUNTIME) lint
lock-check: ## whether the requirement files are what their pyproject.toml resolves to
	@$(RUNTIME) lock-check

help:
	@awk -F ':.*## ' '/^##@/ {printf "\n%s\n", substr($$0, 5)} /^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)
