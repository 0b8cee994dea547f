package ingest_test

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/jackc/pgx/v5"

	"calanque/geo/ingest"
	"calanque/geo/postgis"
	"calanque/geo/postgis/postgistest"
)

const lambert93 = `PROJCS["RGF93_Lambert_93",GEOGCS["GCS_RGF93",DATUM["D_RGF_1993",SPHEROID["GRS_1980",6378137,298.257222101]],PRIMEM["Greenwich",0],UNIT["Degree",0.0174532925199433]],PROJECTION["Lambert_Conformal_Conic"],PARAMETER["False_Easting",700000],PARAMETER["False_Northing",6600000],PARAMETER["Central_Meridian",3],PARAMETER["Standard_Parallel_1",49],PARAMETER["Standard_Parallel_2",44],PARAMETER["Latitude_Of_Origin",46.5],UNIT["Meter",1]]`

// BenchmarkLoad loads a shapefile of points with six attributes, and lets
// ogr2ogr, where it is installed, do so with its defaults. Set
// CALANQUE_BENCH_POINTS for another number of points than 200,000.
func BenchmarkLoad(b *testing.B) {
	n := 200_000
	if s := os.Getenv("CALANQUE_BENCH_POINTS"); s != "" {
		var err error
		if n, err = strconv.Atoi(s); err != nil {
			b.Fatal(err)
		}
	}
	path := writePoints(b, n)
	b.Run("calanque", func(b *testing.B) {
		hub := newHub(b)
		req := request("points", path)
		req.Force = true
		for b.Loop() {
			load(b, hub, req)
		}
		b.ReportMetric(float64(n)*float64(b.N)/b.Elapsed().Seconds(), "rows/s")
	})
	b.Run("ogr2ogr", func(b *testing.B) {
		if _, err := exec.LookPath("ogr2ogr"); err != nil {
			b.Skip("no ogr2ogr to compare with")
		}
		url := postgistest.URL(b)
		conf, err := pgx.ParseConfig(url)
		if err != nil {
			b.Fatal(err)
		}
		pg := fmt.Sprintf("PG:host=%s port=%d user=%s dbname=%s", conf.Host, conf.Port, conf.User, conf.Database)
		for b.Loop() {
			if out, err := exec.Command("ogr2ogr", "-f", "PostgreSQL", pg, path, "-overwrite").CombinedOutput(); err != nil {
				b.Fatalf("%v: %s", err, out)
			}
		}
		b.ReportMetric(float64(n)*float64(b.N)/b.Elapsed().Seconds(), "rows/s")
	})
}

// writePoints makes a shapefile of n points in Provence, in no order.
func writePoints(b testing.TB, n int) string {
	b.Helper()
	var shp, shx, dbf bytes.Buffer
	header := func(w *bytes.Buffer, bytes int) {
		h := make([]byte, 100)
		binary.BigEndian.PutUint32(h, 9994)
		binary.BigEndian.PutUint32(h[24:], uint32(bytes/2))
		binary.LittleEndian.PutUint32(h[28:], 1000)
		binary.LittleEndian.PutUint32(h[32:], 1)
		for i, v := range []float64{800000, 6200000, 1050000, 6400000} {
			binary.LittleEndian.PutUint64(h[36+8*i:], math.Float64bits(v))
		}
		w.Write(h)
	}
	header(&shp, 100+28*n)
	header(&shx, 100+8*n)
	fields := []struct {
		name string
		kind byte
		size byte
	}{{"ID", 'N', 9}, {"NOM", 'C', 24}, {"INSEE", 'C', 5}, {"HAUTEUR", 'N', 9}, {"TYPE", 'C', 12}, {"CODE", 'C', 16}}
	size := 1
	for _, f := range fields {
		size += int(f.size)
	}
	h := make([]byte, 32)
	h[0] = 3
	binary.LittleEndian.PutUint32(h[4:], uint32(n))
	binary.LittleEndian.PutUint16(h[8:], uint16(33+32*len(fields)))
	binary.LittleEndian.PutUint16(h[10:], uint16(size))
	dbf.Write(h)
	for _, f := range fields {
		d := make([]byte, 32)
		copy(d, f.name)
		d[11], d[16] = f.kind, f.size
		if f.name == "HAUTEUR" {
			d[17] = 2
		}
		dbf.Write(d)
	}
	dbf.WriteByte(0x0d)
	for i := range n {
		j := uint64(i)*2654435761%1000003 + 1
		rec := make([]byte, 28)
		binary.BigEndian.PutUint32(rec, uint32(i+1))
		binary.BigEndian.PutUint32(rec[4:], 10)
		binary.LittleEndian.PutUint32(rec[8:], 1)
		binary.LittleEndian.PutUint64(rec[12:], math.Float64bits(800000+float64(j%1000)*250))
		binary.LittleEndian.PutUint64(rec[20:], math.Float64bits(6200000+float64(j/1000)*199.5))
		binary.Write(&shx, binary.BigEndian, [2]uint32{uint32(shp.Len() / 2), 10})
		shp.Write(rec)
		fmt.Fprintf(&dbf, " %9d%-24s%05d%9.2f%-12s%-16s", i, fmt.Sprintf("Arret %d", i), 13001+i%119, float64(j%5000)/7, []string{"arret", "borne", "banc"}[i%3], fmt.Sprintf("PACA-%010d", j))
	}
	dir := b.TempDir()
	for ext, content := range map[string][]byte{"shp": shp.Bytes(), "shx": shx.Bytes(), "dbf": dbf.Bytes(), "prj": []byte(lambert93), "cpg": []byte("UTF-8")} {
		if err := os.WriteFile(filepath.Join(dir, "points."+ext), content, 0o644); err != nil {
			b.Fatal(err)
		}
	}
	return filepath.Join(dir, "points.shp")
}

// What is loaded is what ogr2ogr loads: geometry and attributes to the byte.
func TestSameAsOgr2ogr(t *testing.T) {
	t.Parallel()
	if _, err := exec.LookPath("ogr2ogr"); err != nil {
		t.Skip("no ogr2ogr to compare with")
	}
	url := postgistest.URL(t)
	hub, err := postgis.Open(t.Context(), postgis.Config{URL: url})
	if err != nil {
		t.Fatal(err)
	}
	defer hub.Close()
	prepare(t, hub)
	path := writePoints(t, 5000)
	r, err := ingest.Load(t.Context(), hub, request("points", path), nil)
	if err != nil {
		t.Fatal(err)
	}
	conf, err := pgx.ParseConfig(url)
	if err != nil {
		t.Fatal(err)
	}
	pg := fmt.Sprintf("PG:host=%s port=%d user=%s dbname=%s", conf.Host, conf.Port, conf.User, conf.Database)
	out, err := exec.Command("ogr2ogr", "-f", "PostgreSQL", pg, path, "-nln", "public.theirs", "-lco", "GEOMETRY_NAME=g", "-a_srs", "EPSG:2154").CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	var differ, together, disorder int
	err = hub.Owner.QueryRow(t.Context(), fmt.Sprintf(`
		select count(*) filter (where st_asewkb(o._geom) <> st_asewkb(t.g) or (o.nom, o.insee, o.hauteur::numeric, o.type, o.code)
			is distinct from (t.nom::text, t.insee::text, t.hauteur::numeric, t.type::text, t.code::text)),
			count(*), (select count(*) from (select _fid, row_number() over (order by ctid) as n from data.v%d_points) x where n <> _fid)
		from data.v%d_points o
		join theirs t on t.id = o.id_source`, r.Version, r.Version)).Scan(&differ, &together, &disorder)
	if err != nil {
		t.Fatal(err)
	}
	if differ != 0 || together != 5000 || disorder != 0 {
		t.Errorf("%d of %d rows differ, %d are out of order", differ, together, disorder)
	}
}
