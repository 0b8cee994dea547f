-- +goose Up
-- What a session's mediator says to the whole room for a minute, and the codes that a session had before it was opened:
-- none of them is ever given again.
alter table session
  add attention       text check (length(attention) <= 140),
  add attention_until timestamptz,
  add former_codes    text[] not null default '{}';
