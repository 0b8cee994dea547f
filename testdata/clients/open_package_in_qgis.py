#!/usr/bin/python3
"""Opens the GeoPackages that a hub offers in QGIS and compares them with GDAL's copies of the same data.

    calanque demo &
    QT_QPA_PLATFORM=offscreen /usr/bin/python3 testdata/clients/open_package_in_qgis.py http://127.0.0.1:8080

Needs python3-qgis and ogr2ogr. Each layer that has a GeoPackage is downloaded,
copied by ogr2ogr and opened twice: number of features, system, extent, types
of fields, geometries and attributes of every feature, and what a filter by a
quarter of its extent lets through must be the same. Exit code 1 when anything
differs.
"""

import json
import subprocess
import sys
import tempfile
import urllib.error
import urllib.request
from pathlib import Path

from qgis.core import QgsApplication, QgsFeatureRequest, QgsRectangle, QgsVectorLayer


def told(layer, request=None):
    """What QGIS reads of a layer, by fid: geometry as WKB in hexadecimal, and attributes."""
    return {
        f.id(): (f.geometry().asWkb().toHex().data() if f.hasGeometry() else None, [str(a) for a in f.attributes()])
        for f in layer.getFeatures(request or QgsFeatureRequest())
    }


def compare(file, name):
    copy = file.with_name('copy-' + file.name)
    subprocess.run(['ogr2ogr', '-f', 'GPKG', '-preserve_fid', copy, file], check=True)
    a, b = (QgsVectorLayer(str(f), name, 'ogr') for f in (file, copy))
    e = a.extent()
    quarter = QgsFeatureRequest(QgsRectangle(e.xMinimum(), e.yMinimum(), e.center().x(), e.center().y()))
    checks = {
        'valid': a.isValid() and b.isValid(),
        'spatial index': a.hasSpatialIndex() == b.hasSpatialIndex(),
        'count': a.featureCount() == b.featureCount(),
        'system': a.crs() == b.crs(),
        'extent': a.extent() == b.extent(),
        'type': a.wkbType() == b.wkbType(),
        'fields': [(f.name(), f.typeName()) for f in a.fields()] == [(f.name(), f.typeName()) for f in b.fields()],
        'features': told(a) == told(b),
        'filter': told(a, quarter) == told(b, quarter),
    }
    wrong = [k for k, ok in checks.items() if not ok]
    print(f'{name}: {a.featureCount()} features, {a.crs().authid()}', 'as GDAL has them' if not wrong else f'DIFFER in {wrong}')
    return not wrong


def main(hub):
    app = QgsApplication([], False)
    app.initQgis()
    with urllib.request.urlopen(hub + '/api/collections') as answer:
        names = [c['id'] for c in json.load(answer)['collections']]
    good, opened = True, 0
    with tempfile.TemporaryDirectory() as folder:
        for name in names:
            file = Path(folder) / f'{name}.gpkg'
            try:
                urllib.request.urlretrieve(f'{hub}/donnees/{name}/telechargements/{name}.gpkg', file)
            except urllib.error.HTTPError as e:
                print(f'{name}: no GeoPackage ({e.code})')
                continue
            opened += 1
            good = compare(file, name) and good
    app.exitQgis()
    return 0 if good and opened else 1


if __name__ == '__main__':
    sys.exit(main(*sys.argv[1:]))
