package osm

import (
	"encoding/json"
	"slices"
	"strings"
)

// OsmiumConfig is a configuration of "osmium export" with the rules of
// isArea and meaningful.
func OsmiumConfig() string {
	var area []string
	for key := range areaKeys {
		not := []string{"no"}
		for v := range lineValues[key] {
			not = append(not, v)
		}
		slices.Sort(not)
		area = append(area, key+"!="+strings.Join(slices.Compact(not), ","))
	}
	for key, values := range areaValues {
		for v := range values {
			area = append(area, key+"="+v)
		}
	}
	var empty []string
	for key := range emptyKeys {
		empty = append(empty, key)
	}
	slices.Sort(area)
	slices.Sort(empty)
	b, err := json.Marshal(map[string]any{
		"attributes": map[string]bool{}, "linear_tags": nil, "area_tags": area, "exclude_tags": empty, "include_tags": []string{},
	})
	if err != nil {
		panic(err)
	}
	return string(b)
}

// Empty reports whether a key says nothing about the thing itself.
func Empty(key string) bool { return emptyKeys[key] }
