package osm_test

import (
	"encoding/json"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v4"

	"calanque/geo"
	"calanque/geo/postgis/postgistest"
	"calanque/osm"
)

func TestThemeYAML(t *testing.T) {
	t.Parallel()
	var got osm.Theme
	err := yaml.Unmarshal([]byte(`
id: drinking-water
title: {fr: Eau potable, en: Drinking water}
selection:
  any:
    - amenity: [drinking_water, fountain]
    - {man_made: water_tap, drinking_water: yes}
  not: [{access: private}]
fields:
  - operator
  - {tag: "addr:street", label: {fr: Rue}}
`), &got)
	want := osm.Theme{
		ID: "drinking-water", Title: geo.Text{"fr": "Eau potable", "en": "Drinking water"},
		Selection: osm.Selection{
			Any: []osm.Terms{{"amenity": {"drinking_water", "fountain"}}, {"man_made": {"water_tap"}, "drinking_water": {"yes"}}},
			Not: []osm.Terms{{"access": {"private"}}},
		},
		Fields: []osm.ThemeField{{Tag: "operator"}, {Tag: "addr:street", Label: geo.Text{"fr": "Rue"}}},
	}
	if d := cmp.Diff(want, got); err != nil || d != "" {
		t.Errorf("%v (-want +got)\n%s", err, d)
	}
	var s osm.Selection
	if err := json.Unmarshal([]byte(`{"any": [{"amenity": ["drinking_water","fountain"]}, {"man_made": "water_tap", "drinking_water": "yes"}], "not": [{"access": "private"}]}`), &s); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(want.Selection, s); d != "" {
		t.Errorf("JSON (-want +got)\n%s", d)
	}
}

// TestSelections: the database selects what Matches does, on a real extract.
func TestSelections(t *testing.T) {
	t.Parallel()
	hub := postgistest.New(t)
	load(t, hub, sharedFile(t, "monaco-2021-04-21.osm.pbf"))
	tags := map[string]map[string]string{}
	for _, row := range texts(t, hub.Web, `
		select jsonb_build_array(_key, tags)::text from osm.point union all select jsonb_build_array(_key, tags)::text from osm.line
		union all select jsonb_build_array(_key, tags)::text from osm.area`) {
		var key string
		var m map[string]string
		if err := json.Unmarshal([]byte(row), &[]any{&key, &m}); err != nil {
			t.Fatal(err)
		}
		tags[key] = m
	}
	for name, s := range map[string]osm.Selection{
		"values":  {Any: []osm.Terms{{"amenity": {"restaurant", "cafe"}}}},
		"any":     {Any: []osm.Terms{{"shop": {"*"}}, {"tourism": {"*"}, "name": {"*"}}}},
		"not":     {Any: []osm.Terms{{"highway": {"*"}}}, Not: []osm.Terms{{"highway": {"crossing", "footway"}}, {"access": {"*"}}}},
		"quoting": {Any: []osm.Terms{{`na"me`: {`it's \ "x"`}}}},
	} {
		putThemes(t, hub, osm.Theme{ID: name, Title: geo.Text{"fr": name}, Selection: s})
		var want []string
		for key, m := range tags {
			if s.Matches(m) {
				want = append(want, key)
			}
		}
		slices.Sort(want)
		got := texts(t, hub.Web, `select _key from osm.theme_`+name+` order by _key`)
		if d := cmp.Diff(want, got); !slices.Equal(want, got) {
			t.Errorf("%s (-want +got)\n%s", name, d)
		}
		if n := number(t, hub.Web, `
			select count(*) from osm.theme_`+name+` t join osm.area a using (_key)
			where not st_intersects(a.geom, st_buffer(t.geom, 1e-6))`); n != 0 {
			t.Errorf("%s: %d points do not lie on their areas", name, n)
		}
		if len(want) == 0 && name != "quoting" {
			t.Errorf("%s selects nothing", name)
		}
	}
}
