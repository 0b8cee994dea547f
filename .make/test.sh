#!/bin/bash
# Runs all tests: Go's with the race detector, the viewer's, and those in a browser. Prints a line for each package,
# what failed in full, what was skipped and why, and the number of tests that ran.
. "$(dirname "$0")/lib.sh"

summary='
/^=== |^ *--- PASS|^PASS$/ { next }
/^ *--- SKIP/ { skipped++ }
/^ok .*\t|^FAIL\t|^\?/ { if (/no test files/) next; packages++ }
{ print; fflush() }
'
say "go test -race ./..."
log=$tools/test.log
status=0
CGO_ENABLED=1 go test -race -v -timeout 13m ./... 2>&1 | tee "$log" | awk "$summary" || status=$?
passed=$(grep -c '^ *--- PASS' "$log" || true)
failed=$(grep -c '^ *--- FAIL' "$log" || true)
skipped=$(grep -c '^ *--- SKIP' "$log" || true)
say "go: $passed passed, $failed failed, $skipped skipped"

if [ -e viewer/package-lock.json ]; then
	cd viewer
	say "viewer: unit tests"
	npm run --silent test || status=$?
	say "viewer: tests in a browser"
	npm run --silent e2e || status=$?
fi
[ "$status" = 0 ] || die "tests failed"
say "all tests passed"
