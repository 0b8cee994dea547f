-- +goose Up
-- The provisional basemap, made of osm.point, osm.line and osm.area by package tiles once per extract, with the layers
-- and attributes of the Shortbread schema. Buildings are read from osm.area itself. A rebuild makes osm.basemap anew and
-- takes its place in one transaction.
create table osm.basemap (
  band  int not null,                         -- the zoom of generalised rows, below 12; else the first zoom that shows it, to 14
  layer smallint not null,                    -- number of the tile layer, as package tiles counts them
  rank  int not null,                         -- order of drawing within the layer
  id    bigint not null,                      -- decides between equals
  size  real not null,                        -- longer side in metres of 3857: what is left out first when a tile is too large
  props jsonb,
  geom  geometry(geometry, 3857) not null
);
create index on osm.basemap using gist (band, geom);

-- One feature as ST_AsMVT reads it.
create type osm.basemap_item as (geom geometry, props jsonb);

create table osm.basemap_state (
  one         boolean primary key default true check (one),
  id          bigint not null,                -- grows with every rebuild
  rules       int not null,                   -- of package tiles: another number, another rebuild
  imported_at timestamptz not null,           -- of osm.state
  box         box2d not null,                 -- CRS84: where the basemap says something
  n_rows      bigint not null,
  made_at     timestamptz not null default now()
);
