"""Reads documents of the catalogue back and holds them to SHACL shapes.

check.py shapes SHAPES.ttl… -- DOCUMENT…   validates each document alone; a line for each violation
check.py entailed SHAPES.ttl… -- DOCUMENT…  likewise, with what RDFS entails
check.py same DOCUMENT…                    the documents must say the same graph
check.py harvest URL                       JSON: what the reader of data.gouv.fr (udata) makes of a catalogue
check.py titles DOCUMENT                   JSON: subject → property → language → texts, of all literals
"""

import json
import sys

from rdflib import Graph
from rdflib.compare import to_canonical_graph, graph_diff

FORMATS = {"ttl": "turtle", "rdf": "xml", "jsonld": "json-ld"}


def read(path):
    return Graph().parse(path, format=FORMATS[path.rsplit(".", 1)[1]])


def entailed(args):
    return shapes(args, "rdfs")


def shapes(args, inference="none"):
    from pyshacl import validate
    from rdflib.namespace import RDF, SH

    cut = args.index("--")
    rules = Graph()
    for path in args[:cut]:
        rules.parse(path, format="turtle")
    # owl:imports would be fetched from the network.
    bad = 0
    triples = 0
    for path in args[cut + 1 :]:
        graph = read(path)
        triples += len(graph)
        _, report, _ = validate(graph, shacl_graph=rules, inference=inference, advanced=True)
        for result in report.subjects(RDF.type, SH.ValidationResult):
            if report.value(result, SH.resultSeverity) != SH.Violation:
                continue
            bad += 1
            if bad <= 20:
                print(path, *(report.value(result, p) for p in (SH.focusNode, SH.resultPath, SH.value, SH.resultMessage)))
    print(f"{len(args) - cut - 1} documents, {triples} triples, {bad} violations")
    return bad > 0


def same(args):
    first = to_canonical_graph(read(args[0]))
    for path in args[1:]:
        other = to_canonical_graph(read(path))
        _, left, right = graph_diff(first, other)
        for sign, graph in (("-", left), ("+", right)):
            for triple in list(graph)[:10]:
                print(path, sign, *triple)
        if len(left) or len(right):
            return True
    return False


def titles(args):
    out = {}
    for s, p, o in read(args[0]):
        if hasattr(o, "language"):
            out.setdefault(str(s), {}).setdefault(str(p), {}).setdefault(o.language or str(o.datatype or ""), []).append(str(o))
    json.dump(out, sys.stdout)
    return False


def harvest(args):
    """Follows udata's rules, as of its 17th version: pages by hydra:next, identity by dct:identifier, address by
    dcat:landingPage, French among the languages, keywords and the labels of themes as tags, extents in WKT, licences of
    the dataset before those of its distributions, a distribution's address by downloadURL, else accessURL."""
    import urllib.request

    from rdflib import Literal, URIRef
    from rdflib.namespace import DCAT, DCTERMS, RDF, SKOS, Namespace

    hydra = Namespace("http://www.w3.org/ns/hydra/core#")
    wkt = URIRef("http://www.opengis.net/ont/geosparql#wktLiteral")
    found, url, pages = {}, args[0], 0
    while url:
        with urllib.request.urlopen(url) as answer:
            graph = Graph().parse(data=answer.read().decode(), format=FORMATS[url.split("?")[0].rsplit(".", 1)[1]])
        pages += 1

        def french(node, prop):
            values = list(graph.objects(node, prop))
            best = [v for v in values if isinstance(v, Literal) and v.language == "fr"] or values
            return str(best[0]) if best else None

        for node in graph.subjects(RDF.type, DCAT.Dataset):
            if french(node, DCTERMS.title) is None:
                continue
            tags = {str(k) for k in graph.objects(node, DCAT.keyword)}
            tags |= {french(t, SKOS.prefLabel) for t in graph.objects(node, DCAT.theme)}
            resources = []
            for d in graph.objects(node, DCAT.distribution):
                where = graph.value(d, DCAT.downloadURL) or graph.value(d, DCAT.accessURL)
                service = graph.value(d, DCAT.accessService)
                kind = str(graph.value(service, DCTERMS.conformsTo) or "") if service else str(graph.value(d, DCTERMS.format) or "")
                resources.append([french(d, DCTERMS.title), str(where), kind.rsplit("/", 1)[-1].lower(), "api" if service else "main"])
            found[str(graph.value(node, DCTERMS.identifier))] = {
                "title": french(node, DCTERMS.title),
                "page": str(graph.value(node, DCAT.landingPage)),
                "tags": sorted(tags),
                "frequency": str(graph.value(node, DCTERMS.accrualPeriodicity) or "").rsplit("/", 1)[-1],
                "licences": [str(v) for v in graph.objects(node, DCTERMS.license)],
                "extents": [str(v) for s in graph.objects(node, DCTERMS.spatial) for v in graph.objects(s) if isinstance(v, Literal) and v.datatype == wkt],
                "resources": sorted(resources),
            }
        view = graph.value(predicate=RDF.type, object=hydra.PartialCollectionView)
        url = graph.value(view, hydra.next)
    json.dump({"pages": pages, "datasets": found}, sys.stdout)
    return False


sys.exit({"shapes": shapes, "entailed": entailed, "same": same, "titles": titles, "harvest": harvest}[sys.argv[1]](sys.argv[2:]))
