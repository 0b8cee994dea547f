-- +goose Up
-- What is derived from a dataset is behind its door too: rules, and so outcomes, questions and comparisons.
create view public_rule as
  select r.*
  from rule r
  join layer l on l.id = r.layer_id
  join public_dataset d on d.id = l.dataset_id
  where d.published_id is not null;
