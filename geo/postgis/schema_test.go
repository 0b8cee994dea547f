package postgis_test

import (
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"calanque/geo/postgis/postgistest"
)

// legal is the smallest hub in a legal state: dataset 1 (crige/eau) with
// version 1 ready and published, layer 1, dataset 2 empty, a theme, a rule and
// two records.
const legal = `
	insert into licence (id, title, class) values ('lo', '{}', 'green');
	insert into producer (id, title) values ('crige', '{}');
	insert into dataset (slug, producer_id, licence_id, title) values ('eau', 'crige', 'lo', '{}'), ('air', 'crige', 'lo', '{}');
	insert into version (dataset_id, number, blob_sha256, source, state, ended_at) values
		(1, 1, '\x01', 'f', 'ready', now()), (2, 1, '\x02', 'f', 'ready', now()), (1, 2, '\x03', 'f', 'dropped', now());
	update dataset set published_id = 1, published_at = now() where id = 1;
	insert into layer (dataset_id, name, title, life) values (1, 'eau', '{}', 'snapshot'), (2, 'air', '{}', 'snapshot');
	insert into layer_version (layer_id, version_id, dataset_id, relation, srid, geometry_type, fields, n_read, n_loaded, n_repaired, n_rejected, n_rows)
		values (1, 1, 1, 'v1_eau', 2154, 'point', '[]', 10, 8, 1, 2, 8);
	insert into record (layer_id, key) values (1, 'a'), (1, 'b');
	insert into theme (id, title, selection) values ('water', '{}', '{}');
	insert into rule (layer_id, theme_id, spec) values (1, 'water', '{}');
	insert into outcome (rule_id, record_id, osm_type, osm_id, kind, reason, fingerprint) values (1, 1, 'n', 5, 'identical', '{}', '\x00');
	insert into dataset (slug, producer_id, licence_id, title, chain) values ('lycees', 'crige', 'lo', '{}', 'region'), ('sols', 'crige', 'lo', '{}', 'region');
	insert into resource (dataset_id, name, kind, title, url, document) values
		(3, 'avis', 'administrative', '{}', 'https://x.example', '{"type": "avis"}'), (4, 'avis', 'administrative', '{}', 'https://x.example', '{"type": "avis"}');
	insert into chain_step (dataset_id, chain, number, from_state, to_state, why, body) values
		(3, 'region', 1, 'counted', 'legal', false, 'b'), (3, 'region', 2, 'legal', 'committee', false, 'b');
	insert into former_slug (slug, dataset_id) values ('ecoles', 3);`

// TestIllegalStates tries to write what must never be true. Each statement is
// refused by the database itself, whatever the code does.
func TestIllegalStates(t *testing.T) {
	t.Parallel()
	hub := postgistest.New(t)
	if _, err := hub.Owner.Exec(t.Context(), legal); err != nil {
		t.Fatalf("the legal state is refused: %v", err)
	}
	for name, sql := range map[string]string{
		"licence of no class":                    `insert into licence (id, title, class) values ('x', '{}', 'open')`,
		"dataset without a producer":             `insert into dataset (slug, producer_id, licence_id, title) values ('x', null, 'lo', '{}')`,
		"dataset without a licence":              `insert into dataset (slug, producer_id, licence_id, title) values ('x', 'crige', null, '{}')`,
		"slug that is no address":                `insert into dataset (slug, producer_id, licence_id, title) values ('Points d''eau', 'crige', 'lo', '{}')`,
		"published version of another dataset":   `update dataset set published_id = 2 where id = 1`,
		"published version that is not ready":    `update dataset set published_id = 3 where id = 1`,
		"published version dropped":              `update version set state = 'dropped' where id = 1`,
		"published without a date":               `update dataset set published_at = null where id = 1`,
		"two loads at once":                      `insert into version (dataset_id, number, blob_sha256, source) values (1, 8, '\x00', 'f'), (1, 9, '\x00', 'f')`,
		"failed without a reason":                `update version set state = 'failed' where id = 3`,
		"loading and ended":                      `update version set state = 'loading' where id = 3`,
		"version number twice":                   `insert into version (dataset_id, number, blob_sha256, source, state, ended_at) values (1, 1, '\x00', 'f', 'ready', now())`,
		"layer with another life":                `insert into layer (dataset_id, name, title, life, key_fields) values (1, 'x', '{}', 'series', '{code}')`,
		"series without a key":                   `with d as (insert into dataset (slug, producer_id, licence_id, title, life) values ('s', 'crige', 'lo', '{}', 'series') returning id) insert into layer (dataset_id, name, title, life) select id, 's', '{}', 'series' from d`,
		"live layer of a dataset":                `insert into layer (dataset_id, name, title, life) values (1, 'x', '{}', 'live')`,
		"layer name twice":                       `insert into layer (dataset_id, name, title, life) values (2, 'eau', '{}', 'snapshot')`,
		"more loaded than read":                  `update layer_version set n_loaded = 11`,
		"rejected below zero":                    `update layer_version set n_read = 7, n_rejected = -1`,
		"more repaired than loaded":              `update layer_version set n_repaired = 9`,
		"layer of one dataset, version of other": `insert into layer_version (layer_id, version_id, dataset_id, relation, srid, geometry_type, fields, n_read, n_loaded, n_repaired, n_rejected, n_rows) values (2, 1, 1, 'x', 0, 'none', '[]', 0, 0, 0, 0, 0)`,
		"geometry without a system":              `update layer_version set srid = 0`,
		"rejection without the record":           `insert into load_issue (layer_id, version_id, record, rule, action, message) values (1, 1, 1, 'r', 'rejected', '{}')`,
		"record rejected twice":                  `insert into load_issue (layer_id, version_id, record, rule, action, message, raw) values (1, 1, 1, 'r', 'rejected', '{}', 'x'), (1, 1, 1, 's', 'rejected', '{}', 'x')`,
		"record twice":                           `insert into record (layer_id, key) values (1, 'a')`,
		"geometry borrowed from itself":          `insert into borrowed_geometry (layer_id, from_id, field) values (1, 1, 'code')`,
		"two outcomes of a record":               `insert into outcome (rule_id, record_id, kind, reason, fingerprint) values (1, 1, 'only_open_data', '{}', '\x00')`,
		"two records on one object":              `insert into outcome (rule_id, record_id, osm_type, osm_id, kind, reason, fingerprint) values (1, 2, 'n', 5, 'moved', '{}', '\x00')`,
		"an object alone and matched":            `insert into outcome (rule_id, osm_type, osm_id, kind, reason, fingerprint) values (1, 'n', 5, 'only_osm', '{}', '\x00')`,
		"matched without an object":              `insert into outcome (rule_id, record_id, kind, reason, fingerprint) values (1, 2, 'identical', '{}', '\x00')`,
		"only in OSM, with a record":             `insert into outcome (rule_id, record_id, osm_type, osm_id, kind, reason, fingerprint) values (1, 2, 'n', 6, 'only_osm', '{}', '\x00')`,
		"object with half a name":                `insert into outcome (rule_id, record_id, osm_id, kind, reason, fingerprint) values (1, 2, 6, 'ambiguous', '{}', '\x00')`,
		"kind that is not on the list":           `update outcome set kind = 'similar'`,
		"withdrawn question about nothing":       `insert into outcome (rule_id, kind, reason, fingerprint) values (1, 'withdrawn', '{}', '\x00')`,
		"run that forgot a record":               `insert into match_run (rule_id, n_records, n_outcomes, finished_at) values (1, 8, 7, now())`,
		"step that the chain does not have":      `insert into chain_step (dataset_id, chain, number, from_state, to_state, why, body) values (4, 'region', 1, 'counted', 'open', false, 'b')`,
		"step of the short chain on a long one":  `insert into chain_step (dataset_id, chain, number, from_state, to_state, why, body) values (4, 'partner', 1, 'counted', 'open', false, 'b')`,
		"step out of thin air":                   `insert into chain_step (dataset_id, chain, number, from_state, to_state, why, body) values (4, 'region', 1, 'legal', 'committee', false, 'b')`,
		"step that is not the next":              `insert into chain_step (dataset_id, chain, number, from_state, to_state, why, body) values (3, 'region', 4, 'committee', 'vote', false, 'b')`,
		"step from where it does not stand":      `insert into chain_step (dataset_id, chain, number, from_state, to_state, why, body) values (3, 'region', 3, 'vote', 'approved', false, 'b')`,
		"step number twice":                      `insert into chain_step (dataset_id, chain, number, from_state, to_state, why, body) values (3, 'region', 2, 'legal', 'committee', false, 'b')`,
		"step of nobody":                         `insert into chain_step (dataset_id, chain, number, from_state, to_state, why) values (4, 'region', 1, 'counted', 'legal', false)`,
		"refusal without a reason":               `insert into chain_step (dataset_id, chain, number, from_state, to_state, why, body) values (4, 'region', 1, 'counted', 'refused', true, 'b')`,
		"refusal that says it needs none":        `insert into chain_step (dataset_id, chain, number, from_state, to_state, why, body) values (4, 'region', 1, 'counted', 'refused', false, 'b')`,
		"refusal with an empty reason":           `insert into chain_step (dataset_id, chain, number, from_state, to_state, why, body, reason) values (4, 'region', 1, 'counted', 'refused', true, 'b', '')`,
		"vote skipped in silence":                `insert into chain_step (dataset_id, chain, number, from_state, to_state, why, body) values (3, 'region', 3, 'committee', 'approved', true, 'b')`,
		"document of another dataset":            `insert into chain_step (dataset_id, chain, number, from_state, to_state, why, body, document_id) values (4, 'region', 1, 'counted', 'legal', false, 'b', 1)`,
		"chain swapped once it has begun":        `update dataset set chain = 'partner' where id = 3`,
		"chain that is none":                     `update dataset set chain = 'other' where id = 4`,
		"step taken back":                        `delete from chain_step where dataset_id = 3 and number = 1`,
		"address that led to another":            `update dataset set slug = 'ecoles' where id = 4`,
		"former address that is a dataset's":     `insert into former_slug (slug, dataset_id) values ('eau', 3)`,
		"period that ends before it begins":      `update dataset set temporal_start = '2021-01-02', temporal_end = '2021-01-01' where id = 4`,
		"reference with a file":                  `insert into resource (dataset_id, name, kind, title, url, layer_id) values (1, 'x', 'reference', '{}', 'https://x.example', 1)`,
		"service without an address":             `insert into resource (dataset_id, name, kind, title, layer_id) values (1, 'x', 'service', '{}', 1)`,
		"resource of another's layer":            `insert into resource (dataset_id, name, kind, title, layer_id) values (2, 'x', 'layer', '{}', 1)`,
		"administrative without its document":    `insert into resource (dataset_id, name, kind, title, url) values (1, 'x', 'administrative', '{}', 'https://x.example')`,
		"link that runs a script":                `insert into resource (dataset_id, name, kind, title, url) values (1, 'x', 'reference', '{}', 'javascript:alert(1)')`,
		"edit of nobody":                         `insert into edit (kind, subject, field) values ('dataset', 'eau', 'title')`,
		"line of a census refused without why":   `with c as (insert into census (source, sha256, mapping, taken, same, refused) values ('f', '', '[]', 0, 0, 1) returning id) insert into census_line (census_id, line, state, raw) select id, 1, 'refused', '{}' from c`,
		"change of no kind":                      `insert into change (kind, subject) values ('other', 'x')`,
	} {
		t.Run(name, func(t *testing.T) {
			_, err := hub.Owner.Exec(t.Context(), "begin; "+sql+"; set constraints all immediate; rollback")
			if err == nil {
				t.Errorf("accepted: %s", sql)
			} else if !strings.Contains(err.Error(), "(SQLSTATE 23") {
				t.Errorf("refused for another reason: %v", err)
			}
		})
	}
}

// TestNoPersonalColumns holds the promise that the name of a mapper has no
// place to be kept in.
func TestNoPersonalColumns(t *testing.T) {
	t.Parallel()
	hub := postgistest.New(t)
	rows, err := hub.Owner.Query(t.Context(), `
		select table_schema || '.' || table_name || '.' || column_name
		from information_schema.columns
		where table_schema in ('public', 'osm', 'data') and column_name in ('user', 'uid', 'user_name', 'changeset', 'changeset_id')`)
	if err != nil {
		t.Fatal(err)
	}
	found, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil || len(found) > 0 {
		t.Errorf("got %v, %v, want no such column", found, err)
	}
}
