-- What must hold of the database at every moment, whatever was killed: each
-- query returns no row when all is well. A query is named by the comment
-- before it. A version that a dead loader left loading, with its tables, is no
-- fault: the next load clears it. Counting the rows of a table named in a row
-- takes query_to_xml, which is plain SQL.

-- name: a published version is ready, its dataset's own, and not replaced
select d.slug, v.id, v.state, v.replaced_at
from dataset d
join version v on v.id = d.published_id
where v.state <> 'ready' or v.dataset_id <> d.id or v.replaced_at is not null or v.published_at is null;

-- name: a version that was published and not replaced is the published one
select v.id, v.dataset_id
from version v
join dataset d on d.id = v.dataset_id
where v.state = 'ready' and v.published_at is not null and v.replaced_at is null and d.published_id is distinct from v.id;

-- name: a published version has at least one layer
select d.slug
from dataset d
where d.published_id is not null and not exists (select from layer_version lv where lv.version_id = d.published_id);

-- name: the relation of every layer that can be read exists, of replaced versions too
select v.dataset_id, v.number, lv.relation
from version v
join layer_version lv on lv.version_id = v.id
where v.state = 'ready' and to_regclass('data.' || quote_ident(lv.relation)) is null;

-- name: every published layer has as many rows as its account says
select d.slug, lv.relation, lv.n_rows, counted.n as found
from dataset d
join layer_version lv on lv.version_id = d.published_id
cross join lateral (
  select (xpath('/row/n/text()', query_to_xml(format('select count(*) as n from data.%I', lv.relation), false, true, '')))[1]::text::bigint as n
) counted
where to_regclass('data.' || quote_ident(lv.relation)) is not null and counted.n <> lv.n_rows;

-- name: the rows of a snapshot are the records that were loaded
select d.slug, lv.relation, lv.n_rows, lv.n_loaded
from dataset d
join layer_version lv on lv.version_id = d.published_id
join layer l on l.id = lv.layer_id
where l.life = 'snapshot' and lv.n_rows <> lv.n_loaded;

-- name: every rejected record has its issue
select lv.version_id, lv.layer_id, lv.n_rejected, count(i.record) as found
from layer_version lv
left join load_issue i on i.version_id = lv.version_id and i.layer_id = lv.layer_id and i.action = 'rejected'
group by lv.version_id, lv.layer_id, lv.n_rejected
having count(i.record) <> lv.n_rejected;

-- name: every published snapshot table has its primary key, its unique key and, with geometry, its spatial index
select d.slug, lv.relation
from dataset d
join layer_version lv on lv.version_id = d.published_id
join layer l on l.id = lv.layer_id
where l.life = 'snapshot' and (
  not exists (select from pg_index i where i.indrelid = to_regclass('data.' || quote_ident(lv.relation)) and i.indisprimary and i.indisvalid)
  or (select count(*) from pg_index i where i.indrelid = to_regclass('data.' || quote_ident(lv.relation)) and i.indisunique and i.indisvalid) < 2
  or lv.geometry_type <> 'none' and not exists (
    select from pg_index i
    join pg_class c on c.oid = i.indexrelid
    join pg_am a on a.oid = c.relam
    where i.indrelid = to_regclass('data.' || quote_ident(lv.relation)) and a.amname = 'gist' and i.indisvalid));

-- name: every table of a version belongs to one that is loading or can be read
select c.relname
from pg_class c
where c.relnamespace = 'data'::regnamespace and c.relkind = 'r' and c.relname ~ '^v\d+_'
  and not exists (
    select from version v
    where v.id = substring(c.relname from '^v(\d+)_')::bigint and v.state in ('loading', 'ready'));

-- name: every table of a series belongs to a layer that is one
select c.relname
from pg_class c
where c.relnamespace = 'data'::regnamespace and c.relkind in ('r', 'p') and c.relname ~ '^s\d+_'
  and not exists (
    select from layer l
    where l.id = substring(c.relname from '^s(\d+)_')::bigint and l.life = 'series');

-- name: the last publication of every dataset is in the log of changes
select d.slug, d.published_id
from dataset d
where d.published_id is not null and not exists (
  select from change c
  where c.kind = 'dataset' and c.subject = d.slug and (c.detail ->> 'version')::bigint = d.published_id);

-- name: every rule's records are of its layer
select o.id
from outcome o
join rule r on r.id = o.rule_id
join record c on c.id = o.record_id
where c.layer_id <> r.layer_id;

-- name: what is in schema data has a kind of name that belongs to somebody
select c.relname, c.relkind
from pg_class c
where c.relnamespace = 'data'::regnamespace and c.relkind in ('r', 'p', 'v', 'm', 'f')
  and c.relname !~ '^([vsbo]\d+_|outcome_\d+$)';

-- name: every view of a borrowed geometry belongs to a layer that borrows
select c.relname
from pg_class c
where c.relnamespace = 'data'::regnamespace and c.relname ~ '^b\d+_'
  and not exists (select from borrowed_geometry b where b.layer_id = substring(c.relname from '^b(\d+)_')::bigint);

-- name: every view of outcomes belongs to a rule
select c.relname
from pg_class c
where c.relnamespace = 'data'::regnamespace and c.relname ~ '^outcome_\d+$'
  and not exists (select from rule r where r.id = substring(c.relname from '\d+$')::bigint);

-- name: every overview of tiles belongs to a plan, and every plan's overview exists
select coalesce(t.overview, c.relname) as overview, t.layer
from tile_plan t
full join (select relname from pg_class where relnamespace = 'data'::regnamespace and relkind = 'r' and relname ~ '^o\d+_') c
  on c.relname = t.overview
where t.overview is not null and c.relname is null or t.id is null;

-- name: no index that is read is unfinished
select i.indexrelid::regclass as index
from pg_index i
join pg_class c on c.oid = i.indexrelid
where c.relnamespace in ('data'::regnamespace, 'osm'::regnamespace, 'public'::regnamespace) and not (i.indisvalid and i.indisready);

-- name: what stands for a layer stands for a live one
select l.name, l.life
from layer l
join live_layer v on v.layer_id = l.id
where l.life <> 'live';

-- name: the relation of every live layer exists
select l.name, v.schema, v.relation
from live_layer v
join layer l on l.id = v.layer_id
where to_regclass(format('%I.%I', v.schema, v.relation)) is null;

-- name: every live layer has as many rows as its account says
select l.name, v.n_rows, counted.n as found
from live_layer v
join layer l on l.id = v.layer_id
cross join lateral (
  select (xpath('/row/n/text()', query_to_xml(format('select count(*) as n from %I.%I', v.schema, v.relation), false, true, '')))[1]::text::bigint as n
) counted
where to_regclass(format('%I.%I', v.schema, v.relation)) is not null and counted.n <> v.n_rows;

-- name: without an extract there is no object of OpenStreetMap, with one it is in the log of changes
select s.file
from (select 1) one
left join osm.state s on true
where s.file is null and exists (select from osm.point union all select from osm.line union all select from osm.area)
   or s.file is not null and not exists (select from change where kind = 'osm');

-- name: the objects of OpenStreetMap are as many as its import counted
select s.file, s.report ->> 'points' as points, s.report ->> 'lines' as lines, s.report ->> 'areas' as areas
from osm.state s
where (s.report ->> 'points')::bigint <> (select count(*) from osm.point)
   or (s.report ->> 'lines')::bigint <> (select count(*) from osm.line)
   or (s.report ->> 'areas')::bigint <> (select count(*) from osm.area);

-- name: the basemap has as many rows as its account says
select b.id, b.n_rows
from osm.basemap_state b
where b.n_rows <> (select count(*) from osm.basemap);

-- name: every record of a published snapshot that was compared has its outcome
select l.name, r.id as rule, count(*) as without
from rule r
join layer l on l.id = r.layer_id and l.life = 'snapshot'
join dataset d on d.id = l.dataset_id
join lateral (
  select m.version_id from match_run m
  where m.rule_id = r.id and m.finished_at is not null
  order by m.id desc
  limit 1
) last on last.version_id = d.published_id
join record c on c.layer_id = l.id and c.last_version_id = d.published_id
where not exists (select from outcome o where o.rule_id = r.id and o.record_id = c.id)
group by l.name, r.id;

-- name: every row of a published snapshot that was compared is a record
select l.name, lv.n_rows, count(c.id) as records
from rule r
join layer l on l.id = r.layer_id and l.life = 'snapshot'
join dataset d on d.id = l.dataset_id
join layer_version lv on lv.layer_id = l.id and lv.version_id = d.published_id
left join record c on c.layer_id = l.id and c.last_version_id = d.published_id
where exists (select from match_run m where m.rule_id = r.id and m.version_id = d.published_id and m.finished_at is not null)
group by l.name, r.id, lv.n_rows
having count(c.id) <> lv.n_rows;

-- name: nobody has read more of the log of changes than there is
select c.name, c.seen
from change_reader c
where c.seen > (select coalesce(max(id), 0) from change);

-- name: of a session that is forgotten nobody is known
select s.code, count(*) as people
from session s
join participant p on p.session_id = s.id
where s.state = 'archived'
group by s.code;

-- name: the opinions on a task are numbered without a gap
select a.task_id, max(a.opinion) as last, count(*) as opinions
from answer a
group by a.task_id
having max(a.opinion) <> count(*);

-- name: an answer that was replaced does not stand
select a.id, r.id as by
from answer a
join answer r on r.replaces = a.id
where a.undone_at is null;

-- name: of a person's answers to a task one stands
select a.task_id, a.participant_id
from answer a
where a.undone_at is null and a.participant_id is not null
group by a.task_id, a.participant_id
having count(*) > 1;

-- name: every answer is in the history of its session
select a.id
from answer a
join task t on t.id = a.task_id
where not exists (
  select from session_event e
  where e.task_id = t.id and e.session_id = t.session_id and e.kind = 'answered' and (e.after ->> 'answer')::bigint = a.id);

-- name: a verdict that no person gave has an answer that says so
select v.id, v.says
from verdict_in_force v
where v.account_id is null and not exists (
  select from answer a
  join task t on t.id = a.task_id
  where t.outcome_id = v.outcome_id and a.fingerprint = v.fingerprint and a.says = v.says and a.undone_at is null);
