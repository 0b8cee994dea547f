-- The best task that is free for a participant; its row is held, so that others look at the next one.
-- $1 session, $2 kinds that are questions, $3 participant, $4 their cell, $5 their sign, $6 tasks that were tried, $7 most opinions,
-- $8 metres between two that are in hand
-- "No key": the row is only marked as taken; foreign keys of answers to it need not wait.
select t.id
from task t
join outcome o on o.id = t.outcome_id
join cell c on (c.session_id, c.number) = (t.session_id, t.cell)
where t.session_id = $1
  and not t.practice
  and t.id <> all ($6)
  and o.kind = any ($2)
  and o.rule_id in (select id from public_rule) -- its dataset may have been withdrawn
  and not exists (select from verdict_in_force v where v.outcome_id = o.id)
  -- what this session has settled is not asked again when OpenStreetMap follows
  and not exists (select from verdict j where j.outcome_id = o.id and j.fingerprint = t.fingerprint and j.withdrawn_at is null)
  and not exists (select from claim l where l.outcome_id = o.id and l.ended_at is null)
  and not exists (select from answer a where a.task_id = t.id and a.participant_id = $3 and a.undone_at is null)
  -- two opinions that don't agree, or many who can't tell, are for the mediator
  and (select count(*) filter (where a.says <> 'cant_tell') < 2 and count(*) < $7
       from answer a
       where a.task_id = t.id and a.undone_at is null and a.fingerprint = o.fingerprint)
order by
  exists ( -- somebody stands there: the neighbours first, they are few, then each one's lease ("offset 0" keeps that order)
    select from (
      select n.id from outcome n where st_dwithin(n.geom, o.geom, $8 * cosh(st_y(st_centroid(o.geom)) / 6378137)) offset 0
    ) near, lateral (
      select l.how from claim l where l.outcome_id = near.id and l.ended_at is null offset 0
    ) there
    where there.how = 'screen'),
  t.cell = $4 desc,
  c.sign = $5 desc,
  exists (select from answer a where a.task_id = t.id and a.undone_at is null),
  t.number
limit 1
for no key update of t skip locked
