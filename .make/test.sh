#!/bin/bash
# Runs all tests: Go's (with the race detector, but for the packages of .make/serial), the viewer's, and those in a
# browser. All run even when some fail.
. "$(dirname "$0")/lib.sh"

# go_tests prints Go's events. Vetting is make lint's. The longest package begins first, so that others run beside it to
# the end; the sample, which it draws several times and nothing draws at once, is not watched by the detector there either.
go_tests() {
	local serial watched status=0
	mapfile -t serial < <(sed '/^#/d; s|^|calanque/|' .make/serial)
	mapfile -t watched < <(go list ./... | grep -vxF "$(printf '%s\n' calanque/cmd/calanque "${serial[@]}")")
	go test -json -vet=off "${serial[@]}" || status=1
	CGO_ENABLED=1 go test -race -gcflags=calanque/osm/sample=-race=false -json -vet=off -timeout 13m \
		calanque/cmd/calanque "${watched[@]}" || status=1
	return "$status"
}

# viewer_tests: unit tests while a hub of our own, on a free port, draws and loads its sample; then those in a browser
# against it, alone on the machine.
viewer_tests() {
	local folder hub url status=0
	folder=$(mktemp -d /tmp/calanque-browser-XXXXXX)
	chmod 711 "$folder" # the database's user must get to its folder
	env -u DATABASE_URL -u CALANQUE_PUBLIC_URL LC_ALL=C CALANQUE_DATA="$folder/data" CALANQUE_ADDR=127.0.0.1:0 \
		bin/calanque demo --json >"$folder/demo.json" 2>"$folder/log" &
	hub=$!
	say "viewer: unit tests"
	(cd viewer && npm run --silent test) || status=$?
	say "viewer: tests in a browser"
	if url=$(node .make/await-hub.mjs "$folder/log"); then
		for _ in {1..100}; do # the mediator's account is made last
			[ ! -s "$folder/demo.json" ] || break
			sleep .1
		done
		(cd viewer && BASE_URL=$url DEMO_JSON=$folder/demo.json npm run --silent e2e) || status=$?
	else
		status=1
		tail -n 40 "$folder/log" >&2
	fi
	kill "$hub" && wait "$hub" || status=$?
	rm -rf "$folder"
	return "$status"
}

status=0
say "go test: with the race detector, but for $(sed '/^#/d' .make/serial | paste -sd ' ')"
go_tests | node .make/summary.mjs || status=$?
if [ -e viewer/package-lock.json ]; then
	viewer_tests || status=$?
fi
[ "$status" = 0 ] || die "tests failed"
say "all tests passed"
