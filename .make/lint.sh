#!/bin/bash
# Checks the form of the code. What it finds is printed and fails.
. "$(dirname "$0")/lib.sh"

say "lint: gofumpt, go vet, staticcheck"
unformatted=$(find . \( -name node_modules -o -name '.?*' \) -prune -o -name '*.go' -print0 | xargs -0 go tool gofumpt -l)
[ -z "$unformatted" ] || die "not formatted as gofumpt does: $unformatted"
go vet ./...
go tool staticcheck ./...
if [ -e viewer/package-lock.json ]; then
	say "lint: eslint, prettier, svelte-check"
	cd viewer
	npm run --silent lint
	npm run --silent check
fi
