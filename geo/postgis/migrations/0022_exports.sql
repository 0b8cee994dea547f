-- +goose Up
-- What a session's files need: the nodes of ways, and keys that sign links to them.

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

-- Links by which editors read a session's files are signed with its key: they outlive a restart of the server, and end with
-- another key.
alter table session
  add column link_key bytea not null default uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid());
