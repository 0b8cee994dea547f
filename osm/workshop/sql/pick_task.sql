-- The best task that is free for a participant; its row is held, so that others look at the next one.
-- $1 session, $2 kinds that are questions, $3 participant, $4 their cell, $5 their sign, $6 tasks that were tried, $7 most opinions,
-- $8 metres between two that are in hand, $9 whether one near to what somebody has in hand will do
-- Tasks are put in order by what is cheap to know, then looked at one after the other until one is free ("offset 0" and
-- "lateral" keep it so): a room that asks without a pause looks at a few each time, not at all.
select free.id
from (
  select t.id
  from task t
  join cell c on (c.session_id, c.number) = (t.session_id, t.cell)
  where t.session_id = $1
    and not t.practice
    and t.id <> all ($6)
  order by
    t.cell = $4 desc,
    c.sign = $5 desc,
    exists (select from answer a where a.task_id = t.id and a.undone_at is null),
    t.number
  offset 0
) best
cross join lateral (
  select t.id
  from task t
  join outcome o on o.id = t.outcome_id
  where t.id = best.id
    and o.kind = any ($2)
    and not exists (select from claim l where l.outcome_id = o.id and l.ended_at is null)
    and not exists (select from answer a where a.task_id = t.id and a.participant_id = $3 and a.undone_at is null)
    and not exists (select from verdict_in_force v where v.outcome_id = o.id)
    -- what this session has settled is not asked again when OpenStreetMap follows
    and not exists (select from verdict j where j.outcome_id = o.id and j.fingerprint = t.fingerprint and j.withdrawn_at is null)
    -- two opinions that don't agree, or many who can't tell, are for the mediator
    and (select count(*) filter (where a.says <> 'cant_tell') < 2 and count(*) < $7
         from answer a
         where a.task_id = t.id and a.undone_at is null and a.fingerprint = o.fingerprint)
    and exists (select from public_rule r where r.id = o.rule_id) -- its dataset may have been withdrawn
    and ($9 or not exists ( -- somebody stands there: the neighbours first, they are few, then each one's lease
      select from (
        select n.id from outcome n where st_dwithin(n.geom, o.geom, $8 * cosh(st_y(st_centroid(o.geom)) / 6378137)) offset 0
      ) near, lateral (
        select l.how from claim l where l.outcome_id = near.id and l.ended_at is null offset 0
      ) there
      where there.how = 'screen'))
  for no key update of t skip locked -- "no key": foreign keys of answers to it need not wait
) free
limit 1
