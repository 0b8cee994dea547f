-- +goose Up
-- Accounts for the few who need one, verdicts, and mapping sessions (ateliers). Tasks have no state of their own: a task is
-- open exactly while its outcome is a question and no verdict on it is in force. What a comment calls impossible is refused.

-- Accounts ------------------------------------------------------------------------------------------------------------
create table eric (                               -- public internet-access points
  id    text primary key check (id ~ '^[a-z0-9][a-z0-9-]{0,62}$'),
  title text not null,
  place geometry(point, 4326) not null
);
create table account (
  id            bigint generated always as identity primary key,
  login         text not null unique check (login ~ '^[a-z0-9][a-z0-9._@-]{0,62}$'),
  password_hash text not null,                    -- argon2id, PHC string
  role          text not null check (role in ('coordinator', 'mediator', 'producer')),
  producer_id   text references producer,
  eric_id       text references eric,
  created_at    timestamptz not null default now(),
  disabled_at   timestamptz,
  check ((role = 'producer') = (producer_id is not null)),
  check ((role = 'mediator') = (eric_id is not null))
);
create index on account (producer_id);
create index on account (eric_id);
create table login (                              -- a web login; a "session" is an atelier
  token_sha256 bytea primary key,
  account_id   bigint not null references account on delete cascade,
  csrf         text not null,
  created_at   timestamptz not null default now(),
  seen_at      timestamptz not null default now(),
  expires_at   timestamptz not null
);
create index on login (account_id);

-- Verdicts ------------------------------------------------------------------------------------------------------------
create table verdict (
  id           bigint generated always as identity primary key,
  outcome_id   bigint not null references outcome,
  says         text not null check (says in ('same_place', 'not_same_place', 'exists_as_described', 'exists_elsewhere', 'gone',
                 'wrong_open_data', 'wrong_osm', 'duplicate', 'two_places', 'needs_visit')),
  account_id   bigint references account,         -- who decided at a desk; null = settled by the rule from answers
  fingerprint  bytea not null,                    -- of what was judged: in force while the outcome's is the same
  at           timestamptz not null default now(),
  withdrawn_at timestamptz
);
create unique index one_verdict on verdict (outcome_id, fingerprint) where withdrawn_at is null;
create index on verdict (account_id);
create table visit (                              -- asked for at a desk: settles nothing, says that somebody has to go and look
  id           bigint generated always as identity primary key,
  outcome_id   bigint not null references outcome,
  account_id   bigint not null references account,
  fingerprint  bytea not null,                    -- as of a verdict
  at           timestamptz not null default now(),
  withdrawn_at timestamptz
);
create unique index one_visit on visit (outcome_id, fingerprint) where withdrawn_at is null;
create index on visit (account_id);
create view verdict_in_force as
  select v.* from verdict v join outcome o on (o.id, o.fingerprint) = (v.outcome_id, v.fingerprint) where v.withdrawn_at is null;

-- Sessions ------------------------------------------------------------------------------------------------------------
create table session (
  id              bigint generated always as identity primary key,
  code            text not null unique check (code ~ '^[2-9A-HJKMNP-Z]{6}$'),   -- never given twice
  title           text not null check (length(title) between 1 and 120),
  theme_id        text not null references theme,
  mediator_id     bigint not null references account,
  area            geometry(multipolygon, 4326) not null,
  minutes         int not null check (minutes between 1 and 600),
  people          int not null check (people between 1 and 60),
  recovery_sha256 bytea not null,
  phase           text not null default 'look' check (phase in ('look', 'go', 'enter', 'reread')),
  frozen          boolean not null default false,
  state           text not null default 'prepared' check (state in ('draft', 'prepared', 'open', 'closing', 'closed', 'archived')),
  created_at      timestamptz not null default now(),
  opened_at       timestamptz,
  closed_at       timestamptz,
  check ((state in ('closed', 'archived')) = (closed_at is not null))
);
create index on session (theme_id);
create index on session (mediator_id);
create table cell (                               -- "case" on screen and paper: one group's, one sheet
  session_id bigint not null references session,
  number     int not null check (number between 1 and 12),
  area       geometry(multipolygon, 4326) not null,   -- the cells tile the session's area
  sign       text not null check (sign in ('sail', 'sun', 'pine', 'fish')),
  primary key (session_id, number)
);
create table participant (                        -- deleted at close + 24 h
  id           bigint generated always as identity primary key,
  session_id   bigint not null references session,
  pseudonym    text not null,
  sign         text not null check (sign in ('sail', 'sun', 'pine', 'fish')),
  cell         int,
  on_site      boolean not null default false,
  token_sha256 bytea not null unique,
  seen_at      timestamptz not null default now(),
  unique (session_id, pseudonym),
  unique (session_id, id),
  foreign key (session_id, cell) references cell (session_id, number)
);
create table task (
  id          bigint generated always as identity primary key,
  session_id  bigint not null references session,
  outcome_id  bigint not null references outcome,
  cell        int not null,
  number      int not null check (number > 0),    -- the same on screen, wall and paper
  practice    boolean not null default false,     -- never exported
  asked       text not null,                      -- the kind of outcome that was asked about
  fingerprint bytea not null,
  osm         text,                               -- the object that was asked about, n123
  osm_version int,
  fields      text[] not null default '{}',       -- those that contradicted each other
  at          timestamptz not null default now(),
  foreign key (session_id, cell) references cell (session_id, number),
  unique (session_id, number),
  unique (session_id, outcome_id),
  unique (id, session_id, outcome_id)
);
create index on task (outcome_id);
create table claim (                              -- a lease on the discrepancy, across sessions
  id             bigint generated always as identity primary key,
  task_id        bigint not null,
  session_id     bigint not null,
  outcome_id     bigint not null,
  participant_id bigint,
  how            text not null check (how in ('screen', 'sheet', 'pack')),
  expires_at     timestamptz not null,
  ended_at       timestamptz,
  foreign key (task_id, session_id, outcome_id) references task (id, session_id, outcome_id),
  foreign key (session_id, participant_id) references participant (session_id, id) on delete set null (participant_id)
);
create unique index one_live_claim on claim (outcome_id) where ended_at is null;      -- Claim ends the expired ones first, same transaction
create unique index one_screen_each on claim (participant_id) where ended_at is null and how = 'screen';
create index on claim (expires_at) where ended_at is null;
create index on claim (task_id);
create index on claim (session_id, participant_id);
create table answer (                             -- append only
  id              bigint generated always as identity primary key,
  idempotency_key uuid not null unique,
  task_id         bigint not null references task,
  opinion         smallint not null check (opinion > 0),
  participant_id  bigint references participant on delete set null,
  says            text not null check (says in ('osm_fixed', 'exists_as_described', 'exists_elsewhere', 'gone', 'wrong_open_data', 'wrong_osm',
                    'same_place', 'not_same_place', 'duplicate', 'two_places', 'cant_tell', 'needs_visit')),
  on_site         boolean not null,
  note            text check (length(note) <= 140),
  fingerprint     bytea not null,
  replaces        bigint unique references answer,
  undone_at       timestamptz,
  at              timestamptz not null default now(),
  unique (task_id, opinion),
  unique (id, on_site)
);
create index on answer (participant_id);
create table answer_value (
  answer_id bigint not null,
  on_site   boolean not null,
  field     text not null,                        -- of the layer; _exists and _geom for "gone" and "elsewhere"
  value     text not null,
  origin    text not null check (origin in ('observed', 'open_data', 'osm', 'imagery')),   -- set by the server, never the client
  check (origin <> 'observed' or on_site),        -- nothing is observed from a desk
  foreign key (answer_id, on_site) references answer (id, on_site),
  primary key (answer_id, field),
  unique (answer_id, field, origin)
);
create table correction (                         -- what goes to the producer: the firewall is its foreign key
  id        bigint generated always as identity primary key,
  record_id bigint references record,             -- null: seen on site, absent from the file
  answer_id bigint not null,
  field     text not null,
  origin    text not null default 'observed' check (origin = 'observed'),
  state     text not null default 'sent' check (state in ('sent', 'received', 'accepted', 'rejected', 'visible')),
  reason    text,
  at        timestamptz not null default now(),
  check (state <> 'rejected' or reason is not null),
  foreign key (answer_id, field, origin) references answer_value (answer_id, field, origin),
  unique (answer_id, field)
);
create index on correction (record_id);
-- What may be handed on: the answer stands (a replaced one is undone too), and a verdict on what it judged agrees with it. That
-- OpenStreetMap has changed since makes no difference.
create view correction_in_force as
  select c.*
  from correction c
  join answer a on a.id = c.answer_id and a.undone_at is null
  join task t on t.id = a.task_id and not t.practice
  where exists (
    select from verdict v
    where (v.outcome_id, v.fingerprint, v.says) = (t.outcome_id, a.fingerprint, a.says) and v.withdrawn_at is null);
create table session_event (                      -- append only: the web role may only insert
  id             bigint generated always as identity primary key,
  session_id     bigint not null references session,
  task_id        bigint references task,
  at             timestamptz not null default clock_timestamp(),
  role           text not null,
  participant_id bigint references participant on delete set null,
  kind           text not null,
  before         jsonb,
  after          jsonb
);
create index on session_event (session_id, id);
create index on session_event (task_id);
create index on session_event (participant_id);
