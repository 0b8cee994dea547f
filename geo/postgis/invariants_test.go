package postgis_test

import (
	"strings"
	"testing"

	"calanque/geo/postgis"
	"calanque/geo/postgis/postgistest"
)

// sound is a state in which every invariant holds, with something for each to
// look at.
const sound = `
	insert into licence values ('lo', '{"fr":"Licence ouverte"}', null, 'green');
	insert into producer values ('crige', '{"fr":"CRIGE"}');
	insert into dataset (slug, producer_id, licence_id, title) values ('eau', 'crige', 'lo', '{}');
	insert into version (dataset_id, number, blob_sha256, source, state, ended_at, published_at)
		values (1, 1, '\x00', 'eau.shp', 'ready', now(), now());
	insert into layer (dataset_id, name, title, life) values (1, 'eau', '{}', 'snapshot'), (null, 'osm_points', '{}', 'live');
	create table data.v1_eau (_fid bigint primary key, _key text not null unique, _geom_3857 geometry(geometry, 3857));
	create index on data.v1_eau using gist (_geom_3857);
	insert into data.v1_eau values (1, 'a', null), (2, 'b', null);
	insert into layer_version (layer_id, version_id, dataset_id, relation, srid, geometry_type, fields, n_read, n_loaded, n_repaired, n_rejected, n_rows)
		values (1, 1, 1, 'v1_eau', 2154, 'point', '[]', 2, 2, 0, 0, 2);
	update dataset set published_id = 1, published_at = now();
	insert into change (kind, subject, detail) values ('dataset', 'eau', '{"version": 1}'), ('osm', 'osm', '{}');
	insert into change_reader values ('match', 2);
	insert into osm.point (_fid, _key, type, osm_id, tags, geom) values (1, 'n1', 'n', 1, '{}', st_setsrid(st_point(0, 0), 3857));
	insert into osm.state (extract_at, extract_by, region, file, sha256, rules, report) values
		(now(), 'header', st_multi(st_makeenvelope(5, 43, 6, 44, 4326)), 'x.osm.pbf', '\x00', 1, '{"points": 1, "lines": 0, "areas": 0}');
	insert into live_layer (layer_id, schema, relation, key_column, srid, geometry_type, fields, producer_id, n_rows)
		values (2, 'osm', 'point', '_key', 3857, 'point', '[]', 'crige', 1);
	insert into theme (id, title, selection) values ('water', '{}', '{}');
	insert into rule (layer_id, theme_id, spec) values (1, 'water', '{}');
	insert into record (layer_id, key, last_version_id) values (1, 'a', 1), (1, 'b', 1);
	insert into match_run (rule_id, version_id, n_records, n_outcomes, finished_at) values (1, 1, 2, 2, now());
	insert into outcome (rule_id, record_id, kind, reason, fingerprint) values (1, 1, 'only_open_data', '{}', '\x00'), (1, 2, 'only_open_data', '{}', '\x00');
	create table data.o1_eau (x int);
	insert into tile_plan (id, layer, state, thinning, overview) overriding system value values (1, 'eau', 'v1', '{}', 'o1_eau');
	insert into osm.basemap_state (id, rules, imported_at, box, n_rows) values (1, 1, now(), 'box(5 43, 6 44)'::box2d, 0);
	insert into eric values ('e', 'E', st_setsrid(st_point(5, 43), 4326));
	insert into account (login, password_hash, role, eric_id) values ('m', 'x', 'mediator', 'e');
	insert into session (code, title, theme_id, mediator_id, area, minutes, people, recovery_sha256, state, opened_at)
		values ('ABC234', 'S', 'water', 1, st_multi(st_makeenvelope(5, 43, 6, 44, 4326)), 60, 10, '\x00', 'open', now());
	insert into cell values (1, 1, st_multi(st_makeenvelope(5, 43, 6, 44, 4326)), 'sail');
	insert into participant (session_id, pseudonym, sign, token_sha256) values (1, 'Thym 2', 'sail', '\x01');
	insert into task (session_id, outcome_id, cell, number, asked, fingerprint) values (1, 1, 1, 1, 'only_open_data', '\x00');
	insert into answer (idempotency_key, task_id, opinion, participant_id, says, on_site, fingerprint, undone_at) values (gen_random_uuid(), 1, 1, 1, 'gone', true, '\x00', now());
	insert into answer (idempotency_key, task_id, opinion, participant_id, says, on_site, fingerprint, replaces) values (gen_random_uuid(), 1, 2, 1, 'gone', true, '\x00', 1);
	insert into session_event (session_id, task_id, role, kind, after) values
		(1, 1, 'participant', 'answered', '{"answer": 1}'), (1, 1, 'participant', 'answered', '{"answer": 2}');
	insert into verdict (outcome_id, says, fingerprint) values (1, 'gone', '\x00')`

// TestInvariantsSee breaks each invariant, and it is told.
func TestInvariantsSee(t *testing.T) {
	t.Parallel()
	hub := postgistest.New(t)
	if _, err := hub.Owner.Exec(t.Context(), sound); err != nil {
		t.Fatal(err)
	}
	broken, err := postgis.Invariants(t.Context(), hub.Owner)
	if err != nil || len(broken) > 0 {
		t.Fatalf("the sound state: %v %v", broken, err)
	}
	for _, c := range []struct{ breaks, tells string }{
		{`delete from data.v1_eau where _fid = 2`, "as many rows as its account"},
		{`drop table data.v1_eau`, "the relation of every layer that can be read exists"},
		{`drop index data.v1_eau__geom_3857_idx`, "its spatial index"},
		{`alter table data.v1_eau rename to v9_eau`, "belongs to one that is loading or can be read"},
		{`create table data.stray (x int)`, "a kind of name"},
		{`create table data.s7_air (x int)`, "every table of a series"},
		{`create view data.b7_air as select 1`, "borrowed geometry"},
		{`create view data.outcome_7 as select 1`, "every view of outcomes"},
		{`create table data.o7_eau (x int)`, "every overview of tiles"},
		{`drop table data.o1_eau`, "every overview of tiles"},
		{`delete from change where kind = 'dataset'`, "is in the log of changes"},
		{`delete from change where kind = 'osm'`, "in the log of changes"},
		{`update change_reader set seen = 99`, "nobody has read more"},
		{`delete from osm.point`, "every live layer has as many rows"},
		{`delete from osm.point`, "as many as its import counted"},
		{`delete from osm.state`, "without an extract"},
		{`update live_layer set relation = 'gone'`, "the relation of every live layer"},
		{`update live_layer set layer_id = 1`, "stands for a live one"},
		{`delete from outcome where record_id = 2`, "has its outcome"},
		{`update record set last_version_id = null where id = 2`, "is a record"},
		{`update osm.basemap_state set n_rows = 3`, "the basemap"},
		{`update version set replaced_at = now()`, "not replaced"},
		{`update dataset set published_id = null, published_at = null`, "is the published one"},
		{`delete from layer_version`, "at least one layer"},
		{`update session set state = 'archived', closed_at = now()`, "nobody is known"},
		{`update answer set opinion = 3 where id = 2`, "without a gap"},
		{`update answer set undone_at = null`, "replaced does not stand"},
		{`update answer set undone_at = null, replaces = null`, "a person's answers"},
		{`delete from session_event where id = 1`, "in the history"},
		{`update answer set undone_at = now()`, "has an answer that says so"},
	} {
		tx, err := hub.Owner.Begin(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if _, err := tx.Exec(t.Context(), c.breaks); err != nil {
			t.Fatalf("%s: %v", c.breaks, err)
		}
		broken, err := postgis.InvariantsIn(t.Context(), tx)
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(strings.Join(broken, "\n"), c.tells) {
			t.Errorf("%s: nothing tells %q, only %q", c.breaks, c.tells, broken)
		}
		if err := tx.Rollback(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
}
