-- +goose Up
-- What sessions lacked: which account did what, what a producer says to a correction, and a quick way to see whether the matcher
-- has work to do however much a session tells in the meantime.

alter table session_event add account_id bigint references account;   -- who of the few that have one; null = a participant, or the hub
create index on session_event (account_id);

-- What the matcher looks at; a room that answers appends hundreds of other changes an hour.
create index change_for_match on change (id) where kind in ('osm', 'dataset', 'match');

create table correction_reply (                    -- a producer's answer to a correction; another one withdraws it first
  id            bigint generated always as identity primary key,
  correction_id bigint not null references correction,
  says          text not null check (says in ('accepted', 'refused', 'corrected')),
  reason        text check (length(reason) between 1 and 500),
  version_id    bigint references version,         -- in which the file is right
  account_id    bigint not null references account,
  at            timestamptz not null default now(),
  withdrawn_at  timestamptz,
  check (says <> 'refused' or reason is not null),
  check ((says = 'corrected') = (version_id is not null))
);
create unique index one_reply on correction_reply (correction_id) where withdrawn_at is null;
create index on correction_reply (correction_id);
create index on correction_reply (version_id);
create index on correction_reply (account_id);
