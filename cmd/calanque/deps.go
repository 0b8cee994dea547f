//go:build deps

// This file holds the modules that the packages under construction need, and goes when they import them.
package main

import (
	_ "github.com/alecthomas/kong"
	_ "github.com/getkin/kin-openapi/openapi3"
	_ "github.com/google/go-cmp/cmp"
	_ "github.com/gorilla/mux"
	_ "github.com/jackc/pgx/v5"
	_ "github.com/jackc/pgx/v5/pgxpool"
	_ "github.com/klauspost/compress/gzip"
	_ "github.com/maypok86/otter/v2"
	_ "github.com/paulmach/orb"
	_ "github.com/paulmach/orb/clip"
	_ "github.com/paulmach/orb/encoding/ewkb"
	_ "github.com/paulmach/orb/encoding/mvt"
	_ "github.com/paulmach/orb/maptile"
	_ "github.com/pressly/goose/v3"
	_ "github.com/pressly/goose/v3/lock"
	_ "github.com/qedus/osmpbf"
	_ "github.com/qedus/osmpbf/OSMPBF"
	_ "github.com/twpayne/go-geom"
	_ "github.com/twpayne/go-geom/encoding/ewkb"
	_ "go.yaml.in/yaml/v4"
	_ "golang.org/x/sync/errgroup"
	_ "golang.org/x/sync/singleflight"
	_ "golang.org/x/sys/unix"
	_ "golang.org/x/term"
	_ "golang.org/x/text/encoding/charmap"
	_ "golang.org/x/text/language"
	_ "golang.org/x/text/unicode/norm"
	_ "google.golang.org/protobuf/proto"
	_ "modernc.org/sqlite"
)
