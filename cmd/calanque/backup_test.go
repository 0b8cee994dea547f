package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"

	"calanque/geo"
	"calanque/geo/blob"
	"calanque/geo/postgis"
	"calanque/geo/postgis/postgistest"
)

// published is a hub with a published snapshot, a series in months, and an
// object of OpenStreetMap's: tables made when data comes, not by a migration.
const published = `
	insert into licence values ('lo', '{"fr":"Licence ouverte"}', null, 'green');
	insert into producer values ('crige', '{"fr":"CRIGE"}');
	insert into dataset (slug, producer_id, licence_id, title) values ('eau', 'crige', 'lo', '{"fr":"Points d''eau"}');
	insert into version (dataset_id, number, blob_sha256, source, state, ended_at)
		values (1, 1, '\x00', 'eau.shp', 'ready', now());
	update dataset set published_id = 1, published_at = now();
	create table data.v1_eau (_fid bigint primary key, _key text not null unique, _geom geometry(geometry, 2154), nom text);
	insert into data.v1_eau select i, 'k' || i, st_setsrid(st_point(900000 + i, 6250000), 2154), 'Fontaine n° ' || i from generate_series(1, 500) i;
	create index on data.v1_eau using gist (_geom);
	create index on data.v1_eau (public.plain(nom));
	create table data.s2_indice (_key text, _time timestamptz, value int, primary key (_key, _time)) partition by range (_time);
	create table data.s2_indice_2026_01 partition of data.s2_indice for values from ('2026-01-01') to ('2026-02-01');
	create table data.s2_indice_2026_02 partition of data.s2_indice for values from ('2026-02-01') to ('2026-03-01');
	insert into data.s2_indice select '13001', t, 3 from generate_series('2026-01-05'::timestamptz, '2026-02-20', '1 day') t;
	create table osm.extra (id bigint primary key, tags jsonb);
	insert into osm.extra values (1, '{"name": "L''Estaque"}')`

// contents digests every row of every table of the hub.
func contents(t testing.TB, url string) map[string]string {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.WithoutCancel(t.Context()))
	rows, err := conn.Query(t.Context(), `
		select format('%s %s %s', c.oid::regclass, c.relkind, c.relispartition),
		       query_to_xml(format('select count(*), md5(string_agg(t::text, ''|'' order by t::text)) from %s t', c.oid::regclass), false, true, '')::text
		from pg_class c
		where c.relkind in ('r', 'p', 'v')
		  and c.relnamespace in ('public'::regnamespace, 'data'::regnamespace, 'osm'::regnamespace)
		  and not exists (select from pg_depend d where d.objid = c.oid and d.deptype = 'e')`)
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	var name, digest string
	if _, err := pgx.ForEachRow(rows, []any{&name, &digest}, func() error { got[name] = digest; return nil }); err != nil {
		t.Fatal(err)
	}
	return got
}

func fill(t *testing.T, url, sql string) {
	t.Helper()
	hub, err := postgis.Open(t.Context(), postgis.Config{URL: url})
	if err != nil {
		t.Fatal(err)
	}
	defer hub.Close()
	if _, err := hub.Owner.Exec(t.Context(), sql); err != nil {
		t.Fatal(err)
	}
}

func TestBackupAndRestore(t *testing.T) {
	t.Parallel()
	url := postgistest.URL(t)
	fill(t, url, published)
	file := filepath.Join(t.TempDir(), "Sauvegarde d'été.dump")
	files := blob.New(filepath.Join(t.TempDir(), "files"))
	document, err := files.Put(t.Context(), strings.NewReader("%PDF-1.7 délibération"), 100)
	if err != nil {
		t.Fatal(err)
	}
	fill(t, url, fmt.Sprintf(`insert into blob values ('\x%x', 22, 'application/pdf')`, document.SHA256))
	before := contents(t, url)
	if err := backup(t.Context(), url, file, files); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(file)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v: want 0600, for rejected rows may hold names", info.Mode(), err)
	}
	fill(t, url, `drop table data.s2_indice_2026_01; delete from osm.extra; update data.v1_eau set nom = 'x'; create table later (x int)`)
	if cmp.Equal(contents(t, url), before) {
		t.Fatal("the digest does not see the change")
	}
	if err := restore(t.Context(), url, file, blob.New(filepath.Join(t.TempDir(), "files"))); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(before, contents(t, url)); d != "" {
		t.Errorf("restored database differs (-want +got):\n%s", d)
	}
	// The hub works: it loads, and the web role reads what was restored.
	hub, err := postgis.Open(t.Context(), postgis.Config{URL: url})
	if err != nil {
		t.Fatal(err)
	}
	defer hub.Close()
	var n int
	if err := hub.Web.QueryRow(t.Context(), `select count(*) from data.v1_eau where public.plain(nom) like 'fontaine%'`).Scan(&n); err != nil || n != 500 {
		t.Errorf("the web role reads %d rows, %v; want 500", n, err)
	}
	if err := hub.Web.QueryRow(t.Context(), `select count(*) from load_issue`).Scan(&n); err == nil && hub.WebRole == "calanque_web" {
		t.Error("the web role reads rejected rows")
	}
	// Into an empty database too, which is how one moves to another machine.
	elsewhere := postgistest.Empty(t)
	there := blob.New(filepath.Join(t.TempDir(), "files"))
	if err := restore(t.Context(), elsewhere, file, there); err != nil {
		t.Fatal(err)
	}
	if err := there.Check(t.Context(), document.SHA256); err != nil {
		t.Errorf("the document did not come along: %v", err)
	}
	if d := cmp.Diff(before, contents(t, elsewhere)); d != "" {
		t.Errorf("database restored elsewhere differs (-want +got):\n%s", d)
	}
}

func TestRestoreThatFailsLeavesTheOldState(t *testing.T) {
	t.Parallel()
	url := postgistest.URL(t)
	fill(t, url, published)
	before := contents(t, url)
	dir := t.TempDir()
	good := filepath.Join(dir, "good.dump")
	if err := backup(t.Context(), url, good, blob.New(filepath.Join(t.TempDir(), "files"))); err != nil {
		t.Fatal(err)
	}
	whole, err := os.ReadFile(good)
	if err != nil {
		t.Fatal(err)
	}
	write := func(name string, b []byte) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, b, 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	foreign := filepath.Join(dir, "foreign.dump")
	if err := backup(t.Context(), postgistest.Empty(t), foreign, blob.New(filepath.Join(t.TempDir(), "files"))); err != nil {
		t.Fatal(err)
	}
	damaged := append([]byte(nil), whole...)
	for i := len(damaged) * 9 / 10; i < len(damaged)*9/10+64; i++ {
		damaged[i] ^= 0xff
	}
	for _, tc := range []struct{ name, file, code string }{
		{"truncated late", write("a", whole[:len(whole)-100]), "backup.not-a-backup"},
		{"truncated early", write("b", whole[:3000]), "backup.not-a-backup"},
		{"empty", write("c", nil), "backup.not-a-backup"},
		{"something else", write("d", []byte("<!doctype html><title>404</title>")), "backup.not-a-backup"},
		{"another program's dump", foreign, "backup.not-a-backup"},
		{"damaged", write("e", damaged), "backup.not-a-backup"},
		{"missing", filepath.Join(dir, "missing"), "backup.file"},
	} {
		err := restore(t.Context(), url, tc.file, blob.New(filepath.Join(t.TempDir(), "files")))
		var bad *geo.InputError
		if !errors.As(err, &bad) || bad.Code != tc.code {
			t.Errorf("%s: got %v, want %s", tc.name, err, tc.code)
		}
		if d := cmp.Diff(before, contents(t, url)); d != "" {
			t.Errorf("%s: the database changed (-want +got):\n%s", tc.name, d)
		}
	}

	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.WithoutCancel(t.Context()))
	var bad *geo.InputError
	if err := restore(t.Context(), url, good, blob.New(filepath.Join(t.TempDir(), "files"))); !errors.As(err, &bad) || bad.Code != "backup.in-use" {
		t.Errorf("while in use: got %v, want backup.in-use", err)
	}
}

func TestBackupIsWholeOrNotThere(t *testing.T) {
	t.Parallel()
	url := postgistest.URL(t)
	dir := t.TempDir()
	file := filepath.Join(dir, "x.dump")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := backup(ctx, url, file, blob.New(filepath.Join(t.TempDir(), "files"))); err == nil {
		t.Error("a cancelled backup says it is done")
	}
	var bad *geo.InputError
	if err := backup(t.Context(), url, filepath.Join(dir, "missing", "x.dump"), blob.New(filepath.Join(t.TempDir(), "files"))); !errors.As(err, &bad) || bad.Code != "backup.file" {
		t.Errorf("folder missing: got %v, want backup.file", err)
	}
	left, err := os.ReadDir(dir)
	if err != nil || len(left) != 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

func TestTLSSettings(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		address string
		want    []string
	}{
		{"postgres://u:p@h/db?sslmode=verify-full&sslrootcert=%2Fa%20b.pem", []string{"PGSSLMODE=verify-full", "PGSSLROOTCERT=/a b.pem"}},
		{"host=h sslmode=require password='sslmode x' sslrootcert = '/a b\\'s.pem'", []string{"PGSSLMODE=require", "PGSSLROOTCERT=/a b's.pem"}},
		{"host=/run dbname=calanque", nil},
	} {
		if d := cmp.Diff(tc.want, tlsSettings(tc.address)); d != "" {
			t.Errorf("%s (-want +got):\n%s", tc.address, d)
		}
	}
}
