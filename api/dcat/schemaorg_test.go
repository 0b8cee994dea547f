package dcat

import (
	"encoding/json"
	"strings"
	"testing"
)

// TestSchemaOrg reads a page's description back, and looks for what could end
// the script element that it stands in.
func TestSchemaOrg(t *testing.T) {
	t.Parallel()
	e := full()
	e.Title["fr"] = "</script><script>alert(1)</script> & \"x\""
	body := SchemaOrg(site, about, &e, "fr")
	if strings.ContainsAny(string(body), "<>&") {
		t.Errorf("a page's script could end here: %s", body)
	}
	var d map[string]any
	if err := json.Unmarshal(body, &d); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]any{
		"@context": "https://schema.org/", "@type": "Dataset", "name": e.Title["fr"], "url": "https://donnees.exemple.fr/donnees/points-eau",
		"identifier": "fontaines", "license": "https://opendatacommons.org/licenses/odbl/1-0/", "temporalCoverage": "2024-01-01/2024-12-31",
		"datePublished": "2013-05-02", "dateModified": "2026-03-01T00:00:00Z", "isAccessibleForFree": true,
	} {
		if d[name] != want {
			t.Errorf("%s: got %v, want %v", name, d[name], want)
		}
	}
	if box := d["spatialCoverage"].(map[string]any)["geo"].(map[string]any)["box"]; box != "42.9 4.2 45.125 7.75" {
		t.Errorf("the box is %v, want latitudes first", box)
	}
	if n := len(d["distribution"].([]any)); n != 7 {
		t.Errorf("%d downloads, want 7: five of layers, the file, the file elsewhere", n)
	}
	poor := bare()
	if err := json.Unmarshal(SchemaOrg(site, about, &poor, "it"), &d); err != nil {
		t.Error(err)
	}
	if got := period(nil, when("2024-12-31")); got != "../2024-12-31" {
		t.Errorf("an open period is %q", got)
	}
}
