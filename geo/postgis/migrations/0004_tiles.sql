-- +goose Up
-- What package tiles decided for the zooms at which a layer can't be shown whole. The newest state of each layer only;
-- its overview is a table data.o<id>_<layer>. Readers that find none thin at sight.
create table tile_plan (
  id       bigint generated always as identity primary key,
  layer    text not null unique,
  state    text not null,                     -- "v42" (a version, immutable) or "r17" (a revision)
  thinning jsonb not null,
  overview name,                              -- in schema data
  made_at  timestamptz not null default now()
);
