-- +goose Up
-- A common word is in a tenth of a large catalogue. To read each of those rows with all its words, and the entry beside it by
-- another index, took most of a search's time. search_index is what is read of them instead: words are numbers, and with them
-- stands all that counting and the first sorting need.
alter table search_lexeme add column id int generated always as identity unique;
create table search_index (                       -- derived, like search_entry
  dataset_id   bigint primary key references search_entry on delete cascade,
  profile_id   int not null,
  delivered_at timestamptz,
  standing     smallint not null,                 -- width * 1000 + merit * 100: what comes first among equals
  titles       int[] not null,                    -- lexemes of the title
  terms        int[] not null                     -- all its lexemes, and its areas as '@13055', '@in:D13'
);
create index search_index_terms on search_index using gin (terms) with (fastupdate = off);
create index on search_lexeme (lexeme text_pattern_ops);  -- words that begin so
create index on search_word (word text_pattern_ops);
drop index search_text_words, search_entry_title, search_entry_areas, search_entry_delivered, search_entry_sorted; -- nothing reads them

-- +goose StatementBegin
-- Areas as lexemes: no word begins like that.
create function search_area(areas text[]) returns text[] language sql immutable strict parallel safe as $$
  select coalesce(array_agg('@' || a), '{}') from unnest(areas) a
$$;
-- +goose StatementEnd
-- +goose StatementBegin
create function search_ids(lexemes text[]) returns int[] language sql stable strict parallel safe as $$
  select coalesce(array_agg(id order by id), '{}') from public.search_lexeme where lexeme = any (lexemes)
$$;
-- +goose StatementEnd

-- +goose StatementBegin
-- Rewrites what search knows of these datasets. It runs with its owner's rights: pages change descriptions, never this.
create or replace function search_refresh(wanted bigint[]) returns void language plpgsql security definer set search_path = public, pg_temp as $$
begin
  if wanted is null or cardinality(wanted) = 0 then
    return;
  end if;
  delete from search_entry e where e.dataset_id = any (wanted) and not exists (select from public_dataset d where d.id = e.dataset_id);
  with fresh as materialized (
  select d.id,
    jsonb_build_object(
      'topic', to_jsonb(t.ids), 'producer', jsonb_build_array(d.producer_id), 'licence', jsonb_build_array(d.licence_id),
      'format', to_jsonb(f.formats),
      'want', to_jsonb(array_remove(array[
        case when v.mapped then 'map' end, case when v.layers or r.files then 'file' end, case when v.ruled then 'compare' end,
        case when not v.layers and not r.files and r.links then 'link' end], null)),
      'territory', to_jsonb(a.wide)) as facets,
    coalesce(d.published_at, d.delivered_at) as delivered_at,
    case when a.wide::text like '%R%' then 3 when a.codes::text like '%D%' or a.codes::text like '%EPCI%' then 2 else 1 end as width,
    (0.3 * coalesce(length(d.description ->> 'fr') > 100, false)::int + 0.3 * v.layers::int + 0.1 * v.ruled::int + 0.1 * r.documents::int
      + 0.2 * (d.frequency is not null)::int) as merit,
    case when a.codes = '{}' then array['*'] else a.codes || a.inside end as areas,
    search_vector('A', d.title) as title_words,
    plain(coalesce(d.title ->> 'fr', d.title ->> 'en', d.title ->> 'it', d.slug)) as title_plain,
    search_vector('A', d.title) || k.words || t.words || search_vector('C', p.title) || setweight(to_tsvector('public.fr', a.names), 'C')
      || search_vector('D', d.description) || r.words || setweight(to_tsvector('simple', replace(d.slug, '-', ' ')), 'D') as words,
    concat_ws(' ', d.title ->> 'fr', d.title ->> 'en', d.title ->> 'it', k.plain, t.plain, p.title ->> 'fr', d.description ->> 'fr') as plain_words
  from public_dataset d
  join producer p on p.id = d.producer_id
  cross join lateral (
    select coalesce(array_agg(dt.topic_id order by dt.position, dt.topic_id), '{}') as ids,
      coalesce(tsvector_sum(search_vector('C', o.title)), '') as words, string_agg(concat_ws(' ', o.title ->> 'fr', o.title ->> 'en', o.title ->> 'it'), ' ') as plain
    from dataset_topic dt join topic o on o.id = dt.topic_id where dt.dataset_id = d.id) t
  cross join lateral (
    select coalesce(tsvector_sum(search_vector('B', case jsonb_typeof(w) when 'object' then w else jsonb_build_object('fr', w) end)), '') as words,
      string_agg(case jsonb_typeof(w) when 'object' then concat_ws(' ', w ->> 'fr', w ->> 'en', w ->> 'it') else w #>> '{}' end, ' ') as plain
    from jsonb_array_elements(d.keywords) w) k
  cross join lateral (
    select coalesce(array_agg(c), '{}') as codes,
      coalesce(array_agg(distinct 'in:' || search_department(c)) filter (where search_department(c) is not null), '{}') as inside,
      coalesce(array_agg(distinct coalesce(search_department(c), c)) filter (where search_department(c) is not null or c ~ '^[DR]'), '{}') as wide,
      coalesce(string_agg(s.name, ' '), '') as names
    from jsonb_array_elements_text(d.territory) c left join search_place s on s.code = c and s.kind <> 'region') a
  cross join lateral (
    select coalesce(bool_or(true), false) as layers, coalesce(bool_or(lv.geometry_type <> 'none'), false) as mapped,
      coalesce(bool_or(exists (select from rule u where u.layer_id = lv.layer_id)), false) as ruled
    from layer_version lv where lv.version_id = d.published_id) v
  cross join lateral (
    select coalesce(bool_or(x.kind = 'file'), false) as files, coalesce(bool_or(x.kind in ('reference', 'service')), false) as links,
      coalesce(bool_or(x.kind in ('documentation', 'administrative')), false) as documents,
      coalesce(tsvector_sum(search_vector('D', x.title)), '') as words
    from resource x where x.dataset_id = d.id and x.public and x.deleted_at is null) r
  cross join lateral (
    select coalesce(array_agg(distinct o), '{}') as formats from (
      select unnest(case when v.mapped then array['csv', 'geojson', 'gpkg'] when v.layers then array['csv'] else '{}' end)
      union all
      select x.format from resource x
      where x.dataset_id = d.id and x.public and x.deleted_at is null and x.format is not null and x.kind in ('file', 'reference', 'service')) f (o)) f
  where d.id = any (wanted)
  ), profiles as (
    insert into search_profile (facets) select distinct f.facets from fresh f order by 1
    on conflict (facets) do update set facets = excluded.facets       -- changes nothing, and gives the id
    returning id, facets
  ), entries as (
    insert into search_entry (dataset_id, profile_id, delivered_at, width, merit, areas, title_words, title_plain)
      select f.id, p.id, f.delivered_at, f.width, f.merit, f.areas, f.title_words, f.title_plain
      from fresh f join profiles p on p.facets = f.facets
      order by f.id
    on conflict (dataset_id) do update set profile_id = excluded.profile_id, delivered_at = excluded.delivered_at, width = excluded.width,
      merit = excluded.merit, areas = excluded.areas, title_words = excluded.title_words, title_plain = excluded.title_plain
  ), texts as (
    insert into search_text (dataset_id, words) select f.id, f.words from fresh f order by f.id
    on conflict (dataset_id) do update set words = excluded.words
  ), lexemes as (
    insert into search_lexeme (lexeme)
      select l from (select distinct l from fresh f, unnest(tsvector_to_array(f.words) || search_area(f.areas)) l) n
      where not exists (select from search_lexeme s where s.lexeme = n.l)
      order by 1
    on conflict do nothing
  )
  insert into search_word (word, sound)
    select w, search_sound(w) from (
      select distinct w from fresh f, regexp_split_to_table(plain(f.plain_words), '[^a-z0-9]+') w where length(w) between 3 and 40) n
    where not exists (select from search_word s where s.word = n.w)
    order by 1
    on conflict do nothing;
  insert into search_index (dataset_id, profile_id, delivered_at, standing, titles, terms)
    select e.dataset_id, e.profile_id, e.delivered_at, e.width * 1000 + round(e.merit * 100),
      search_ids(tsvector_to_array(e.title_words)), search_ids(tsvector_to_array(t.words) || search_area(e.areas))
    from search_entry e
    join search_text t using (dataset_id)
    where e.dataset_id = any (wanted)
    order by 1
  on conflict (dataset_id) do update set profile_id = excluded.profile_id, delivered_at = excluded.delivered_at,
    standing = excluded.standing, titles = excluded.titles, terms = excluded.terms;
end $$;
-- +goose StatementEnd
select search_refresh((select array_agg(id) from dataset));
