package features

import (
	"fmt"

	"calanque/geo"
)

// An object is a JSON object under construction; its members are written in
// the order of their names.
type object = map[string]any

// openAPI is the OpenAPI 3.0 description of the API as it is now: the general
// paths, and one pair of paths for each collection with the fields it can be
// filtered by.
func openAPI(c *Catalogue, base string) any {
	paths := object{
		"/":            get("getLandingPage", "The landing page", "landingPage", nil),
		"/conformance": get("getConformance", "What the API conforms to", "confClasses", nil),
		"/collections": get("getCollections", "The collections", "collections", nil),
		"/collections/{collectionId}": get("describeCollection", "One collection", "collection",
			[]any{ref("parameters", "collectionId")}),
		"/collections/{collectionId}/items": get("getFeatures", "Features, page by page", "featureCollectionGeoJSON",
			append([]any{ref("parameters", "collectionId")}, itemsParameters()...)),
		"/collections/{collectionId}/items/{featureId}": get("getFeature", "One feature", "featureGeoJSON",
			[]any{ref("parameters", "collectionId"), ref("parameters", "featureId")}),
	}
	ids := make([]string, len(c.Collections))
	for i := range c.Collections {
		l := &c.Collections[i]
		ids[i] = l.Layer
		params := itemsParameters()
		for _, f := range l.Fields {
			if p := fieldParameter(f); p != nil {
				params = append(params, p)
			}
		}
		path := get("getFeatures."+l.Layer, l.Title.In("fr"), "featureCollectionGeoJSON", params)
		paths["/collections/"+l.Layer+"/items"] = path
	}
	return object{
		"openapi": "3.0.3",
		"info": object{
			"title": apiTitle, "description": apiDescription, "version": "1.0.0",
		},
		"servers": []any{object{"url": base + "/api"}},
		"tags":    []any{object{"name": "Capabilities"}, object{"name": "Data"}},
		"paths":   paths,
		"components": object{
			"parameters": parameters(ids),
			"schemas":    schemas(),
			"responses":  responses(),
		},
	}
}

func ref(kind, name string) object { return object{"$ref": "#/components/" + kind + "/" + name} }

// get describes one path that is read.
func get(id, summary, schema string, params []any) object {
	mediaType := "application/json"
	tag := "Capabilities"
	switch schema {
	case "featureCollectionGeoJSON", "featureGeoJSON":
		mediaType, tag = "application/geo+json", "Data"
	}
	op := object{
		"operationId": id, "summary": summary, "tags": []any{tag},
		"responses": object{
			"200": object{
				"description": summary,
				"content":     object{mediaType: object{"schema": ref("schemas", schema)}},
			},
			"400": ref("responses", "InvalidParameter"),
			"404": ref("responses", "NotFound"),
			"500": ref("responses", "ServerError"),
			"503": ref("responses", "Unavailable"),
		},
	}
	if params != nil {
		op["parameters"] = params
	}
	return object{"get": op}
}

func itemsParameters() []any {
	var list []any
	for _, name := range itemParams {
		list = append(list, ref("parameters", name))
	}
	return list
}

// parameters are those that paths refer to. Clients look for limit here: QGIS
// takes the size of its pages from its maximum.
func parameters(ids []string) object {
	collection := object{"type": "string"}
	if len(ids) > 0 {
		collection["enum"] = ids
	}
	path := func(name, description string, schema object) object {
		return object{"name": name, "in": "path", "required": true, "description": description, "schema": schema}
	}
	return object{
		"collectionId": path("collectionId", "Name of a collection", collection),
		"featureId":    path("featureId", "Id of a feature", object{"type": "string"}),
		"limit": query("limit", fmt.Sprintf("At most so many features; more than %d gives %d.", MaxLimit, MaxLimit),
			object{"type": "integer", "minimum": 1, "maximum": MaxLimit, "default": DefaultLimit}),
		"bbox": query("bbox", "Features that intersect the box: west, south, east, north in degrees (CRS84); six numbers with heights are taken too, the heights left aside.",
			object{"type": "array", "minItems": 4, "maxItems": 6, "items": object{"type": "number"}}),
		"datetime": query("datetime", "Features of the time: an instant (RFC 3339), a date (the whole day, local to Europe/Paris), or an interval of two, where .. is an open end.",
			object{"type": "string"}),
		"skipGeometry": query("skipGeometry", "Leave the geometry out.", object{"type": "boolean", "default": false}),
		"after":        query("after", "Where to go on: the value in a next link, unchanged.", object{"type": "string"}),
		"f":            query("f", "The format.", object{"type": "string", "enum": []any{"json", "html"}, "default": "json"}),
	}
}

func query(name, description string, schema object) object {
	return object{
		"name": name, "in": "query", "required": false, "style": "form", "explode": false,
		"description": description, "schema": schema,
	}
}

// fieldParameter describes the equality filter on a field; nil when it can't
// be filtered by.
func fieldParameter(f geo.Field) object {
	for _, p := range itemParams {
		if p == f.Name {
			return nil // the parameter wins
		}
	}
	schema := fieldSchema(f.Type)
	if schema == nil {
		return nil
	}
	title := f.Label.In("fr")
	if title == "" {
		title = f.Title
	}
	if title == "" {
		title = f.Name
	}
	return query(f.Name, title, schema)
}

func fieldSchema(t geo.FieldType) object {
	switch t {
	case geo.TextField:
		return object{"type": "string"}
	case geo.IntegerField:
		return object{"type": "integer", "format": "int64"}
	case geo.RealField:
		return object{"type": "number"}
	case geo.BooleanField:
		return object{"type": "boolean"}
	case geo.DateField:
		return object{"type": "string", "format": "date"}
	case geo.TimeField:
		return object{"type": "string", "format": "date-time"}
	}
	return nil
}

func responses() object {
	problem := func(description string) object {
		return object{
			"description": description,
			"content":     object{"application/problem+json": object{"schema": ref("schemas", "problem")}},
		}
	}
	return object{
		"InvalidParameter": problem("A parameter is wrong: the answer says which, and what would be right."),
		"NotFound":         problem("There is no such thing."),
		"ServerError":      problem("The server made a mistake."),
		"Unavailable":      problem("Try again later."),
	}
}

func schemas() object {
	text := object{"type": "string"}
	list := func(of any) object { return object{"type": "array", "items": of} }
	record := func(required []any, properties object) object {
		return object{"type": "object", "required": required, "properties": properties}
	}
	links := list(ref("schemas", "link"))
	geometry := object{
		"type": "object", "nullable": true, "required": []any{"type"},
		"properties": object{"type": object{"type": "string", "enum": []any{
			"Point", "LineString", "Polygon", "MultiPoint", "MultiLineString", "MultiPolygon", "GeometryCollection",
		}}},
	}
	return object{
		"link": record([]any{"href", "rel"}, object{
			"href": text, "rel": text, "type": text, "title": text, "hreflang": text,
		}),
		"landingPage": record([]any{"links"}, object{"title": text, "description": text, "links": links}),
		"confClasses": record([]any{"conformsTo"}, object{"conformsTo": list(text)}),
		"collections": record([]any{"links", "collections"}, object{"links": links, "collections": list(ref("schemas", "collection"))}),
		"collection": record([]any{"id", "links"}, object{
			"id": text, "title": text, "description": text, "attribution": text, "links": links,
			"extent": object{"type": "object"}, "itemType": text, "crs": list(text),
			"calanque": object{"type": "object", "description": "What the hub knows beyond the standard: producer, licence, fields, times, the account of the load."},
		}),
		"featureCollectionGeoJSON": record([]any{"type", "features"}, object{
			"type":     object{"type": "string", "enum": []any{"FeatureCollection"}},
			"features": list(ref("schemas", "featureGeoJSON")), "links": links,
			"timeStamp":     object{"type": "string", "format": "date-time"},
			"numberMatched": object{"type": "integer", "minimum": 0}, "numberReturned": object{"type": "integer", "minimum": 0},
		}),
		"featureGeoJSON": record([]any{"type", "geometry", "properties"}, object{
			"type": object{"type": "string", "enum": []any{"Feature"}}, "id": text,
			"geometry": geometry, "properties": object{"type": "object", "nullable": true}, "links": links,
		}),
		"problem": record([]any{"type", "title", "status"}, object{
			"type": text, "title": text, "status": object{"type": "integer"}, "detail": text,
			"parameter": text, "value": text, "want": text,
		}),
	}
}
