-- +goose Up
-- The lists of nodes of ways that people may be asked about, so that a file can hold such a way whole: those that a theme
-- selects, and those that say what a facility is. An import builds them beside the features and swaps them in together. A
-- copy that was imported before has none: its next import fills them, of the same extract too.
create table osm.way (
  id    bigint not null,
  nodes bigint[] not null
);
create unique index way_key on osm.way (id);
create table osm.node (                           -- of those ways
  id      bigint not null,
  version int,                                    -- null when the extract has none
  lon     int not null,                           -- 1e-7 degrees, as OpenStreetMap keeps them
  lat     int not null,
  tags    jsonb                                   -- null: none
);
create unique index node_key on osm.node (id);

-- The selections whose ways have their lists.
alter table osm.state add column listed jsonb not null default '[]';
