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

-- name: a version that is ready and was not replaced is the published one
select v.id, v.dataset_id
from version v
join dataset d on d.id = v.dataset_id
where v.state = 'ready' and v.replaced_at is null and d.published_id is distinct from v.id;

-- name: a published version has at least one layer
select d.slug
from dataset d
where d.published_id is not null and not exists (select from layer_version lv where lv.version_id = d.published_id);

-- name: the relation of every published layer exists
select d.slug, lv.relation
from dataset d
join layer_version lv on lv.version_id = d.published_id
where to_regclass('data.' || quote_ident(lv.relation)) is null;

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
