-- +goose Up
-- Search over what is public. search_entry and search_text are derived: triggers rewrite them in the transaction that changes
-- what they are made of, so a dataset is found exactly while public_dataset shows it.

-- Words are compared without accents and by their stem, in three languages.
create text search configuration public.fr (copy = pg_catalog.french);
alter text search configuration public.fr alter mapping for hword, hword_part, word with public.unaccent, french_stem;
create text search configuration public.en (copy = pg_catalog.english);
alter text search configuration public.en alter mapping for hword, hword_part, word with public.unaccent, english_stem;
create text search configuration public.it (copy = pg_catalog.italian);
alter text search configuration public.it alter mapping for hword, hword_part, word with public.unaccent, italian_stem;

create table search_place (                       -- names that are recognised in a question
  code  text primary key,                         -- "13055", "D13", "R93"
  kind  text not null check (kind in ('commune', 'department', 'region')),
  name  text not null,
  plain text not null,                            -- without accents, articles' hyphens and case
  sound text not null
);
create table search_entry (                       -- narrow: a common word matches a third of the catalogue
  dataset_id   bigint primary key references dataset on delete cascade,
  profile_id   int not null,                      -- what its facets are
  delivered_at timestamptz,
  width        smallint not null,                 -- 3 the region, 2 a department, 1 less
  merit        real not null,                     -- 0 to 1: description, layers, documents, comparison
  areas        text[] not null,                   -- territory, and "in:D13" of what lies inside; '*' when nobody said
  title_words  tsvector not null,
  title_plain  text not null                      -- in French, for sorting and for a question that is the title
);
create table search_text (
  dataset_id bigint primary key references search_entry on delete cascade,
  words      tsvector not null
);
create index search_text_words on search_text using gin (words) with (fastupdate = off);
create index search_entry_title on search_entry using gin (title_words) with (fastupdate = off);
create index search_entry_areas on search_entry using gin (areas) with (fastupdate = off);
create index search_entry_delivered on search_entry (delivered_at desc nulls last, dataset_id);
create index search_entry_sorted on search_entry (title_plain, dataset_id);
create table search_profile (                     -- rows never change: who has read one may keep it
  id      int generated always as identity primary key,
  facets  jsonb not null unique                   -- {"topic": […], "producer": […], "licence": […], "format": […], "want": […], "territory": […]}
);
create table search_lexeme (lexeme text primary key);
create table search_word (                        -- for what is misspelt
  word  text primary key,
  sound text not null
);

-- +goose StatementBegin
-- What a word sounds like to a French ear, roughly: enough to bring "farmacie" and "pharmacie" together.
create function search_sound(word text) returns text language sql immutable strict parallel safe as $$
  select regexp_replace(regexp_replace(
    replace(replace(replace(replace(replace(replace(replace(replace(replace(replace(
      public.plain(word), 'ph', 'f'), 'eau', 'o'), 'au', 'o'), 'qu', 'k'), 'ch', '%'), 'h', ''), '%', 'ch'), 'y', 'i'), 'ai', 'e'), 'z', 's'),
    '(.)\1+', '\1', 'g'), '(?<=.{3})(e?s|e|x|t)$', '')
$$;
-- +goose StatementEnd
create index on search_word using gin (sound gin_trgm_ops);
create index on search_place using gin (sound gin_trgm_ops);
create index on search_place (plain);
insert into search_place (code, kind, name, plain, sound)
  select code, kind, name, regexp_replace(plain(name), '[^a-z0-9]+', ' ', 'g'), search_sound(name) from (values
    ('D04', 'department', 'Alpes-de-Haute-Provence'), ('D05', 'department', 'Hautes-Alpes'), ('D06', 'department', 'Alpes-Maritimes'),
    ('D13', 'department', 'Bouches-du-Rhône'), ('D83', 'department', 'Var'), ('D84', 'department', 'Vaucluse'),
    ('R93', 'region', 'Provence-Alpes-Côte d’Azur')) p (code, kind, name);

-- +goose StatementBegin
create function search_department(code text) returns text language sql immutable strict parallel safe as $$
  select case when code ~ '^97[0-9]{3}$' then 'D' || left(code, 3) when code ~ '^[0-9][0-9AB][0-9]{3}$' then 'D' || left(code, 2) end
$$;
-- +goose StatementEnd

-- +goose StatementBegin
create function search_vector(weight "char", texts jsonb) returns tsvector language sql immutable parallel safe as $$
  select setweight(to_tsvector('public.fr', coalesce(texts ->> 'fr', '')) || to_tsvector('public.en', coalesce(texts ->> 'en', ''))
    || to_tsvector('public.it', coalesce(texts ->> 'it', '')), weight)
$$;
-- +goose StatementEnd

create aggregate tsvector_sum(tsvector) (sfunc = tsvector_concat, stype = tsvector, initcond = '');

-- +goose StatementBegin
-- Rewrites what search knows of these datasets. It runs with its owner's rights: pages change descriptions, never this.
create function search_refresh(wanted bigint[]) returns void language plpgsql security definer set search_path = public, pg_temp as $$
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
      select l from (select distinct l from fresh f, unnest(tsvector_to_array(f.words)) l) n
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
end $$;
-- +goose StatementEnd

-- +goose StatementBegin
create function search_dataset() returns trigger language plpgsql as $$
begin
  perform search_refresh((select array_agg(id) from changed));
  return null;
end $$;
-- +goose StatementEnd
-- +goose StatementBegin
create function search_part() returns trigger language plpgsql as $$
begin
  perform search_refresh((select array_agg(distinct dataset_id) from changed));
  return null;
end $$;
-- +goose StatementEnd
-- +goose StatementBegin
create function search_rule() returns trigger language plpgsql as $$
begin
  perform search_refresh((select array_agg(distinct l.dataset_id) from changed c join layer l on l.id = c.layer_id));
  return null;
end $$;
-- +goose StatementEnd
-- +goose StatementBegin
create function search_shared() returns trigger language plpgsql as $$
begin
  if tg_table_name = 'producer' then
    perform search_refresh((select array_agg(d.id) from changed c join dataset d on d.producer_id = c.id));
  else
    perform search_refresh((select array_agg(distinct t.dataset_id) from changed c join dataset_topic t on t.topic_id = c.id));
  end if;
  return null;
end $$;
-- +goose StatementEnd
create trigger search_insert after insert on dataset referencing new table as changed for each statement execute function search_dataset();
create trigger search_update after update on dataset referencing new table as changed for each statement execute function search_dataset();
create trigger search_insert after insert on dataset_topic referencing new table as changed for each statement execute function search_part();
create trigger search_update after update on dataset_topic referencing new table as changed for each statement execute function search_part();
create trigger search_delete after delete on dataset_topic referencing old table as changed for each statement execute function search_part();
create trigger search_insert after insert on resource referencing new table as changed for each statement execute function search_part();
create trigger search_update after update on resource referencing new table as changed for each statement execute function search_part();
create trigger search_delete after delete on resource referencing old table as changed for each statement execute function search_part();
create trigger search_insert after insert on chain_step referencing new table as changed for each statement execute function search_part();
create trigger search_insert after insert on rule referencing new table as changed for each statement execute function search_rule();
create trigger search_delete after delete on rule referencing old table as changed for each statement execute function search_rule();
create trigger search_update after update on producer referencing new table as changed for each statement execute function search_shared();
create trigger search_update after update on topic referencing new table as changed for each statement execute function search_shared();
select search_refresh((select array_agg(id) from dataset));
