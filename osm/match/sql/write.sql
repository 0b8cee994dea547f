-- $1 the rule. The statements run in order; each counts the rows it changed.
-- First let go of what has gone and of objects that change hands, so that no row is in another's way. Zero stands for
-- none, because "is not distinct from" can't be hashed, and comparing each with each takes minutes at 50,000.
update outcome o set kind = 'withdrawn'
where o.rule_id = $1 and o.kind <> 'withdrawn' and not exists (
  select from fresh_outcome f
  where coalesce(f.record_id, 0) = coalesce(o.record_id, 0) and coalesce(f.osm_id, 0) = coalesce(o.osm_id, 0)
    and coalesce(f.osm_type, '') = coalesce(o.osm_type, ''));
-- Records keep their outcome's id whatever becomes of them.
update outcome o set osm_type = f.osm_type, osm_id = f.osm_id, kind = f.kind, score = f.score, reason = f.reason, comparison = f.comparison,
  name = f.name, distance = f.distance, geom = st_setsrid(st_point(f.x, f.y), 3857), osm_geom = st_setsrid(st_point(f.ox, f.oy), 3857),
  fingerprint = f.fingerprint
from fresh_outcome f
where o.rule_id = $1 and f.record_id = o.record_id
  and (o.fingerprint, o.reason, o.kind, o.name) is distinct from (f.fingerprint, f.reason, f.kind, f.name);
-- So do objects that no record is.
update outcome o set kind = f.kind, reason = f.reason, name = f.name, comparison = f.comparison,
  geom = st_setsrid(st_point(f.x, f.y), 3857), osm_geom = st_setsrid(st_point(f.ox, f.oy), 3857), fingerprint = f.fingerprint
from fresh_outcome f
where o.rule_id = $1 and o.record_id is null and f.record_id is null and f.osm_id = o.osm_id and f.osm_type = o.osm_type
  and (o.fingerprint, o.reason, o.kind, o.name) is distinct from (f.fingerprint, f.reason, f.kind, f.name);
-- What is new: first of records, then of objects.
insert into outcome (rule_id, record_id, osm_type, osm_id, kind, score, reason, comparison, name, distance, geom, osm_geom, fingerprint)
select $1, f.record_id, f.osm_type, f.osm_id, f.kind, f.score, f.reason, f.comparison, f.name, f.distance,
  st_setsrid(st_point(f.x, f.y), 3857), st_setsrid(st_point(f.ox, f.oy), 3857), f.fingerprint
from fresh_outcome f
where f.record_id is not null and not exists (select from outcome o where o.rule_id = $1 and o.record_id = f.record_id);
insert into outcome (rule_id, record_id, osm_type, osm_id, kind, score, reason, comparison, name, distance, geom, osm_geom, fingerprint)
select $1, f.record_id, f.osm_type, f.osm_id, f.kind, f.score, f.reason, f.comparison, f.name, f.distance,
  st_setsrid(st_point(f.x, f.y), 3857), st_setsrid(st_point(f.ox, f.oy), 3857), f.fingerprint
from fresh_outcome f
where f.record_id is null and not exists (
  select from outcome o
  where o.rule_id = $1 and o.record_id is null and o.osm_id = f.osm_id and o.osm_type = f.osm_type);
