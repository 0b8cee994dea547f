-- Tasks with all that is known of them now, in the order of numbers. {from} gives t (a task) and o (its outcome).
-- $1 the kinds of outcome that are questions
select coalesce(t.id, 0), coalesce(t.session_id, 0), o.id, coalesce(t.number, 0), coalesce(t.cell, 0), coalesce(t.practice, false),
  coalesce(t.asked, o.kind), coalesce(t.fields, '{}'), coalesce(t.osm, ''), coalesce(t.osm_version, 0), coalesce(t.fingerprint, o.fingerprint),
  o.kind, o.fingerprint, coalesce(o.osm_type::text || o.osm_id, ''), coalesce(o.name, ''), o.reason, o.comparison, coalesce(o.distance, 0),
  coalesce(rec.key, ''), o.record_id,
  st_x(o.geom), st_y(o.geom), st_x(o.osm_geom), st_y(o.osm_geom),
  l.name,
  -- what was withdrawn is as closed as the strictest licence: no value of it is shown, nothing of it leaves
  case when o.rule_id in (select id from public_rule) then lic.class else 'red' end, r.id,
  case when row_number() over of_rule = 1 then jsonb_build_object( -- the same for all of a rule: sent once
    'labels', l.labels, 'noun', l.style -> 'noun', 'values', l.style -> 'values', 'producer', p.title, 'spec', r.spec) end,
  now_osm.version, now_osm.there is not null,
  o.kind = any ($1) and v.id is null and not coalesce(t.practice, false), coalesce(v.says, ''), coalesce(v.account_id, 0),
  coalesce(said.n, 0), coalesce(said.all_n, 0), coalesce(said.first, ''), coalesce(said.held, false),
  coalesce((select j.says from verdict j where j.outcome_id = o.id and j.fingerprint = t.fingerprint and j.withdrawn_at is null), ''),
  exists (select from claim c where c.outcome_id = o.id and c.ended_at is null and c.expires_at > now()),
  exists (select from session_event e where e.task_id = t.id and e.kind = 'seen' and e.after ->> 'seen' in ('verified', 'fixed_by_someone_else')),
  coalesce((select e.after ->> 'seen' from session_event e where e.task_id = t.id and e.kind = 'seen' order by e.id desc limit 1), 'not_seen_yet'),
  exists (select from visit w where w.outcome_id = o.id and w.fingerprint = o.fingerprint and w.withdrawn_at is null),
  (select count(*) -- by way of the outcome's few tasks ("offset 0" keeps that order)
    from task k, lateral (select from answer a where a.task_id = k.id and a.undone_at is null offset 0) visited
    where k.outcome_id = o.id)
from {from}
join rule r on r.id = o.rule_id
join layer l on l.id = r.layer_id
join dataset d on d.id = l.dataset_id
join licence lic on lic.id = d.licence_id
join producer p on p.id = d.producer_id
left join record rec on rec.id = o.record_id
left join verdict_in_force v on v.outcome_id = o.id
left join lateral ( -- the object that was asked about, as it is now
  select f.version, true as there
  from (select _key, version from osm.point union all select _key, version from osm.area union all select _key, version from osm.line) f
  where f._key = coalesce(t.osm, o.osm_type::text || o.osm_id)
  limit 1
) now_osm on true
left join lateral (
  select count(*) filter (where a.fingerprint = o.fingerprint and a.says <> 'cant_tell') as n,
    count(*) as all_n,
    (array_agg(a.says order by a.on_site desc, a.id) filter (where a.says <> 'cant_tell'))[1] as first,
    bool_or(a.fingerprint = t.fingerprint) as held -- somebody answered while it was as it was asked
  from answer a
  where a.task_id = t.id and a.undone_at is null
) said on true
where {where}
window of_rule as (partition by r.id order by coalesce(t.number, 0), o.id)
order by coalesce(t.number, 0), o.id
