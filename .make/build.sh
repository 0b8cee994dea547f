#!/bin/bash
# Makes bin/calanque: the viewer first (only when its sources changed), because the program embeds it.
. "$(dirname "$0")/lib.sh"

build_viewer() {
	local lock built
	lock=$(hash_of viewer/package.json viewer/package-lock.json viewer/.npmrc)-$(node --version)
	if [ "$(cat viewer/node_modules/.stamp 2>/dev/null)" != "$lock" ]; then
		say "fetching the viewer's packages"
		(cd viewer && quiet_npm ci)
		echo "$lock" >viewer/node_modules/.stamp
	fi
	built=$lock-$(hash_of viewer \( -name node_modules -o -path viewer/dist -o -name '*.go' \) -prune -o)
	if [ "$(cat "$tools/viewer.stamp" 2>/dev/null)" != "$built" ] || [ ! -e viewer/dist/manifest.json ]; then
		say "building the viewer"
		(cd viewer && quiet_npm run build)
		echo "$built" >"$tools/viewer.stamp"
	fi
}

quiet_npm() { tools=../$tools quietly npm "$@"; }

[ ! -e viewer/package-lock.json ] || build_viewer

# bin/calanque is replaced only when it changed: it keeps its date otherwise, by which the demo knows whether its sample
# is still the one this program draws.
[ -e bin/calanque ] || say "building bin/calanque (the first time takes a minute or two)"
quietly go build -ldflags '-s -w' -o "$tools/calanque" ./cmd/calanque
if ! cmp -s "$tools/calanque" bin/calanque; then
	mkdir -p bin
	cp "$tools/calanque" bin/calanque.new
	mv bin/calanque.new bin/calanque
fi
