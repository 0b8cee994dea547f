package crs

import "testing"

// Whatever a declaration says, it names a system or none.
func FuzzRecognise(f *testing.F) {
	for _, s := range []string{geogWGS, `PROJCS["x",` + geogRGF + `,` + l93 + `]`, "EPSG:2154", "urn:ogc:def:crs:EPSG::4326", "+proj=utm +zone=32", "Lambert II étendu", `COMPD_CS["x",PROJCS["y",` + geogNTF + `,` + l93 + `]]`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		srid, _ := Recognise(s)
		if srid < 0 || srid > 1<<20 {
			t.Fatalf("%q gives %d", s, srid)
		}
	})
}
