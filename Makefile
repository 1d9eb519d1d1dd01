# Every target does all set-up by itself (setup/run; nothing to do when it was done), then its job.
# More words for a target go in ARGS:  make test ARGS=tests/unit/setup
.DEFAULT_GOAL := help
.PHONY: help demo demo-voice dev test check format worker edge traces datasette bench bench-edge eval-routing setup clean
MAKEFLAGS += --no-print-directory
ARGS ?=

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-13s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: ## one spoken sentence, end to end: Temporal, worker and gateway start, agents work, the answer is shown, all ends
	@setup/run --tell node dev/main.ts demo $(ARGS)

demo-voice: ## the same, spoken: a WAV file is heard in real time, recognised, carried out and answered
	@setup/run --tell node dev/main.ts demo-voice $(ARGS)

dev: ## the stack for daily use; Ctrl-C ends all of it
	@setup/run --tell node dev/main.ts $(ARGS)

test: ## every test, then one line of counts
	@setup/run --tell node setup/test.mjs $(ARGS)

check: ## format, lint, types and import directions
	@setup/run node setup/check.mjs

format: ## write the format and what lint can mend by itself
	@setup/run sh -c 'prettier --write --log-level warn . && eslint . --fix'

worker: ## a worker alone, for a further host with an existing Temporal
	@setup/run node workers/main.ts $(ARGS)

edge: ## the voice edge (Windows PowerShell: npm run edge)
	@setup/run npm run --silent edge -- $(ARGS)

traces: ## trace files into SQLite, incrementally
	@setup/run node cli/main.ts traces import $(ARGS)

datasette: ## open Datasette on the traces
	@setup/datasette.sh

bench: ## the benchmarks; results in bench/results/
	@setup/run --tell node bench/main.ts $(ARGS)

bench-edge: ## the benchmarks of the voice edge; results in bench/results/
	@setup/run --tell node --expose-gc bench/main.ts --edge $(ARGS)

eval-routing: ## how well sentences are understood, on labelled data; results in evals/results/
	@setup/run --tell node --expose-gc evals/routing/main.ts $(ARGS)

setup: ## set-up alone, saying what was looked for and found
	@setup/run --tell true

clean: ## remove what set-up fetched and tests left; your data/ and logs/ stay
	@rm -rf .toolchain node_modules edge/node_modules coverage .cache
