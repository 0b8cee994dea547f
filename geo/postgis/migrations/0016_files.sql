-- +goose Up
-- Files around datasets: what was received, what is built for downloads; and what people who have no account send: reuses
-- and reports. Of those people nothing is kept but what they wrote.

-- The file as received. blob_sha256 tells whether a delivery is new (of several files, of all of them); file_sha256 is what
-- is kept of it: the file, or one archive of the parts. Null: not kept, or not any more.
alter table version
  add column file_sha256 bytea references blob,
  add column file_name   text,
  add check ((file_sha256 is null) = (file_name is null));
create index on version (file_sha256);
alter table resource add column pages int check (pages > 0);   -- of a PDF

-- What a layer weighs as a file, of the newest one that was built: pages say so before anybody takes it.
create table download (
  layer_id bigint not null references layer,
  format   text not null check (format in ('csv', 'geojson', 'gpkg')),
  edition  text not null,                         -- of the data and the writer; another one, and bytes is an estimate
  bytes    bigint not null check (bytes >= 0),
  at       timestamptz not null default now(),
  primary key (layer_id, format)
);

-- Reuses: anybody proposes, a coordinator decides, and may decide otherwise later.
create table reuse (
  id             bigint generated always as identity primary key,
  token          bytea not null unique check (length(token) = 32),   -- SHA-256 of the address that its sender was given
  title          text not null check (length(title) between 3 and 150),
  url            text not null check (url ~ '^https?://' and length(url) <= 1000),
  description    text not null default '' check (length(description) <= 4000),   -- Markdown
  contest        text not null default '' check (length(contest) <= 150),
  lang           text not null default 'fr' check (lang in ('fr', 'en', 'it')),
  picture_sha256 bytea references blob,
  picture_width  int,
  picture_height int,
  state          text not null default 'proposed' check (state in ('proposed', 'accepted', 'refused', 'withdrawn')),
  reason         text check (reason <> ''),
  at             timestamptz not null default now(),
  decided_at     timestamptz,
  account_id     bigint references account,       -- of who decided; null when its sender withdrew it
  edition        int not null default 1,
  check ((state = 'proposed') = (decided_at is null)),
  check (state <> 'refused' or reason is not null),
  check (num_nonnulls(picture_sha256, picture_width, picture_height) in (0, 3))
);
create index on reuse (picture_sha256);
create index on reuse (account_id);
create index on reuse (state, decided_at);
create table reuse_dataset (
  reuse_id   bigint not null references reuse on delete cascade,
  dataset_id bigint not null references dataset,
  primary key (reuse_id, dataset_id)
);
create index on reuse_dataset (dataset_id);

-- Reports of visitors: what is wrong with an object, or a message to the producer. The state is the last answer's,
-- 'received' before the first.
create table report (
  id         bigint generated always as identity primary key,
  token      bytea not null unique check (length(token) = 32),       -- as of a reuse
  dataset_id bigint not null references dataset,
  layer_id   bigint,
  key        text,                                -- of the object it is about
  kind       text not null check (kind in ('error', 'message')),
  text       text not null check (length(text) between 1 and 2000),
  lang       text not null default 'fr' check (lang in ('fr', 'en', 'it')),
  version_id bigint,                              -- published when it was written
  at         timestamptz not null default now(),
  unique (id, dataset_id),
  check ((layer_id is null) = (key is null)),
  foreign key (dataset_id, layer_id) references layer (dataset_id, id),
  foreign key (dataset_id, version_id) references version (dataset_id, id)
);
create index on report (dataset_id, at);
create index on report (layer_id, key);
create table report_answer (                      -- append only
  report_id  bigint not null,
  dataset_id bigint not null,
  number     int not null check (number > 0),
  state      text not null check (state in ('answered', 'accepted', 'refused', 'corrected')),
  text       text check (length(text) between 1 and 2000),
  version_id bigint,                              -- that corrects it
  account_id bigint references account,
  at         timestamptz not null default now(),
  primary key (report_id, number),
  foreign key (report_id, dataset_id) references report (id, dataset_id) on delete cascade,
  foreign key (dataset_id, version_id) references version (dataset_id, id),
  check (state not in ('answered', 'refused') or text is not null),  -- a refusal says why
  check (state = 'corrected' or version_id is null)
);
create index on report_answer (account_id);
create index on report_answer (dataset_id, version_id);
create view report_state as
  select r.id as report_id, coalesce(a.state, 'received') as state, coalesce(a.at, r.at) as since, coalesce(a.number, 0) as answers
  from report r
  left join lateral (select state, at, number from report_answer a where a.report_id = r.id order by number desc limit 1) a on true;
