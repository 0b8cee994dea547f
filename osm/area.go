package osm

import "calanque/osm/pbf"

// What a closed way is, an area or a line that comes back, follows the rules
// of OpenStreetMap Carto (openstreetmap-carto.lua, v5): one key of areaKeys
// makes an area unless its value is in lineValues, one key and value of
// areaValues does, and area=yes or area=no outdoes them all.
var (
	areaKeys = set("abandoned:aeroway", "abandoned:amenity", "abandoned:building", "abandoned:landuse", "abandoned:power",
		"aeroway", "allotments", "amenity", "area:highway", "building", "building:part", "club", "craft", "emergency",
		"golf", "harbour", "healthcare", "historic", "landuse", "leisure", "man_made", "military", "natural", "office",
		"place", "power", "public_transport", "shop", "tourism", "water", "waterway", "wetland")

	lineValues = map[string]map[string]bool{
		"aeroway":   set("jet_bridge", "parking_position", "runway", "taxiway"),
		"emergency": set("designated", "destination", "no", "official", "yes"),
		"golf":      set("cartpath", "hole", "path"),
		"historic":  set("citywalls"),
		"leisure":   set("track", "slipway"),
		"man_made":  set("breakwater", "cutline", "embankment", "groyne", "pipeline"),
		"natural":   set("arete", "cliff", "coastline", "earth_bank", "gorge", "gully", "ridge", "strait", "tree_row", "valley"),
		"power":     set("cable", "line", "minor_line"),
		"tourism":   set("yes"),
		"waterway":  set("canal", "derelict_canal", "ditch", "drain", "river", "stream", "tidal_channel", "wadi", "weir"),
	}

	areaValues = map[string]map[string]bool{
		"aerialway": set("station"),
		"boundary":  set("aboriginal_lands", "national_park", "protected_area"),
		"highway":   set("services", "rest_area"),
		"indoor":    set("area", "corridor", "room"),
		"junction":  set("yes"),
		"railway":   set("station"),
	}

	// Keys and values that say nothing about the thing itself. An object with
	// no other tag is no feature.
	emptyKeys = set("attribution", "created_by", "converted_by", "fixme", "FIXME", "import", "import_uuid", "note", "odbl",
		"source", "source:date", "source:geometry", "source:name", "source_ref", "todo", "TODO")
)

func set(words ...string) map[string]bool {
	m := make(map[string]bool, len(words))
	for _, w := range words {
		m[w] = true
	}
	return m
}

// isArea reports whether a closed way with these tags is an area.
func isArea(tags []pbf.Tag) bool {
	area := false
	for _, t := range tags {
		if t.Key == "area" {
			switch t.Value {
			case "yes":
				return true
			case "no":
				return false
			}
		}
		area = area || areaKeys[t.Key] && t.Value != "no" && !lineValues[t.Key][t.Value] || areaValues[t.Key][t.Value]
	}
	return area
}

// meaningful reports whether some tag says what the object is.
func meaningful(tags []pbf.Tag) bool {
	for _, t := range tags {
		if !emptyKeys[t.Key] {
			return true
		}
	}
	return false
}

// relationArea reports whether a relation describes an area.
func relationArea(tags []pbf.Tag) bool {
	t := value(tags, "type")
	return t == "multipolygon" || t == "boundary"
}

// ownTags are the tags of a relation that describe the thing: without type.
// bare tells that none of them is meaningful: then the thing's tags may be on
// the outer ways, as was the habit until about 2017.
func ownTags(tags []pbf.Tag) (own []pbf.Tag, bare bool) {
	for _, t := range tags {
		if t.Key != "type" {
			own = append(own, t)
		}
	}
	return own, !meaningful(own)
}

// commonTags are the tags of a that b has too.
func commonTags(a, b []pbf.Tag) []pbf.Tag {
	var both []pbf.Tag
	for _, t := range a {
		for _, u := range b {
			if t == u {
				both = append(both, t)
			}
		}
	}
	return both
}

// sameThing reports whether two objects carry the same tags, those that mean
// nothing left aside.
func sameThing(a, b []pbf.Tag) bool {
	count := func(tags []pbf.Tag) (n int) {
		for _, t := range tags {
			if !emptyKeys[t.Key] {
				n++
			}
		}
		return n
	}
	shared := count(commonTags(a, b))
	return shared == count(a) && shared == count(b)
}

// value is the value of a key, "" when it is not there.
func value(tags []pbf.Tag, key string) string {
	for _, t := range tags {
		if t.Key == key {
			return t.Value
		}
	}
	return ""
}
