package api

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"testing"
)

// fill makes n public datasets of all kinds: with layers, files, references,
// services, documents, or next to nothing; each with words of its own.
func (s *site) fill(n int) {
	s.t.Helper()
	_, err := s.hub.Owner.Exec(context.Background(), fmt.Sprintf(`
		insert into dataset (slug, producer_id, licence_id, title, description, frequency, keywords, territory, extent, temporal_start, temporal_end, high_value, limits)
		select 'grand-' || i, case when i %% 2 = 0 then 'crige' else 'air' end, 'lo-2.0',
			jsonb_build_object('fr', 'Jeu « ' || i || ' » & <autres>', 'en', 'Dataset ' || i),
			case when i %% 10 < 8 then jsonb_build_object('fr', repeat('Une description assez longue du jeu ' || i || '. ', 10)) end,
			(array['yearly', 'daily', 'irregular', 'once', null])[1 + i %% 5],
			case when i %% 3 = 0 then '[]' else jsonb_build_array(jsonb_build_object('fr', 'mot ' || i %% 50), '{"fr": "eau", "en": "water"}'::jsonb) end,
			case when i %% 4 = 0 then '["13055", "D13"]' else '["R93"]' end::jsonb,
			case when i %% 6 > 0 then 'BOX(4.5 43.1,5.5 44)'::box2d end,
			case when i %% 7 > 3 then '2020-01-01'::date end, case when i %% 7 > 4 then '2024-12-31'::date end,
			case when i %% 11 = 0 then 'http://data.europa.eu/bna/c_ac64a52d' end, case when i %% 13 = 0 then '{"fr": "Incomplet."}'::jsonb end
		from generate_series(1, %d) i;
		insert into dataset_topic (dataset_id, topic_id, position)
			select d.id, t.id, 1 from dataset d join topic t on t.position = 1 + d.id %% 8 where slug like 'grand-%%';
		insert into version (dataset_id, number, blob_sha256, source, state, ended_at, published_at)
			select id, 1, '\x01', 'x.csv', 'ready', now(), now() from dataset where slug like 'grand-%%' and id %% 3 = 0;
		update dataset d set published_id = v.id, published_at = v.published_at from version v where v.dataset_id = d.id and d.slug like 'grand-%%';
		insert into layer (dataset_id, name, title, life)
			select id, replace(slug, '-', '_'), title, 'snapshot' from dataset where slug like 'grand-%%' and id %% 3 = 0;
		insert into layer_version (layer_id, version_id, dataset_id, relation, srid, geometry_type, fields, extent, n_read, n_loaded, n_repaired, n_rejected, n_rows)
			select l.id, d.published_id, d.id, 'v0_' || l.name, case when d.id %% 2 = 0 then 4326 else 0 end, case when d.id %% 2 = 0 then 'point' else 'none' end,
				'[]', 'BOX(5 43,6 44)'::box2d, 1, 1, 0, 0, 1
			from layer l join dataset d on d.id = l.dataset_id where d.slug like 'grand-%%';
		insert into resource (dataset_id, name, kind, title, url, format, bytes)
			select d.id, k.name, k.kind, jsonb_build_object('fr', k.name || ' de ' || d.slug), 'https://exemple.fr/' || d.slug || k.path, k.format, k.bytes
			from dataset d,
				(values (1, 'fichier', 'reference', '/x.csv', 'csv', 1234), (2, 'wfs', 'service', '/wfs?service=WFS&request=GetCapabilities', 'wfs', null),
					(3, 'page', 'reference', '/page', 'html', null), (4, 'notice', 'documentation', '/notice.pdf', 'pdf', 99)) k (n, name, kind, path, format, bytes)
			where d.slug like 'grand-%%' and d.id %% 5 >= k.n;
		insert into chain_step (dataset_id, chain, number, from_state, to_state, why, body)
			select id, 'partner', 1, 'counted', 'open', false, 'test' from dataset where slug like 'grand-%%';
		insert into change (kind, subject) values ('catalogue', 'grand');
		analyze dataset, resource, chain_step, layer, layer_version, dataset_topic`, n))
	if err != nil {
		s.t.Fatal(err)
	}
}

// TestEveryPage validates all pages of a catalogue as it comes from the
// database. The number of datasets is CALANQUE_DCAT_DATASETS, else few.
func TestEveryPage(t *testing.T) {
	t.Parallel()
	n, _ := strconv.Atoi(os.Getenv("CALANQUE_DCAT_DATASETS"))
	n = max(n, 150)
	python, shapes := "../.tools/rdf/bin/python", "../../shared/data/shacl"
	if exec.Command(python, "-c", "import pyshacl").Run() != nil {
		t.Skip("skipped: no Python with pyshacl in .tools/rdf (`make test` installs it)")
	}
	if _, err := os.Stat(shapes); err != nil {
		shapes = "../../../shared/data/shacl"
	}
	args := []string{"dcat/testdata/check.py", "shapes", shapes + "/dcat-ap-3.0.1-shapes.ttl", shapes + "/dcat-ap-3.0.1-range.ttl"}
	if _, err := os.Stat(args[2]); err != nil {
		t.Skip("skipped: no SHACL shapes at ../shared/data/shacl beside the project")
	}
	s := newSite(t)
	s.fill(n)
	s.refresh()
	next := regexp.MustCompile(`hydra:next <http://hub.example([^>]*)>`)
	dir, path, found := t.TempDir(), "/catalogue.ttl?limit="+strconv.Itoa(min(1000, n/2)), 0
	args = append(args, "--")
	for page := 0; path != ""; page++ {
		body := string(s.get(path))
		file := filepath.Join(dir, fmt.Sprintf("page-%d.ttl", page))
		if err := os.WriteFile(file, []byte(body), 0o644); err != nil {
			t.Fatal(err)
		}
		args = append(args, file)
		found += strings.Count(body, " a dcat:Dataset ")
		path = ""
		if m := next.FindStringSubmatch(body); m != nil {
			path = m[1]
		}
	}
	if found != n {
		t.Errorf("%d datasets on all pages, want %d", found, n)
	}
	out, err := exec.Command(python, args...).CombinedOutput()
	if err != nil {
		t.Errorf("%v: %s", err, out)
	}
	t.Logf("%s", out)
}

// watch is a reader that throws away what it reads and remembers the most
// memory that was held meanwhile.
type watch struct {
	header        http.Header
	status        int
	bytes, writes int
	live          uint64
}

func (w *watch) Header() http.Header    { return w.header }
func (w *watch) WriteHeader(status int) { w.status = status }

func (w *watch) Write(b []byte) (int, error) {
	w.bytes += len(b)
	if w.writes++; w.writes%20 == 0 {
		w.measure()
	}
	return len(b), nil
}

func (w *watch) measure() {
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	w.live = max(w.live, m.HeapAlloc)
}

// BenchmarkCatalogue writes pages of a catalogue of 10,000 datasets; held-MB
// is what the longest of them holds at most, measured once, beyond what was
// held before.
func BenchmarkCatalogue(b *testing.B) {
	s := newSite(b)
	s.fill(10_000)
	s.refresh()
	for _, path := range []string{
		"/catalogue.ttl", "/catalogue.ttl?limit=1000", "/catalogue.rdf?limit=1000", "/catalogue.jsonld?limit=1000", "/catalogue.csv",
		"/sitemap.xml", "/nouveautes.atom", "/donnees/grand-1500.jsonld",
	} {
		b.Run(strings.TrimPrefix(path, "/"), func(b *testing.B) {
			ask := func(w http.ResponseWriter) {
				r := httptest.NewRequest(http.MethodGet, path, nil)
				s.ServeHTTP(w, r)
			}
			before := watch{header: http.Header{}}
			before.measure()
			w := watch{header: http.Header{}}
			ask(&w)
			if w.status != 0 && w.status != http.StatusOK {
				b.Fatalf("%s: %d", path, w.status)
			}
			b.ReportAllocs()
			for b.Loop() {
				ask(&watch{header: http.Header{}, writes: -1 << 30})
			}
			b.ReportMetric(float64(w.live-min(w.live, before.live))/1e6, "held-MB")
			b.ReportMetric(float64(w.bytes)/1e3, "KB")
		})
	}
}
