package ingest_test

import (
	"archive/zip"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"

	"calanque/geo"
	"calanque/geo/blob"
	"calanque/geo/ingest"
	"calanque/geo/postgis"
)

// received gives what is kept of the published version: its hash and name.
func received(t *testing.T, hub *postgis.Hub, dataset string) (sum []byte, name string) {
	t.Helper()
	err := hub.Web.QueryRow(t.Context(), `
		select v.file_sha256, coalesce(v.file_name, '')
		from public_dataset d
		join version v on v.id = d.published_id
		where d.slug = $1`, dataset).Scan(&sum, &name)
	if err != nil {
		t.Fatal(err)
	}
	return sum, name
}

func TestKeepsWhatWasReceived(t *testing.T) {
	t.Parallel()
	hub, files := newHub(t), blob.New(t.TempDir())
	req := request("points", write(t, "Points d’eau.geojson", threePoints))
	req.Files = files
	if r := load(t, hub, req); !r.Kept {
		t.Error("the report does not say that the file is kept")
	}
	sum, name := received(t, hub, "points")
	f, err := files.Open(sum)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if got, _ := io.ReadAll(f); string(got) != threePoints || name != "Points d’eau.geojson" {
		t.Errorf("got %q called %q", got, name)
	}
}

// TestKeepsPartsAsOneArchive loads a shapefile given as loose parts, twice:
// the same parts are the same archive, and it can be loaded itself.
func TestKeepsPartsAsOneArchive(t *testing.T) {
	t.Parallel()
	hub, files := newHub(t), blob.New(t.TempDir())
	dir := t.TempDir()
	shapes, err := filepath.Glob("../format/testdata/shapefile/lines/*")
	if err != nil || len(shapes) == 0 {
		t.Fatal(shapes, err)
	}
	var shp string
	for _, path := range shapes {
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		to := filepath.Join(dir, filepath.Base(path))
		if err := os.WriteFile(to, b, 0o600); err != nil {
			t.Fatal(err)
		}
		if filepath.Ext(to) == ".shp" {
			shp = to
		}
	}
	req := request("parts", shp)
	req.Files, req.Anywhere = files, true
	load(t, hub, req)
	sum, name := received(t, hub, "parts")
	f, err := files.Open(sum)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	info, _ := f.Stat()
	z, err := zip.NewReader(f, info.Size())
	if err != nil || len(z.File) < 3 || filepath.Ext(name) != ".zip" {
		t.Fatalf("archive %s: %d files, %v", name, len(z.File), err)
	}
	req.Force = true
	load(t, hub, req)
	if again, _ := received(t, hub, "parts"); string(again) != string(sum) {
		t.Error("the same parts made another archive")
	}
	copied := filepath.Join(t.TempDir(), name)
	b, _ := os.ReadFile(f.Name())
	if err := os.WriteFile(copied, b, 0o600); err != nil {
		t.Fatal(err)
	}
	back := request("back", copied)
	back.Anywhere = true
	if r := load(t, hub, back); r.Loaded() == 0 {
		t.Error("the archive loads nothing")
	}
}

func TestKeepsNothingTooLarge(t *testing.T) {
	t.Parallel()
	hub := newHub(t)
	req := request("points", write(t, "a.geojson", threePoints))
	req.Files, req.MaxKept = blob.New(t.TempDir()), 10
	if r := load(t, hub, req); r.Kept || r.State != ingest.Published {
		t.Errorf("got %+v", r)
	}
	if sum, _ := received(t, hub, "points"); sum != nil {
		t.Errorf("kept %x", sum)
	}
}

// TestFileThatChanges loads a file that somebody writes on meanwhile.
func TestFileThatChanges(t *testing.T) {
	t.Parallel()
	hub := newHub(t)
	path := write(t, "a.geojson", threePoints)
	req := request("points", path)
	req.Files = blob.New(t.TempDir())
	req.Prepare = func(context.Context, postgis.DB) error { return os.WriteFile(path, []byte(threePoints+"\n"), 0o600) }
	_, err := ingest.Load(t.Context(), hub, req, nil)
	var input *geo.InputError
	if !errors.As(err, &input) || input.Code != "load.file-changed" {
		t.Errorf("got %v", err)
	}
}

// TestForgetsOldDeliveries keeps the files of the newest deliveries, and that
// of the published one whatever its age.
func TestForgetsOldDeliveries(t *testing.T) {
	t.Parallel()
	hub, files := newHub(t), blob.New(t.TempDir())
	path := write(t, "a.geojson", threePoints)
	req := request("points", path)
	req.Files, req.Force = files, true
	for range 4 {
		load(t, hub, req)
	}
	first := `update dataset set published_id = (select min(id) from version) where slug = 'points'`
	if _, err := hub.Owner.Exec(t.Context(), first); err != nil {
		t.Fatal(err)
	}
	if err := postgis.ForgetReceived(t.Context(), hub.Owner, 2); err != nil {
		t.Fatal(err)
	}
	var kept []int
	err := hub.Owner.QueryRow(t.Context(), `select array_agg(number order by number) from version where file_sha256 is not null`).Scan(&kept)
	if err != nil {
		t.Fatal(err)
	}
	compare(t, kept, []int{1, 3, 4})
}
