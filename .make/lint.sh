#!/bin/bash
# Checks the form of the code: Go's and, beside it on another processor, the viewer's. What they find is printed and fails.
. "$(dirname "$0")/lib.sh"

go_lint() {
	local unformatted
	unformatted=$(find . \( -name node_modules -o -name '.?*' \) -prune -o -name '*.go' -print0 | xargs -0 go tool gofumpt -l)
	[ -z "$unformatted" ] || die "not formatted as gofumpt does: $unformatted"
	go vet ./...
	go tool staticcheck ./...
}

viewer_lint() {
	cd viewer
	npm run --silent lint
	npm run --silent check
}

say "lint: gofumpt, go vet, staticcheck"
(go_lint) &
go=$!
status=0
if [ -e viewer/package-lock.json ]; then
	say "lint: eslint, prettier, svelte-check"
	(viewer_lint) >"$tools/viewer-lint.log" 2>&1 &
	wait $! || status=$?
	[ "$status" = 0 ] || cat "$tools/viewer-lint.log" >&2
fi
wait "$go" || status=$?
exit "$status"
