#!/usr/bin/python3
"""Opens a hub's collections and vector tiles in QGIS and compares them with PostGIS.

    calanque demo &
    QT_QPA_PLATFORM=offscreen /usr/bin/python3 testdata/clients/open_in_qgis.py http://127.0.0.1:8080 'host=/var/lib/calanque/postgres/socket user=calanque dbname=calanque'

Needs python3-qgis and psql. Every collection with geometry is opened as an
OGC API - Features layer: its features, read by QGIS, must be as many as rows
of the table. Every one is opened as a vector-tile layer too: it must be valid,
and a tile over its middle must decode and draw something. Exit code 1 when
anything differs.
"""

import json
import subprocess
import sys
import urllib.request

from qgis.core import (
    Qgis, QgsApplication, QgsCoordinateReferenceSystem, QgsCoordinateTransform, QgsMapRendererParallelJob,
    QgsMapSettings, QgsProject, QgsRectangle, QgsVectorLayer, QgsVectorTileLayer,
)
from qgis.PyQt.QtCore import QSize
from qgis.PyQt.QtGui import QColor


def get(url):
    with urllib.request.urlopen(url) as answer:
        return json.load(answer)


def rows(database, layer):
    """The rows that PostGIS has for a layer: of a snapshot, a series or a live one."""
    sql = f"""select coalesce(
        (select format('data.%I', lv.relation) from layer l join dataset d on d.id = l.dataset_id
         join layer_version lv on lv.layer_id = l.id and lv.version_id = d.published_id where l.name = '{layer}'),
        (select format('%I.%I', v.schema, v.relation) from live_layer v join layer l on l.id = v.layer_id where l.name = '{layer}'))"""
    table = subprocess.check_output(['psql', database, '-Atc', sql], text=True).strip()
    return int(subprocess.check_output(['psql', database, '-Atc', f'select count(*) from {table}'], text=True))


def features(base, name):
    layer = QgsVectorLayer(f"url='{base}/api' typename='{name}' pageSize='1000'", name, 'OAPIF')
    if not layer.isValid():
        return None, 0
    all_of_them = list(layer.getFeatures())
    return len(all_of_them), sum(1 for f in all_of_them if f.hasGeometry())


def draws(base, name, box):
    """Whether the vector tiles of a layer give a picture that is not empty."""
    layer = QgsVectorTileLayer(f'type=xyz&url={base}/tiles/{name}/%7Bz%7D/%7Bx%7D/%7By%7D.mvt&zmin=0&zmax=14', name)
    if not layer.isValid():
        return False
    mercator = QgsCoordinateReferenceSystem('EPSG:3857')
    to = QgsCoordinateTransform(QgsCoordinateReferenceSystem('EPSG:4326'), mercator, QgsProject.instance())
    extent = to.transformBoundingBox(QgsRectangle(*box))
    if extent.width() < 1000:
        extent.grow(1000)
    s = QgsMapSettings()
    s.setLayers([layer])
    s.setDestinationCrs(mercator)
    s.setExtent(extent)
    s.setOutputSize(QSize(512, 512))
    s.setBackgroundColor(QColor('white'))
    job = QgsMapRendererParallelJob(s)
    job.start()
    job.waitForFinished()
    picture = job.renderedImage()
    return any(picture.pixelColor(x, y) != QColor('white') for x in range(0, 512, 2) for y in range(0, 512, 2))


def main():
    base, database = sys.argv[1].rstrip('/'), sys.argv[2]
    app = QgsApplication([], False)
    app.initQgis()
    print('QGIS', Qgis.QGIS_VERSION)
    wrong = 0
    for c in get(f'{base}/api/collections')['collections']:
        name = c['id']
        if c.get('calanque', {}).get('geometryType') == 'none':
            continue
        want = rows(database, name)
        got, placed = features(base, name)
        drawn = draws(base, name, c['extent']['spatial']['bbox'][0]) if placed else None
        ok = got == want and drawn is not False
        wrong += not ok
        print(f'{"ok " if ok else "BAD"} {name}: {got} features ({placed} with geometry), {want} rows, tiles {"drawn" if drawn else drawn}')
    app.exitQgis()
    sys.exit(1 if wrong else 0)


main()
