# Shared by the scripts of this folder: sourced, from the top of the checkout.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

tools=.tools # Go and Node where the system's are missing or too old, and stamps
export PATH="$PWD/$tools/bin:$PATH"
export GOTOOLCHAIN=local # what is too old is replaced by us, not by a download of Go's
# One way of compiling for building, vetting and testing, so that each finds in Go's cache what another has compiled:
# static, and the same bytes wherever the checkout lies. Only the race detector needs C.
export CGO_ENABLED=0 GOFLAGS="${GOFLAGS:-} -trimpath -buildvcs=false"
mkdir -p "$tools"

say() { printf 'calanque: %s\n' "$*" >&2; }
die() { say "$*"; exit 1; }
has() { command -v "$1" >/dev/null 2>&1; }

# at_least WANTED HAVE: compares versions like 1.26.3.
at_least() { [ "$(printf '%s\n%s\n' "$1" "$2" | sort -V | head -n 1)" = "$1" ]; }

# quietly COMMAND…: shows what a command says only when it fails.
quietly() {
	local log="$tools/last.log"
	if ! "$@" >"$log" 2>&1 </dev/null; then
		tail -n 40 "$log" >&2
		return 1
	fi
}

# hash_of FIND-ARGUMENTS…: a hash of the names and contents of files.
hash_of() { find "$@" -type f -print0 | LC_ALL=C sort -z | xargs -0 sha256sum | sha256sum | cut -c 1-40; }
