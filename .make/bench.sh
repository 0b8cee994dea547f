#!/bin/bash
# Runs the benchmarks ten times, as benchstat wants them.
. "$(dirname "$0")/lib.sh"
go test -run '^$' -bench . -benchmem -count "${COUNT:-10}" ./...
