#!/bin/bash
# Runs all tests: Go's with the race detector, the viewer's, and those in a browser. All run even when some fail.
. "$(dirname "$0")/lib.sh"

status=0
say "go test -race ./..."
CGO_ENABLED=1 go test -race -json -timeout 13m ./... | node .make/summary.mjs || status=$?
if [ -e viewer/package-lock.json ]; then
	cd viewer
	say "viewer: unit tests"
	npm run --silent test || status=$?
	say "viewer: tests in a browser"
	npm run --silent e2e || status=$?
fi
[ "$status" = 0 ] || die "tests failed"
say "all tests passed"
