package main

import (
	"strings"
	"testing"
)

// refusals lists what the program must refuse.
func refusals(t testing.TB) []refusal {
	one := func(name, file, content string, says ...string) refusal {
		return refusal{name: name, file: file, files: map[string][]byte{file: []byte(content)}, code: 1, says: append(says, file)}
	}
	eau := "crige/points-eau"
	gpkg, pbf := string(sampleBytes(t, "pnr/parc.gpkg")), string(sampleBytes(t, sampleExtract))
	lambert := string(points(20, 900000, 6250000))
	list := []refusal{
		// What a download gives instead of the file.
		one("LFS pointer", "communes.gpkg", "version https://git-lfs.github.com/spec/v1\noid sha256:"+strings.Repeat("4d", 32)+"\nsize 93421568\n", "git lfs pull"),
		one("LFS pointer for OSM", "paca.osm.pbf", "version https://git-lfs.github.com/spec/v1\noid sha256:"+strings.Repeat("4d", 32)+"\nsize 93421568\n", "git lfs pull"),
		one("web page", "communes.geojson", "<!DOCTYPE html>\n<html><head><title>Connexion – Portail</title></head><body></body></html>", "Connexion – Portail"),
		one("web page for OSM", "paca.osm.pbf", "<!DOCTYPE html>\n<html><head><title>404 Not Found</title></head><body></body></html>"),
		one("error of a service", "communes.csv", `<?xml version="1.0"?><ows:ExceptionReport xmlns:ows="http://www.opengis.net/ows/1.1"><ows:Exception><ows:ExceptionText>Unknown layer</ows:ExceptionText></ows:Exception></ows:ExceptionReport>`, "Unknown layer"),
		one("empty file", "communes.geojson", ""),
		one("empty file for OSM", "paca.osm.pbf", ""),
		one("something else", "communes.shp", strings.Repeat("%PDF-1.7 anything ", 50)),
		{name: "missing file", file: "communes.shp", code: 1, says: []string{"communes.shp"}},
		{name: "missing file for OSM", file: "paca.osm.pbf", code: 1, says: []string{"paca.osm.pbf"}},
		{name: "folder without data", file: ".", files: map[string][]byte{"notice.pdf": []byte("%PDF-1.7")}, code: 1, says: []string{"folder-without-data", "notice.pdf"}},

		// Cut and damaged files.
		{name: "shp cut", file: "eau.shp", files: cut(shapefile(t, eau, "eau", ".shp", ".dbf", ".prj", ".shx"), "eau.shp", 0.6), code: 1, says: []string{"eau.shp"}},
		{name: "shp cut in its header", file: "eau.shp", files: cut(shapefile(t, eau, "eau", ".shp", ".dbf", ".prj", ".shx"), "eau.shp", 0.01), code: 1, says: []string{"eau.shp"}},
		{name: "dbf cut", file: "eau.shp", files: cut(shapefile(t, eau, "eau", ".shp", ".dbf", ".prj", ".shx"), "eau.dbf", 0.6), code: 1, says: []string{"eau.dbf"}},
		one("geojson cut", "eau.geojson", string(points(200, 5.4, 43.3)[:9000])),
		one("geojson with a missing comma", "eau.geojson", strings.Replace(string(points(20, 5.4, 43.3)), ",\n", "\n", 1)),
		one("gpkg cut", "parc.gpkg", gpkg[:len(gpkg)*2/3]),
		one("gpkg damaged", "parc.gpkg", gpkg[:100]+strings.Repeat("\x5a", 4000)+gpkg[4100:]),
		one("pbf cut", "paca.osm.pbf", pbf[:len(pbf)*2/3]),
		one("pbf cut in its header", "paca.osm.pbf", pbf[:40]),
		one("pbf damaged", "paca.osm.pbf", string(damaged([]byte(pbf), 0.5))),
		one("zip cut", "eau.zip", string(zipped(t, shapefile(t, eau, "eau", ".shp", ".dbf", ".prj"))[:4000])),

		// Traps.
		{name: "zip bomb", file: "eau.zip", files: map[string][]byte{"eau.zip": bomb(t, "eau.csv", []byte("id;lon;lat\n1;5.4;43.3\n"), 3)}, code: 1, says: []string{"eau.zip", "eau.csv"}},
		{name: "zip bomb for a shapefile", file: "eau.zip", files: map[string][]byte{"eau.zip": bomb(t, "eau.shp", sampleBytes(t, eau+".shp")[:100], 3)}, code: 1, says: []string{"eau.zip", "eau.shp"}},
		one("zip within a zip", "eau.zip", string(zipped(t, map[string][]byte{"a.zip": zipped(t, shapefile(t, eau, "eau", ".shp"))})), "a.zip"),
		one("csv without a line end", "eau.csv", "id;nom;lon;lat\n1;"+strings.Repeat("Fontaine ", 30_000_000)),
		one("csv of zero bytes", "eau.csv", strings.Repeat("\x00", 1<<20)),
		one("deep geojson", "eau.geojson", `{"type":"FeatureCollection","features":[`+strings.Repeat(`{"a":[`, 200_000)),

		// The wrong place.
		{name: "swapped axes", file: "eau.geojson", files: map[string][]byte{"eau.geojson": points(20, 43.3, 5.4)}, code: 1, says: []string{"eau", "--axes"}},
		{name: "another country", file: "eau.geojson", files: map[string][]byte{"eau.geojson": points(20, -3.7, 40.4)}, code: 1, says: []string{"eau", "--anywhere"}},
		{name: "Lambert-93 declared WGS84", file: "eau.csv", files: map[string][]byte{"eau.csv": []byte("id;x;y\n1;900000;6250000\n2;900100;6250100\n")}, args: []string{"--crs", "4326"}, code: 1, says: []string{"eau", "2154"}},
		{name: "Lambert-93 that says WGS84", file: "eau.geojson", files: map[string][]byte{"eau.geojson": []byte(strings.Replace(lambert, `"features"`, `"crs":{"type":"name","properties":{"name":"urn:ogc:def:crs:EPSG::4326"}},"features"`, 1))}, code: 1, says: []string{"eau", "2154"}},
		{name: "unknown system", file: "eau.geojson", files: map[string][]byte{"eau.geojson": points(20, 5.4, 43.3)}, args: []string{"--crs", "999999"}, code: 1, says: []string{"999999"}},

		// Records.
		{name: "many ragged rows", file: "eau.csv", files: map[string][]byte{"eau.csv": table(300, 4)}, code: 3, says: []string{"2", "--issues"}},
		{name: "nothing but titles", file: "eau.csv", files: map[string][]byte{"eau.csv": []byte("id;nom;lon;lat\n")}, code: 1, says: []string{"eau.csv", "--force"}},
		{name: "no feature", file: "eau.geojson", files: map[string][]byte{"eau.geojson": points(0, 5.4, 43.3)}, code: 1, says: []string{"eau.geojson", "--force"}},
		{name: "key twice", file: "eau.csv", files: map[string][]byte{"eau.csv": []byte("id;nom;lon;lat\n7;a;5.4;43.3\n7;b;5.5;43.4\n8;c;5.5;43.5\n")}, args: []string{"--key", "id"}, code: 3, says: []string{"7", "--issues"}},

		// What was asked for.
		{name: "unknown licence", file: "eau.geojson", files: map[string][]byte{"eau.geojson": points(20, 5.4, 43.3)}, args: []string{"--licence", "whatever"}, code: 2, says: []string{"whatever", "lo-2.0"}},
		{name: "unknown key", file: "eau.geojson", files: map[string][]byte{"eau.geojson": points(20, 5.4, 43.3)}, args: []string{"--key", "code"}, code: 1, says: []string{"code", "nom"}},
		{name: "unknown encoding", file: "eau.csv", files: map[string][]byte{"eau.csv": table(20, 0)}, args: []string{"--encoding", "klingon"}, code: 1, says: []string{"klingon", "utf-8"}},
		{name: "unknown column", file: "eau.csv", files: map[string][]byte{"eau.csv": table(20, 0)}, args: []string{"--x", "est", "--y", "nord"}, code: 1, says: []string{"est", "lon"}},
		{name: "unknown layer", file: "parc.gpkg", files: map[string][]byte{"parc.gpkg": []byte(gpkg)}, args: []string{"--layer", "routes"}, code: 1, says: []string{"routes", "sentiers"}},
	}
	return list
}
