-- +goose Up
-- The hub's first schema: catalogue, versions and layers, the OpenStreetMap copy, matching, and the log of changes.
-- What a comment calls impossible is refused by the database; schema_test.go tries each such state.

-- +goose StatementBegin
-- French text is compared without accents and case; unaccent() itself is only stable, so it is wrapped for indexes.
create function public.plain(text) returns text language sql immutable strict parallel safe
  as $$ select lower(public.unaccent('public.unaccent'::regdictionary, $1)) $$;
-- +goose StatementEnd

-- Catalogue -----------------------------------------------------------------------------------------------------------
create table licence (
  id    text primary key,
  title jsonb not null,
  url   text,
  class text not null check (class in ('green', 'green-odbl', 'orange', 'red'))
);
create table producer (
  id      text primary key,
  title   jsonb not null,
  contact jsonb
);
create table dataset (
  id           bigint generated always as identity primary key,
  slug         text not null unique check (slug ~ '^[a-z0-9][a-z0-9-]{0,62}$'),
  producer_id  text not null references producer,
  licence_id   text not null references licence,
  title        jsonb not null,
  description  jsonb,
  life         text not null default 'snapshot' check (life in ('snapshot', 'series')),
  source       jsonb,                         -- where apply takes it from: path, url, options
  plan         jsonb,                         -- how the last load read it; the next load replays it
  frequency    text,                          -- "daily", "yearly"…: when the next delivery is due
  position     int not null default 0,        -- order in lists, from the catalogue file
  retired_at   timestamptz,                   -- by apply --prune: data kept, not served
  published_at timestamptz,
  published_id bigint,
  must_be      text generated always as (case when published_id is not null then 'ready' end) stored,
  unique (id, life),
  check ((published_at is null) = (published_id is null))
);
create index on dataset (producer_id);
create index on dataset (licence_id);

-- Versions and layers -------------------------------------------------------------------------------------------------
create table version (
  id           bigint generated always as identity primary key,
  dataset_id   bigint not null references dataset,
  number       int not null check (number > 0),
  blob_sha256  bytea not null,
  source       text not null,                 -- file name as received, for people
  state        text not null default 'loading' check (state in ('loading', 'ready', 'failed', 'dropped')),
  started_at   timestamptz not null default now(),
  ended_at     timestamptz,
  failure      jsonb,                         -- a geo.Message
  published_at timestamptz,
  replaced_at  timestamptz,                   -- readable for a day after this
  unique (dataset_id, number),
  unique (dataset_id, id),
  unique (dataset_id, id, state),
  check ((state = 'loading') = (ended_at is null)),
  check ((failure is not null) = (state = 'failed'))
);
-- A published version is one of this dataset's, ready, and can't be dropped while it is published.
alter table dataset add foreign key (id, published_id, must_be) references version (dataset_id, id, state);
-- One load at a time: alive = holds an advisory lock; lock free = the loader died: mark failed, go on.
create unique index one_load on version (dataset_id) where state = 'loading';

create table layer (
  id         bigint generated always as identity primary key,
  dataset_id bigint,
  name       text not null unique check (name ~ '^[a-z0-9][a-z0-9_-]{0,62}$'),
  title      jsonb not null,
  life       text not null check (life in ('snapshot', 'series', 'live')),
  key_fields text[] not null default '{}',
  labels     jsonb not null default '{}',     -- field name → text by language
  style      jsonb,                           -- how the viewer draws it
  position   int not null default 0,
  revision   bigint not null default 0,
  unique (dataset_id, id),
  foreign key (dataset_id, life) references dataset (id, life),      -- all layers of a dataset share its life
  check ((life = 'live') = (dataset_id is null)),
  check (life <> 'series' or key_fields <> '{}')
);
create table layer_version (
  layer_id      bigint,
  version_id    bigint,
  dataset_id    bigint not null,
  relation      name not null,                -- table or view in schema data
  srid          int not null,                 -- of _geom; 0 for tables without geometry
  geometry_type text not null check (geometry_type in ('point', 'line', 'polygon', 'mixed', 'none')),
  fields        jsonb not null,               -- [{name, title, label, type}]
  extent        box2d,                        -- CRS84
  n_read        bigint not null,
  n_loaded      bigint not null,
  n_repaired    bigint not null,
  n_rejected    bigint not null check (n_rejected >= 0),
  n_no_geometry bigint not null default 0,
  n_rows        bigint not null,              -- rows of the relation once published: of a series, all times
  check (n_read = n_loaded + n_rejected),
  check (n_repaired between 0 and n_loaded),
  check (n_no_geometry between 0 and n_loaded),
  check ((geometry_type = 'none') = (srid = 0)),
  primary key (layer_id, version_id),
  foreign key (dataset_id, layer_id) references layer (dataset_id, id),
  foreign key (dataset_id, version_id) references version (dataset_id, id)
);
create index on layer_version (version_id);
create index on layer_version (dataset_id);
create table load_issue (
  layer_id   bigint not null,
  version_id bigint not null,
  record     bigint not null check (record > 0),
  field      text,
  value      text,
  rule       text not null,
  action     text not null check (action in ('repaired', 'rejected')),
  message    jsonb not null,                  -- a geo.Message: says the remedy
  raw        text,                            -- the whole record of a rejected one: nothing is lost
  check (action = 'repaired' or raw is not null),
  foreign key (layer_id, version_id) references layer_version deferrable initially deferred
);
create index on load_issue (version_id, layer_id, record);
create unique index one_rejection on load_issue (version_id, layer_id, record) where action = 'rejected';
-- A layer's feature across versions; filled for layers that have a rule.
create table record (
  id              bigint generated always as identity primary key,
  layer_id        bigint not null references layer,
  key             text not null,
  last_version_id bigint references version,
  unique (layer_id, key)
);
create index on record (last_version_id);

create schema data;                           -- v<version>_<layer> of snapshots, s<layer>_<layer> of series, views of live layers
-- What stands for a live layer: a table or view with its columns' names, kept by the package that owns its rows.
create table live_layer (
  layer_id      bigint primary key references layer,
  schema        name not null,
  relation      name not null,
  key_column    name not null,
  geom_column   name,
  srid          int not null,
  geom_3857     name,
  geometry_type text not null check (geometry_type in ('point', 'line', 'polygon', 'mixed', 'none')),
  fields        jsonb not null,
  producer_id   text not null references producer,
  extent        box2d,
  n_rows        bigint not null default 0,
  updated_at    timestamptz not null default now(),
  check ((geometry_type = 'none') = (srid = 0))
);
create index on live_layer (producer_id);
-- A series of the communes' index has no geometry of its own: it borrows another layer's, joined by key.
create table borrowed_geometry (
  layer_id bigint primary key references layer,
  from_id  bigint not null references layer,
  field    text not null,                     -- the series' field that holds the other layer's key
  check (layer_id <> from_id)
);
create index on borrowed_geometry (from_id);

-- OpenStreetMap: no user, uid or changeset column exists anywhere -----------------------------------------------------
create schema osm;
create table theme (
  id        text primary key check (id ~ '^[a-z0-9][a-z0-9_-]{0,40}$'),
  title     jsonb not null,
  selection jsonb not null,                   -- see package osm
  position  int not null default 0
);

-- Matching ------------------------------------------------------------------------------------------------------------
create table rule (
  id       bigint generated always as identity primary key,
  layer_id bigint not null references layer,
  theme_id text not null references theme,
  spec     jsonb not null,
  unique (layer_id, theme_id)
);
create index on rule (theme_id);
create table match_run (
  id          bigint generated always as identity primary key,
  rule_id     bigint not null references rule on delete cascade,
  version_id  bigint references version,
  osm_at      timestamptz,                    -- the extract it compared with
  n_records   bigint,
  n_outcomes  bigint,
  started_at  timestamptz not null default now(),
  finished_at timestamptz,
  check (finished_at is null or n_records = n_outcomes)             -- every record at least one
);
create index on match_run (rule_id);
create index on match_run (version_id);
create table outcome (
  id          bigint generated always as identity primary key,
  rule_id     bigint not null references rule on delete cascade,
  record_id   bigint references record,
  osm_type    "char" check (osm_type in ('n', 'w', 'r')),
  osm_id      bigint,
  kind        text not null,
  score       real,
  reason      jsonb not null,                 -- a geo.Message, never a sentence
  comparison  jsonb not null default '[]',    -- [{field, tag, ours, theirs, is}]
  name        text,
  distance    double precision,               -- metres
  geom        geometry(geometry, 3857),       -- the record's, else the object's
  osm_geom    geometry(geometry, 3857),
  fingerprint bytea not null,                 -- of the values judged: a verdict holds while it is the same
  unique nulls distinct (rule_id, record_id), -- every record at most one
  check ((osm_type is null) = (osm_id is null)),
  check (case
    when kind in ('identical', 'attributes_differ', 'moved', 'far_reference', 'closed_in_osm') then record_id is not null and osm_id is not null
    when kind in ('only_open_data', 'ambiguous', 'duplicate_open_data', 'out_of_scope') then record_id is not null
    when kind = 'withdrawn' then num_nonnulls(record_id, osm_id) > 0
    when kind in ('only_osm', 'duplicate_osm') then record_id is null and osm_id is not null
    else false end)
);
create unique index one_record_per_object on outcome (rule_id, osm_type, osm_id)
  where kind in ('identical', 'attributes_differ', 'moved', 'far_reference', 'closed_in_osm', 'only_osm', 'duplicate_osm');
create index on outcome (record_id);
create index on outcome using gist (geom);

-- What changed: appended last in a transaction, under an advisory lock, so that id order is commit order --------------
create table change (
  id      bigint generated always as identity primary key,
  at      timestamptz not null default clock_timestamp(),
  kind    text not null check (kind in ('dataset', 'osm', 'match', 'workshop')),
  subject text not null,                      -- dataset slug, "osm", rule id
  box     geometry(polygon, 3857),            -- what changed, when it is known to be small
  detail  jsonb
);
create table change_reader (
  name text primary key,
  seen bigint not null default 0
);
