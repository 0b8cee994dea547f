# Calanque: build, run and test. `make` alone is needed; the rest comes by itself.
# The longer shell is in .make/, with relative paths only: make can't handle spaces in absolute ones.

.DEFAULT_GOAL := help
.PHONY: help run build test lint bench clean

help: ## list the targets
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/  make \1\t\2/p' Makefile | expand -t 18

run: ## build, then show a fictional commune on http://127.0.0.1:8080
	@.make/prepare.sh run
	@.make/build.sh
	@exec bin/calanque demo

build: ## make bin/calanque, with the viewer in it
	@.make/prepare.sh build
	@.make/build.sh

test: ## lint and run all tests
	@.make/prepare.sh test
	@.make/build.sh
	@.make/lint.sh
	@.make/test.sh

lint: ## check the form of the code: gofumpt, vet, staticcheck; eslint, prettier, svelte-check
	@.make/prepare.sh build
	@.make/build.sh
	@.make/lint.sh

bench: ## run the benchmarks; compare two runs with `go tool benchstat old new`
	@.make/prepare.sh test
	@.make/bench.sh

clean: ## remove what was built; downloaded tools and your data stay
	@.make/clean.sh
