-- +goose Up
-- The producer's desk: files that are sent and wait for a person's yes, and work that runs without a person. The queue's own
-- tables are River's, in a schema of theirs: see queue.go.

create schema river;

-- A version that is ready may wait for a person before it is published, and an earlier one may come back: what publishing
-- makes true of it is kept with it.
alter table version
  add column plan      jsonb,                     -- how it was read, dataset.plan once it is published
  add column described jsonb;                     -- what it says of its layers

-- One delivery through the pages, or one earlier version that somebody wants back.
create table upload (
  id          bigint generated always as identity primary key,
  dataset_id  bigint not null references dataset,
  account_id  bigint not null references account,
  kind        text not null default 'file' check (kind in ('file', 'earlier')),
  blob_sha256 bytea references blob,
  filename    text,                               -- as received
  bytes       bigint check (bytes >= 0),
  choices     jsonb not null default '{}',        -- what a person knows better than the file
  version_id  bigint,                             -- what came of it
  state       text not null default 'waiting' check (state in ('waiting', 'loading', 'ready', 'publishing', 'published', 'unchanged', 'failed', 'discarded')),
  step        text,                               -- of the load
  layer       text,
  done        bigint not null default 0,
  total       bigint not null default -1,
  report      jsonb,                              -- an ingest.Report
  comparison  jsonb,                              -- a postgis.Comparison
  rejects_sha256 bytea references blob,           -- the rejected rows, as CSV: for the producer's eyes
  failure     jsonb,                              -- a geo.Message
  created_at  timestamptz not null default now(),
  updated_at  timestamptz not null default now(),
  foreign key (dataset_id, version_id) references version (dataset_id, id),
  check (state not in ('waiting', 'loading') or version_id is not null or blob_sha256 is not null),
  check (blob_sha256 is null or filename is not null),
  check (state not in ('ready', 'publishing', 'published') or version_id is not null),
  check ((failure is not null) = (state = 'failed'))
);
create index on upload (dataset_id, id);
create index on upload (account_id);
create index on upload (blob_sha256);
create index on upload (rejects_sha256);
create index on upload (version_id);
-- Two files of one dataset at once would wait for each other: one is under way.
create unique index one_upload on upload (dataset_id) where state in ('waiting', 'loading', 'publishing');
