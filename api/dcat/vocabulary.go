package dcat

import (
	"strings"

	"calanque/geo"
)

// authority is where the Publications Office keeps its tables.
const authority = "http://publications.europa.eu/resource/authority/"

// concept makes a node of an authority's concept. DCAT-AP's ranges ask that it
// is typed, and its vocabularies that it names its table; nobody has to fetch
// them then.
func concept(table, code string, types ...string) *node {
	return shared(authority+table+"/"+code, types...).link("skos:inScheme", authority+table)
}

// dataThemes are the concepts of the table "data-theme", with its labels.
var dataThemes = map[string]geo.Text{
	"AGRI": {"fr": "Agriculture, pêche, sylviculture et alimentation", "en": "Agriculture, fisheries, forestry and food", "it": "Agricoltura, pesca, silvicoltura e prodotti alimentari"},
	"ECON": {"fr": "Économie et finances", "en": "Economy and finance", "it": "Economia e finanze"},
	"EDUC": {"fr": "Éducation, culture et sport", "en": "Education, culture and sport", "it": "Istruzione, cultura e sport"},
	"ENER": {"fr": "Énergie", "en": "Energy", "it": "Energia"},
	"ENVI": {"fr": "Environnement", "en": "Environment", "it": "Ambiente"},
	"GOVE": {"fr": "Gouvernement et secteur public", "en": "Government and public sector", "it": "Governo e settore pubblico"},
	"HEAL": {"fr": "Santé", "en": "Health", "it": "Salute"},
	"INTR": {"fr": "Questions internationales", "en": "International issues", "it": "Tematiche internazionali"},
	"JUST": {"fr": "Justice, système juridique et sécurité publique", "en": "Justice, legal system and public safety", "it": "Giustizia, sistema giuridico e sicurezza pubblica"},
	"REGI": {"fr": "Régions et villes", "en": "Regions and cities", "it": "Regioni e città"},
	"SOCI": {"fr": "Population et société", "en": "Population and society", "it": "Popolazione e società"},
	"TECH": {"fr": "Science et technologie", "en": "Science and technology", "it": "Scienza e tecnologia"},
	"TRAN": {"fr": "Transports", "en": "Transport", "it": "Trasporti"},
}

func theme(code string) *node {
	return concept("data-theme", code, "skos:Concept").text("skos:prefLabel", dataThemes[code])
}

// The high-value categories of Implementing Regulation (EU) 2023/138.
const (
	highValueLaw    = "http://data.europa.eu/eli/reg_impl/2023/138/oj"
	highValueScheme = "http://data.europa.eu/bna/asd487ae75"
)

var highValueCategories = map[string]geo.Text{
	"http://data.europa.eu/bna/c_164e0bf5": {"fr": "Météorologiques", "en": "Meteorological", "it": "Dati meteorologici"},
	"http://data.europa.eu/bna/c_a9135398": {"fr": "Entreprises et propriété d’entreprises", "en": "Companies and company ownership", "it": "Dati relativi alle imprese e alla proprietà delle imprese"},
	"http://data.europa.eu/bna/c_ac64a52d": {"fr": "Géospatiales", "en": "Geospatial", "it": "Dati geospaziali"},
	"http://data.europa.eu/bna/c_b79e35eb": {"fr": "Mobilité", "en": "Mobility", "it": "Dati relativi alla mobilità"},
	"http://data.europa.eu/bna/c_dd313021": {"fr": "Observation de la terre et environnement", "en": "Earth observation and environment", "it": "Dati relativi all’osservazione della terra e all’ambiente"},
	"http://data.europa.eu/bna/c_e1da4e07": {"fr": "Statistiques", "en": "Statistics", "it": "Dati statistici"},
}

func highValueCategory(iri string) *node {
	return shared(iri, "skos:Concept").link("skos:inScheme", highValueScheme).text("skos:prefLabel", highValueCategories[iri])
}

// languages are the hub's, as the table "language" codes them.
var languages = []string{"FRA", "ENG", "ITA"}

func language(code string) *node { return concept("language", code, "dct:LinguisticSystem") }

// knownLicences are the concepts of the table "licence" for licences whose row
// names none, by their ids.
var knownLicences = map[string]string{
	"cc0": "CC0", "cc0-1.0": "CC0", "cc-by-4.0": "CC_BY_4_0", "cc-by-sa-4.0": "CC_BYSA_4_0",
	"odbl-1.0": "ODC_BL", "odbl": "ODC_BL", "odc-by": "ODC_BY", "pddl": "ODC_PDDL",
}

// A fileType is a format: its concept in the table "file-type" and its media
// type at IANA; "" where there is none.
type fileType struct{ code, media string }

// fileTypes are those that resources have, by the format's short name.
var fileTypes = map[string]fileType{
	"atom":    {"ATOM", "application/atom+xml"},
	"csv":     {"CSV", "text/csv"},
	"dbf":     {"DBF", ""},
	"doc":     {"DOC", "application/msword"},
	"docx":    {"DOCX", "application/vnd.openxmlformats-officedocument.wordprocessingml.document"},
	"dxf":     {"DXF", "image/vnd.dxf"},
	"geojson": {"GEOJSON", "application/geo+json"},
	"geotiff": {"GEOTIFF", "image/tiff"},
	"gml":     {"GML", "application/gml+xml"},
	"gpkg":    {"GPKG", "application/geopackage+sqlite3"},
	"gpx":     {"GPX", ""},
	"gtfs":    {"GTFS", "application/zip"},
	"html":    {"HTML", "text/html"},
	"jpeg":    {"JPEG", "image/jpeg"},
	"jpg":     {"JPEG", "image/jpeg"},
	"json":    {"JSON", "application/json"},
	"jsonld":  {"JSON_LD", "application/ld+json"},
	"kml":     {"KML", "application/vnd.google-earth.kml+xml"},
	"kmz":     {"KMZ", "application/vnd.google-earth.kmz"},
	"mvt":     {"", "application/vnd.mapbox-vector-tile"},
	"netcdf":  {"NETCDF", ""},
	"ods":     {"ODS", "application/vnd.oasis.opendocument.spreadsheet"},
	"odt":     {"ODT", "application/vnd.oasis.opendocument.text"},
	"parquet": {"PARQUET", "application/vnd.apache.parquet"},
	"pdf":     {"PDF", "application/pdf"},
	"png":     {"PNG", "image/png"},
	"rss":     {"RSS", ""},
	"shp":     {"SHP", "application/vnd.shp"},
	"tiff":    {"TIFF", "image/tiff"},
	"txt":     {"TXT", "text/plain"},
	"wcs":     {"WCS_SRVC", ""},
	"wfs":     {"WFS_SRVC", ""},
	"wms":     {"WMS_SRVC", ""},
	"wmts":    {"WMTS_SRVC", ""},
	"xls":     {"XLS", "application/vnd.ms-excel"},
	"xlsx":    {"XLSX", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"},
	"xml":     {"XML", "application/xml"},
	"zip":     {"ZIP", "application/zip"},
}

// isFile tells whether a link to that format brings a file, not a page.
func isFile(format string) bool {
	t, ok := fileTypes[format]
	return ok && format != "html" && !strings.HasSuffix(t.code, "_SRVC")
}

// format says what a distribution is a file of. media is as it was received,
// "" to go by the format.
func (n *node) format(format, media string) *node {
	t := fileTypes[strings.ToLower(format)]
	if t.code != "" {
		n.add("dct:format", concept("file-type", t.code, "dct:MediaTypeOrExtent"))
	}
	if media == "" {
		media = t.media
	}
	media, _, _ = strings.Cut(media, ";")
	if strings.Count(media, "/") == 1 && !strings.Contains(media, "octet-stream") {
		n.add("dcat:mediaType", shared("https://www.iana.org/assignments/media-types/"+media, "dct:MediaType"))
	}
	return n
}

// standards are what services conform to, by format: the names that udata
// knows services by.
var standards = map[string]string{
	"csw":     "http://www.opengeospatial.org/standards/csw",
	"ogc-api": "http://www.opengis.net/spec/ogcapi-features-1/1.0",
	"wcs":     "http://www.opengeospatial.org/standards/wcs",
	"wfs":     "http://www.opengeospatial.org/standards/wfs",
	"wms":     "http://www.opengeospatial.org/standards/wms",
	"wmts":    "http://www.opengeospatial.org/standards/wmts",
}

// publisherTypes are concepts of ADMS for the kinds of producers; parks and
// agencies are public bodies of many communes, for which it has none.
var publisherTypes = map[string]struct {
	code  string
	label geo.Text
}{
	"region":      {"RegionalAuthority", geo.Text{"fr": "Autorité régionale", "en": "Regional authority", "it": "Autorità regionale"}},
	"city":        {"LocalAuthority", geo.Text{"fr": "Autorité locale", "en": "Local authority", "it": "Autorità locale"}},
	"state":       {"NationalAuthority", geo.Text{"fr": "Autorité nationale", "en": "National authority", "it": "Autorità nazionale"}},
	"association": {"NonProfitOrganisation", geo.Text{"fr": "Organisation à but non lucratif", "en": "Non-profit organisation", "it": "Organizzazione senza scopo di lucro"}},
}

// places are the units of NUTS 2021 for codes of the region and its
// departments. Communes and EPCIs have no address that is sure to last.
var places = map[string]string{
	"R93": "FRL0", "D04": "FRL01", "D05": "FRL02", "D06": "FRL03", "D13": "FRL04", "D83": "FRL05", "D84": "FRL06",
}

// place says a territory's code: by its unit of NUTS where it has one.
func place(code string) *node {
	if unit, ok := places[code]; ok {
		return shared("http://data.europa.eu/nuts/code/"+unit, "dct:Location").literal("dct:identifier", code, "")
	}
	return (&node{types: []string{"dct:Location"}}).literal("dct:identifier", code, "")
}
