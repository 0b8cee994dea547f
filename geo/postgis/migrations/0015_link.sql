-- +goose Up
-- Links to what stays with its producer are tried now and then: how each was found the last time, and since when it is broken.
create table link_check (
  resource_id  bigint primary key references resource on delete cascade,
  url          text not null,                 -- that was tried: once the resource names another, this row says nothing
  at           timestamptz not null,
  status       int check (status between 100 and 999),  -- of HTTP, null when nobody answered
  failures     int not null default 0 check (failures >= 0),  -- in a row
  broken_since timestamptz,                   -- the first of them
  message      jsonb,                         -- a geo.Message: why it is broken, or could not be tried
  check ((broken_since is not null) = (failures > 0)),
  check (broken_since is null or message is not null),
  check (broken_since <= at)
);
create index on link_check (at);
