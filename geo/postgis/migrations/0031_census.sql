-- +goose Up
-- A census through the pages: the spreadsheet waits here, with what a person says of it, until what would be written was
-- looked at. Once it is taken the row only leads to the report.
create table census_draft (
  id          bigint generated always as identity primary key,
  account_id  bigint not null references account,
  source      text not null,                      -- file name, for people
  blob_sha256 bytea references blob,
  choices     jsonb not null,                     -- a catalogue.CensusDefault
  census_id   bigint references census,
  at          timestamptz not null default now(),
  check (num_nonnulls(blob_sha256, census_id) = 1)
);
create index on census_draft (account_id);
create index on census_draft (blob_sha256);
create index on census_draft (census_id);

-- An account and a command: a command that a person ran through a page.
alter table edit
  drop constraint edit_check,
  add constraint edit_check check (num_nonnulls(account_id, body) > 0);
