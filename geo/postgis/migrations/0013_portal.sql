-- +goose Up
-- What the public may know of a delivery's records: how many each rule repaired or rejected. The rows themselves, which
-- load_issue keeps, are their producer's to see.
create view issue_count as
  select version_id, action, rule, count(*) as n
  from load_issue
  group by version_id, action, rule;
