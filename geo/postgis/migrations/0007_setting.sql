-- +goose Up
-- What the catalogue file says about the hub as a whole: its region.
create table setting (
  name  text primary key,
  value jsonb not null
);
