"""Reads documents of the catalogue back and holds them to SHACL shapes.

check.py shapes SHAPES.ttl… -- DOCUMENT…   validates each document alone; a line for each violation
check.py same DOCUMENT…                    the documents must say the same graph
check.py titles DOCUMENT                   JSON: subject → property → language → texts, of all literals
"""

import json
import sys

from rdflib import Graph
from rdflib.compare import to_canonical_graph, graph_diff

FORMATS = {"ttl": "turtle", "rdf": "xml", "jsonld": "json-ld"}


def read(path):
    return Graph().parse(path, format=FORMATS[path.rsplit(".", 1)[1]])


def shapes(args):
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
        _, report, _ = validate(graph, shacl_graph=rules, inference="none", advanced=True)
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


sys.exit({"shapes": shapes, "same": same, "titles": titles}[sys.argv[1]](sys.argv[2:]))
