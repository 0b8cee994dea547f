-- +goose Up
-- The regional copy of OpenStreetMap. An import builds osm.build_… tables beside these and takes their place in one
-- transaction. No user, uid or changeset column exists anywhere.

-- One row an object with at least one meaningful tag; rows lie along a Hilbert curve, _fid counts them in that order.
create table osm.point (
  _fid    bigint not null,
  _key    text collate "C" not null,            -- type and id: n123
  type    text not null check (type in ('n', 'w', 'r')),
  osm_id  bigint not null,
  version int,                                  -- null when the extract has none
  name    text,
  tags    jsonb not null,
  geom    geometry(point, 3857) not null
);
create table osm.line (like osm.point including all);
alter table osm.line alter column geom type geometry(linestring, 3857);
create table osm.area (like osm.point including all);
alter table osm.area alter column geom type geometry(geometry, 3857),  -- Polygon or MultiPolygon, valid
  add constraint area_geom_check check (geometrytype(geom) in ('POLYGON', 'MULTIPOLYGON'));

create unique index point_key on osm.point (_key);
create index point_geom on osm.point using gist (geom);
create index point_tags on osm.point using gin (tags jsonb_path_ops);
create unique index line_key on osm.line (_key);
create index line_geom on osm.line using gist (geom);
create index line_tags on osm.line using gin (tags jsonb_path_ops);
create unique index area_key on osm.area (_key);
create index area_geom on osm.area using gist (geom);
create index area_tags on osm.area using gin (tags jsonb_path_ops);

-- What is wrong in the extract, object by object: nothing is dropped in silence.
create table osm.problem (
  type   text not null check (type in ('n', 'w', 'r')),
  osm_id bigint not null,
  drawn  boolean not null,                      -- the object is in the copy nevertheless, whole or in part
  code   text not null,
  args   jsonb not null default '{}'            -- of the geo.Message
);
create index problem_object on osm.problem (osm_id, type);

-- The extract that is shown; no row before the first import.
create table osm.state (
  one         boolean primary key default true check (one),
  extract_at  timestamptz not null,             -- the state of OpenStreetMap that it shows
  extract_by  text not null check (extract_by in ('header', 'objects', 'file')),  -- where that date is from
  sequence    bigint,                           -- of the feed, when the extract says
  feed        text,
  region      geometry(multipolygon, 4326) not null,
  file        text not null,
  sha256      bytea not null,
  rules       int not null,                     -- of what makes a feature: another number, another import
  report      jsonb not null,
  imported_at timestamptz not null default now()
);

-- A theme shows some tags as columns of their own: [{"tag": "operator", "name": "operator", "label": {…}}].
alter table theme add column fields jsonb not null default '[]';
