package sample

// readme is written beside the sample.
const readme = `DONNÉES FICTIVES / FICTIONAL DATA / DATI FITTIZI

Roquebelle-les-Pins et ses voisines n'existent pas. Tout ce dossier est produit
par le générateur d'exemple de Calanque : la même graine et le même jour donnent
les mêmes octets. Codes INSEE et UAI, téléphones, sites et identifiants
OpenStreetMap sont pris dans des plages que rien de réel n'utilise.

Nothing in this folder exists. It is drawn by the sample generator of Calanque:
the same seed and the same day give the same bytes.

osm/roquebelle.osm.pbf        the region as an OpenStreetMap extract
crige/points-eau.shp          drinking-water points; Lambert-93, CP1252, no .cpg
    ID_PE key, NOM, NATURE, POTABLE (O/N), SERVICE, GESTION, ADRESSE, INSEE,
    COMMUNE, QUALITE_XY, DATE_MAJ; some rows have no geometry
crige/equipements-publics.zip public facilities; zipped shapefile, Lambert-93,
    CP1252; ID_EQUIP key, NOM, TYPE, LIB_TYPE, ADRESSE, CP, INSEE, COMMUNE,
    TELEPHONE, SITE_WEB, CODE_UAI, CAPACITE, QUALITE_XY, DATE_MAJ
crige/communes.shp            communes; Lambert-93, UTF-8 with .cpg;
    INSEE key, NOM, DEPT, EPCI, POPULATION, SURF_HA
airpaca/indice.csv            daily air index by commune, 30 days back and
    2 days ahead; key code_zone + date_ech
airpaca/indice-suite.csv      the next day's file: corrects and continues
airpaca/mesures.csv           daily means of stations, in the partner's layout;
    key nom_station + polluant + date
pnr/parc.gpkg                 layers perimetre and sentiers, Lambert-93
truth.csv                     what truly is so of every record and of every
    OpenStreetMap object that no record stands for
`
