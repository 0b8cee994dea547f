-- +goose Up
-- The partners' portal: what a dataset is said to be, its resources, and the chain from census to publication. The state of a
-- dataset is the last row of its chain; what the public sees is one view. What a comment calls impossible is refused.

-- Vocabulary ----------------------------------------------------------------------------------------------------------
alter table licence
  add column eu       text,                       -- authority URI, http://publications.europa.eu/resource/authority/licence/…
  add column sentence jsonb;                      -- what it allows, in one sentence by language
alter table producer
  add column description jsonb,                   -- Markdown by language
  add column kind        text check (kind in ('region', 'city', 'agency', 'park', 'association', 'state', 'other')),
  add column siret       text check (siret ~ '^[0-9]{14}$'),
  add column territory   jsonb not null default '[]',   -- codes, as of a dataset
  add column position    int not null default 0;
alter table account
  add column member text check (member in ('referent', 'editor')),   -- what a producer's person may do: a referent also publishes
  add check (member is null or role = 'producer');
create table topic (                              -- the portal's themes; a "theme" selects OSM objects
  id       text primary key check (id ~ '^[a-z0-9][a-z0-9-]{0,40}$'),
  title    jsonb not null,
  homer    text check (homer in ('tourism', 'culture', 'agriculture', 'energy', 'environment')),
  iso      text not null,                         -- ISO 19115 topic category
  eu       text not null check (eu ~ '^[A-Z]{4}$'),   -- authority code of data-theme
  position int not null
);
insert into topic (position, id, homer, iso, eu, title) values
  (1, 'culture', 'culture', 'society', 'EDUC', '{"fr": "Culture et patrimoine", "en": "Culture and heritage", "it": "Cultura e patrimonio"}'),
  (2, 'transports', null, 'transportation', 'TRAN', '{"fr": "Transports", "en": "Transport", "it": "Trasporti"}'),
  (3, 'tourisme', 'tourism', 'economy', 'ECON', '{"fr": "Tourisme", "en": "Tourism", "it": "Turismo"}'),
  (4, 'environnement', 'environment', 'environment', 'ENVI', '{"fr": "Environnement", "en": "Environment", "it": "Ambiente"}'),
  (5, 'agriculture', 'agriculture', 'farming', 'AGRI', '{"fr": "Agriculture", "en": "Agriculture", "it": "Agricoltura"}'),
  (6, 'energie', 'energy', 'utilitiesCommunication', 'ENER', '{"fr": "Énergie", "en": "Energy", "it": "Energia"}'),
  (7, 'urbanisme', null, 'planningCadastre', 'REGI', '{"fr": "Urbanisme", "en": "Planning and housing", "it": "Urbanistica"}'),
  (8, 'air-climat', 'environment', 'climatologyMeteorologyAtmosphere', 'ENVI', '{"fr": "Air et climat", "en": "Air and climate", "it": "Aria e clima"}');

-- Datasets ------------------------------------------------------------------------------------------------------------
alter table dataset
  add column chain          text not null default 'partner' check (chain in ('region', 'partner')),
  add column counted_at     timestamptz not null default now(),     -- census: when it was first written down
  add column counted_from   text,                 -- the spreadsheet or command that brought it
  add column keywords       jsonb not null default '[]',            -- of text by language: [{"fr": "eau"}]
  add column territory      jsonb not null default '[]' check (jsonb_typeof(territory) = 'array'),  -- ["13055", "EPCI:200054807", "D13", "R93"]
  add column extent         box2d,                -- CRS84, as described; the layers' own is in layer_version
  add column temporal_start date,
  add column temporal_end   date,
  add column issued_at      date,                 -- first made public by its producer
  add column delivered_at   timestamptz,          -- of what has no versions: last said to have changed
  add column high_value     text,                 -- authority URI of its high-value category, null when it is none
  add column limits         jsonb,                -- known limits, Markdown by language
  add column landing_page   text,
  add column contact        jsonb,                -- of this dataset; else its producer's
  add column extra          jsonb not null default '{}',            -- columns of a census that nobody recognised, kept
  add column updated_at     timestamptz not null default now(),     -- of the description
  add column edition        int not null default 1,                 -- grows with each change: two people saving one form
  add check (temporal_start is null or temporal_end is null or temporal_start <= temporal_end),
  add unique (id, chain);
create table dataset_topic (
  dataset_id bigint not null references dataset,
  topic_id   text not null references topic,
  position   int not null default 0,              -- the first is its breadcrumb
  primary key (dataset_id, topic_id)
);
create index on dataset_topic (topic_id);
create table former_slug (                        -- addresses never die
  slug       text primary key check (slug ~ '^[a-z0-9][a-z0-9-]{0,62}$'),
  dataset_id bigint not null references dataset,
  at         timestamptz not null default now()
);
create index on former_slug (dataset_id);
-- +goose StatementBegin
-- A slug that was somebody's is never given to another.
create function slug_is_free() returns trigger language plpgsql as $$
begin
  if tg_table_name = 'dataset' then
    if exists (select from former_slug f where f.slug = new.slug and f.dataset_id <> new.id) then
      raise unique_violation using message = format('slug %s led to another dataset', new.slug), constraint = 'former_slug_pkey';
    end if;
  elsif exists (select from dataset d where d.slug = new.slug and d.id <> new.dataset_id) then
    raise unique_violation using message = format('slug %s is a dataset''s', new.slug), constraint = 'dataset_slug_key';
  end if;
  return new;
end $$;
-- +goose StatementEnd
create trigger slug_is_free before insert or update of slug on dataset for each row execute function slug_is_free();
create trigger slug_is_free before insert or update on former_slug for each row execute function slug_is_free();

-- Files, kept by content (package blob): what a row names is on disk.
create table blob (
  sha256     bytea primary key check (length(sha256) = 32),
  bytes      bigint not null check (bytes >= 0),
  media_type text not null,
  at         timestamptz not null default now()
);
create table resource (
  id          bigint generated always as identity primary key,
  dataset_id  bigint not null references dataset,
  name        text not null check (name ~ '^[a-z0-9][a-z0-9._-]{0,62}$'),   -- in the catalogue file and in addresses
  kind        text not null check (kind in ('layer', 'file', 'reference', 'service', 'documentation', 'administrative')),
  title       jsonb not null,
  description jsonb,
  url         text check (url ~ '^https?://'),
  blob_sha256 bytea references blob,
  layer_id    bigint,
  filename    text,                               -- of a blob, as received
  format      text,                               -- "csv", "shp", "pdf", "wfs", "wms", "ogc-api", "geotrek"…
  bytes       bigint check (bytes >= 0),
  document    jsonb,                              -- {"type": "deliberation|convention|avis|clause|other", "number", "date", "body"}
  public      boolean not null default true,      -- a legal opinion may stay inside
  position    int not null default 0,
  updated_at  timestamptz not null default now(),
  deleted_at  timestamptz,                        -- taken away, with undo
  unique (dataset_id, name),
  unique (dataset_id, id),
  foreign key (dataset_id, layer_id) references layer (dataset_id, id),
  check (num_nonnulls(url, blob_sha256, layer_id) = 1),             -- a reference copies nothing
  check ((kind = 'layer') = (layer_id is not null)),
  check (kind not in ('reference', 'service') or url is not null),
  check ((kind = 'administrative') = (document is not null)),
  check (blob_sha256 is null or filename is not null)
);
create index on resource (layer_id);
create index on resource (blob_sha256);

-- The chain: census → legal opinion → committee → (vote) → published; a partner's own is shorter. The step table is its
-- history; the state is its last row, 'counted' before the first. Sending back is a move to an earlier state; a move that
-- must say why can't be made in silence.
create table chain_move (
  chain      text not null check (chain in ('region', 'partner')),
  from_state text not null,
  to_state   text not null,
  why        boolean not null,
  primary key (chain, from_state, to_state),
  unique (chain, from_state, to_state, why)
);
insert into chain_move select 'region', f, t, w from (values
  ('counted', 'legal', false), ('counted', 'refused', true),
  ('legal', 'committee', false), ('legal', 'refused', true), ('legal', 'counted', true),
  ('committee', 'vote', false), ('committee', 'approved', true), ('committee', 'refused', true), ('committee', 'legal', true),  -- approved skips the vote
  ('vote', 'approved', false), ('vote', 'refused', true), ('vote', 'committee', true),
  ('approved', 'open', false), ('approved', 'committee', true),
  ('open', 'withdrawn', true), ('withdrawn', 'open', false), ('refused', 'counted', true)) m (f, t, w);
insert into chain_move values
  ('partner', 'counted', 'open', false), ('partner', 'counted', 'refused', true), ('partner', 'refused', 'counted', true),
  ('partner', 'open', 'withdrawn', true), ('partner', 'withdrawn', 'open', false);
create table chain_step (
  dataset_id  bigint not null,
  chain       text not null,
  number      int not null check (number > 0),
  from_state  text not null,
  to_state    text not null,
  why         boolean not null,
  at          timestamptz not null default now(),
  decided_on  date,                               -- of the decision, when it is not the day it was written down
  account_id  bigint references account,
  body        text,                               -- "Comité de pilotage", "calanque load"
  reason      text check (reason <> ''),
  document_id bigint,
  previous    int generated always as (nullif(number - 1, 0)) stored,
  primary key (dataset_id, number),
  unique (dataset_id, number, to_state),
  check (num_nonnulls(account_id, body) > 0),
  check (number > 1 or from_state = 'counted'),
  check (not why or reason is not null),
  foreign key (dataset_id, chain) references dataset (id, chain),   -- a chain that has begun can't be swapped
  foreign key (chain, from_state, to_state, why) references chain_move (chain, from_state, to_state, why),
  foreign key (dataset_id, previous, from_state) references chain_step (dataset_id, number, to_state),   -- no step out of thin air, no gap
  foreign key (dataset_id, document_id) references resource (dataset_id, id)
);
create index on chain_step (account_id);
create view dataset_state as
  select d.id as dataset_id, coalesce(s.to_state, 'counted') as state, coalesce(s.at, d.counted_at) as since
  from dataset d
  left join lateral (select to_state, at from chain_step s where s.dataset_id = d.id order by number desc limit 1) s on true;
-- The one door: pages, API, tiles, search, exports and counts read it.
create view public_dataset as
  select d.*
  from dataset d
  join lateral (select to_state from chain_step s where s.dataset_id = d.id order by number desc limit 1) s on s.to_state = 'open'
  where d.retired_at is null;
-- What is already public took the short chain.
insert into chain_step (dataset_id, chain, number, from_state, to_state, why, at, body)
  select id, 'partner', 1, 'counted', 'open', false, published_at, 'calanque' from dataset where published_id is not null;

-- Who changed what of a description, and when -------------------------------------------------------------------------
create table edit (                               -- append only
  id         bigint generated always as identity primary key,
  kind       text not null check (kind in ('dataset', 'producer', 'resource', 'reuse', 'licence')),
  subject    text not null,                       -- slug, id, slug/resource
  field      text not null,
  before     jsonb,
  after      jsonb,
  account_id bigint references account,
  body       text,                                -- a command
  at         timestamptz not null default clock_timestamp(),
  check (num_nonnulls(account_id, body) = 1)
);
create index on edit (kind, subject, field, id);
create index on edit (account_id);

alter table change drop constraint change_kind_check;
alter table change add constraint change_kind_check check (kind in ('dataset', 'osm', 'match', 'workshop', 'catalogue'));
