package catalogue

import (
	"errors"
	"strings"
	"testing"
	"time"

	"calanque/geo"
	"calanque/geo/blob"
	"calanque/geo/postgis/postgistest"
)

func TestSweepBlobs(t *testing.T) {
	t.Parallel()
	hub := postgistest.New(t)
	store := blob.New(t.TempDir())
	keep := func(text string, written bool) blob.Blob {
		b, err := store.Put(t.Context(), strings.NewReader(text), 100)
		if err == nil && written {
			err = KeepBlob(t.Context(), hub.Owner, b)
		}
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	referred, alone, unwritten := keep("referred", true), keep("alone", true), keep("unwritten", false)
	_, err := hub.Owner.Exec(t.Context(), `
		insert into licence values ('lo', '{"fr": "Licence ouverte"}', null, 'green');
		insert into producer (id, title) values ('crige', '{"fr": "CRIGE"}');
		insert into dataset (slug, producer_id, licence_id, title) values ('eau', 'crige', 'lo', '{"fr": "Points d''eau"}')`)
	if err == nil {
		_, err = hub.Owner.Exec(t.Context(), `
			insert into resource (dataset_id, name, kind, title, blob_sha256, filename)
			select id, 'notice', 'documentation', '{"fr": "Notice"}', $1, 'notice.txt' from dataset`, referred.SHA256)
	}
	if err != nil {
		t.Fatal(err)
	}
	sweep := func(now time.Time) int {
		n, _, err := SweepBlobs(t.Context(), hub.Owner, store, now)
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	if n := sweep(time.Now()); n != 0 {
		t.Errorf("swept %d that came just now", n)
	}
	if n := sweep(time.Now().Add(blob.Grace + time.Hour)); n != 2 {
		t.Errorf("swept %d, want 2", n)
	}
	if err := store.Check(t.Context(), referred.SHA256); err != nil {
		t.Error(err)
	}
	for _, b := range []blob.Blob{alone, unwritten} {
		if err := store.Check(t.Context(), b.SHA256); !errors.Is(err, geo.ErrNotFound) {
			t.Errorf("%s: got %v, want not found", b.Name(), err)
		}
	}
}
