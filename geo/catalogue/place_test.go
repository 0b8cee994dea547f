package catalogue_test

import (
	"log/slog"
	"strings"
	"testing"

	"calanque/geo/catalogue"
	"calanque/geo/postgis"
)

// TestPlaces publishes a layer of communes and asks for data of one by its
// name, its code and a misspelling; then the layer renames it.
func TestPlaces(t *testing.T) {
	t.Parallel()
	h := hub(t)
	exec := func(sql string) {
		t.Helper()
		if _, err := h.Owner.Exec(t.Context(), sql); err != nil {
			t.Fatal(err)
		}
	}
	exec(`
		insert into dataset (slug, producer_id, licence_id, title) values ('limites', 'region', 'lo-2.0', '{"fr": "Limites des communes"}');
		insert into version (dataset_id, number, blob_sha256, source, state, ended_at) select id, 1, '\x01', 'f', 'ready', now() from dataset where slug = 'limites';
		insert into layer (dataset_id, name, title, life) select id, 'limites', '{}', 'snapshot' from dataset where slug = 'limites';
		insert into layer_version (layer_id, version_id, dataset_id, relation, srid, geometry_type, fields, n_read, n_loaded, n_repaired, n_rejected, n_rows)
			select l.id, v.id, v.dataset_id, 'v1_limites', 0, 'none', '[{"name": "nom", "type": "text"}]', 3, 3, 0, 0, 3 from layer l, version v;
		create table data.v1_limites (_fid bigint, _key text, nom text);
		insert into data.v1_limites values (1, '13055', 'Marseille'), (2, '83137', 'Toulon'), (3, 'x', 'Nulle part');
		update dataset set published_id = (select max(id) from version), published_at = now() where slug = 'limites';
		update dataset set territory = '["13055"]' where slug = 'sentiers'`)
	for _, slug := range []string{"limites", "sentiers"} {
		if err := take(t.Context(), h, slug, catalogue.Step{To: catalogue.Open, Body: "test"}); err != nil {
			t.Fatal(err)
		}
	}
	follow := catalogue.FollowPlaces(h, slog.New(slog.DiscardHandler))
	changed := func() {
		t.Helper()
		if err := follow(t.Context(), []postgis.Change{{Kind: "dataset", Subject: "limites"}}); err != nil {
			t.Fatal(err)
		}
	}
	asks := func(text, place string, total int) {
		t.Helper()
		res, err := catalogue.NewFinder(h.Web).Search(t.Context(), catalogue.SearchQuery{Text: text})
		got := ""
		if res.Place != nil {
			got = res.Place.Name
		}
		if err != nil || got != place || res.Total != total {
			t.Errorf("%q is near %q and finds %d, want %q and %d: %v", text, got, res.Total, place, total, err)
		}
	}
	changed()
	asks("sentiers marseille", "", 1) // no gazetteer is named: these are some of the words
	if err := postgis.PutSetting(t.Context(), h.Owner, catalogue.GazetteerSetting, catalogue.Gazetteer{Layer: "limites", Name: "nom"}); err != nil {
		t.Fatal(err)
	}
	changed()
	asks("sentiers marseille", "Marseille", 1)
	asks("sentiers marseile", "Marseille", 1)
	asks("sentiers 13055", "Marseille", 1)
	asks("sentiers toulon", "Toulon", 1) // relaxed: nothing is there
	exec(`update data.v1_limites set nom = 'Massalia' where _key = '13055'; delete from data.v1_limites where _key = '83137'`)
	changed()
	asks("massalia", "Massalia", 2)
	asks("marseille", "", 0)
	asks("toulon", "", 0)
	if err := postgis.PutSetting(t.Context(), h.Owner, catalogue.GazetteerSetting, catalogue.Gazetteer{Layer: "limites", Name: "autre"}); err != nil {
		t.Fatal(err)
	}
	var said strings.Builder
	follow = catalogue.FollowPlaces(h, slog.New(slog.NewTextHandler(&said, nil)))
	if err := follow(t.Context(), []postgis.Change{{Kind: "catalogue", Subject: catalogue.GazetteerSetting}}); err != nil || !strings.Contains(said.String(), "gazetteer.field") {
		t.Errorf("a field that the layer does not have is taken for the names: %v, %s", err, said.String())
	}
}
