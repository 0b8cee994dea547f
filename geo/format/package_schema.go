package format

import "strings"

// wktLambert93 and wktWGS84 are EPSG:2154 and EPSG:4326 as EPSG's registry has
// them, in the WKT 1 that GeoPackage asks for.
const (
	wktLambert93 = `PROJCS["RGF93 v1 / Lambert-93",GEOGCS["RGF93 v1",DATUM["Reseau_Geodesique_Francais_1993_v1",SPHEROID["GRS 1980",6378137,298.257222101,AUTHORITY["EPSG","7019"]],AUTHORITY["EPSG","6171"]],PRIMEM["Greenwich",0,AUTHORITY["EPSG","8901"]],UNIT["degree",0.0174532925199433,AUTHORITY["EPSG","9122"]],AUTHORITY["EPSG","4171"]],PROJECTION["Lambert_Conformal_Conic_2SP"],PARAMETER["latitude_of_origin",46.5],PARAMETER["central_meridian",3],PARAMETER["standard_parallel_1",49],PARAMETER["standard_parallel_2",44],PARAMETER["false_easting",700000],PARAMETER["false_northing",6600000],UNIT["metre",1,AUTHORITY["EPSG","9001"]],AXIS["Easting",EAST],AXIS["Northing",NORTH],AUTHORITY["EPSG","2154"]]`
	wktWGS84     = `GEOGCS["WGS 84",DATUM["WGS_1984",SPHEROID["WGS 84",6378137,298.257223563,AUTHORITY["EPSG","7030"]],AUTHORITY["EPSG","6326"]],PRIMEM["Greenwich",0,AUTHORITY["EPSG","8901"]],UNIT["degree",0.0174532925199433,AUTHORITY["EPSG","9122"]],AXIS["Latitude",NORTH],AXIS["Longitude",EAST],AUTHORITY["EPSG","4326"]]`
)

// packagePragmas make SQLite write a file that nobody else sees yet: without a
// journal, in pages of 4 KiB. application_id is "GPKG", user_version 1.3.0.
const packagePragmas = `
pragma page_size = 4096;
pragma journal_mode = off;
pragma synchronous = off;
pragma locking_mode = exclusive;
pragma cache_size = -16384;
pragma encoding = 'UTF-8';
pragma application_id = 1196444487;
pragma user_version = 10300;`

// packageTables are the tables of every GeoPackage (OGC 12-128r18, annex C),
// and of the extensions that ours use: R-trees and the description of columns.
const packageTables = `
create table gpkg_spatial_ref_sys (
  srs_name text not null, srs_id integer primary key not null, organization text not null,
  organization_coordsys_id integer not null, definition text not null, description text);
create table gpkg_contents (
  table_name text not null primary key, data_type text not null, identifier text unique, description text default '',
  last_change datetime not null default (strftime('%Y-%m-%dT%H:%M:%fZ','now')),
  min_x double, min_y double, max_x double, max_y double, srs_id integer,
  constraint fk_gc_r_srs_id foreign key (srs_id) references gpkg_spatial_ref_sys(srs_id));
create table gpkg_geometry_columns (
  table_name text not null, column_name text not null, geometry_type_name text not null, srs_id integer not null,
  z tinyint not null, m tinyint not null,
  constraint pk_geom_cols primary key (table_name, column_name), constraint uk_gc_table_name unique (table_name),
  constraint fk_gc_tn foreign key (table_name) references gpkg_contents(table_name),
  constraint fk_gc_srs foreign key (srs_id) references gpkg_spatial_ref_sys (srs_id));
create table gpkg_extensions (
  table_name text, column_name text, extension_name text not null, definition text not null, scope text not null,
  constraint ge_tce unique (table_name, column_name, extension_name));
create table gpkg_data_columns (
  table_name text not null, column_name text not null, name text, title text, description text, mime_type text,
  constraint_name text, constraint pk_gdc primary key (table_name, column_name),
  constraint gdc_tn unique (table_name, name));
create table gpkg_data_column_constraints (
  constraint_name text not null, constraint_type text not null, value text, min numeric, min_is_inclusive boolean,
  max numeric, max_is_inclusive boolean, description text,
  constraint gdcc_ntv unique (constraint_name, constraint_type, value));
insert into gpkg_spatial_ref_sys values
  ('Undefined Cartesian SRS', -1, 'NONE', -1, 'undefined', 'undefined Cartesian coordinate reference system'),
  ('Undefined geographic SRS', 0, 'NONE', 0, 'undefined', 'undefined geographic coordinate reference system'),
  ('RGF93 v1 / Lambert-93', 2154, 'EPSG', 2154, '` + wktLambert93 + `', 'metres, the French national projection'),
  ('WGS 84 geodetic', 4326, 'EPSG', 4326, '` + wktWGS84 + `', 'longitude/latitude in degrees on the WGS 84 spheroid');
insert into gpkg_extensions values
  ('gpkg_data_columns', null, 'gpkg_schema', 'http://www.geopackage.org/spec121/#extension_schema', 'read-write'),
  ('gpkg_data_column_constraints', null, 'gpkg_schema', 'http://www.geopackage.org/spec121/#extension_schema', 'read-write');`

// treeTriggers keep the R-tree of a table true when somebody changes it later
// (annex F.3 of the standard). {t}, {c} and {i} are table, geometry and key,
// {r} is the tree.
const treeTriggers = `
create trigger "{r}_insert" after insert on "{t}" when (new."{c}" not null and not ST_IsEmpty(new."{c}"))
begin insert or replace into "{r}" values (new."{i}", ST_MinX(new."{c}"), ST_MaxX(new."{c}"), ST_MinY(new."{c}"), ST_MaxY(new."{c}")); end;
create trigger "{r}_update2" after update of "{c}" on "{t}" when old."{i}" = new."{i}" and (new."{c}" isnull or ST_IsEmpty(new."{c}"))
begin delete from "{r}" where id = old."{i}"; end;
create trigger "{r}_update4" after update on "{t}" when old."{i}" != new."{i}" and (new."{c}" isnull or ST_IsEmpty(new."{c}"))
begin delete from "{r}" where id in (old."{i}", new."{i}"); end;
create trigger "{r}_update5" after update on "{t}" when old."{i}" != new."{i}" and (new."{c}" notnull and not ST_IsEmpty(new."{c}"))
begin delete from "{r}" where id = old."{i}"; insert or replace into "{r}" values (new."{i}", ST_MinX(new."{c}"), ST_MaxX(new."{c}"), ST_MinY(new."{c}"), ST_MaxY(new."{c}")); end;
create trigger "{r}_update6" after update of "{c}" on "{t}" when old."{i}" = new."{i}" and (new."{c}" notnull and not ST_IsEmpty(new."{c}")) and (old."{c}" notnull and not ST_IsEmpty(old."{c}"))
begin update "{r}" set minx = ST_MinX(new."{c}"), maxx = ST_MaxX(new."{c}"), miny = ST_MinY(new."{c}"), maxy = ST_MaxY(new."{c}") where id = new."{i}"; end;
create trigger "{r}_update7" after update of "{c}" on "{t}" when old."{i}" = new."{i}" and (new."{c}" notnull and not ST_IsEmpty(new."{c}")) and (old."{c}" isnull or ST_IsEmpty(old."{c}"))
begin insert into "{r}" values (new."{i}", ST_MinX(new."{c}"), ST_MaxX(new."{c}"), ST_MinY(new."{c}"), ST_MaxY(new."{c}")); end;
create trigger "{r}_delete" after delete on "{t}" when old."{c}" not null
begin delete from "{r}" where id = old."{i}"; end;`

// quoted writes an SQL identifier of SQLite.
func quoted(name string) string { return `"` + strings.ReplaceAll(name, `"`, `""`) + `"` }
