-- +goose Up
-- What the catalogue file last said of each field, so that what people changed by hand since is seen; the lines of a census.

create table said (
  kind    text not null check (kind in ('dataset', 'producer', 'resource', 'licence')),
  subject text not null,                          -- as in edit: id in the file, id/resource
  field   text not null,
  value   jsonb not null,                         -- what the file said, null when it said nothing
  kept    jsonb,                                  -- what pages said instead and a person chose to keep, until either changes
  at      timestamptz not null default now(),
  primary key (kind, subject, field)
);

-- A census is a spreadsheet of a service: one line per data set. What was taken made or changed a dataset; what was not is
-- kept as it was read, with what to do about it.
create table census (
  id       bigint generated always as identity primary key,
  source   text not null,                         -- file name, for people
  sha256   bytea not null,
  at       timestamptz not null default now(),
  account_id bigint references account,           -- null for a command
  mapping  jsonb not null,                        -- [{column, title, field}], as it was shown
  taken    int not null check (taken >= 0),
  same     int not null check (same >= 0),        -- said nothing new
  refused  int not null check (refused >= 0)
);
create index on census (account_id);
create table census_line (
  census_id  bigint not null references census,
  line       int not null check (line > 0),       -- of the sheet, as spreadsheets count
  state      text not null check (state in ('taken', 'same', 'refused')),
  dataset_id bigint references dataset,
  problems   jsonb not null default '[]',         -- of geo.Message, each with its column
  raw        jsonb not null,                      -- the cells by title
  primary key (census_id, line),
  check ((state = 'refused') = (problems <> '[]')),
  check ((state = 'refused') = (dataset_id is null))
);
create index on census_line (dataset_id);

-- A layer that is loaded is a resource of its dataset.
create unique index resource_of_layer on resource (layer_id);
insert into resource (dataset_id, name, kind, title, layer_id, format, position)
  select l.dataset_id, l.name, 'layer', l.title, l.id, 'ogc-api', l.position
  from layer l
  join dataset d on d.id = l.dataset_id
  join layer_version lv on (lv.layer_id, lv.version_id) = (l.id, d.published_id)
  on conflict do nothing;
