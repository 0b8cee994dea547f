-- basemap_boundaries: each piece of border once, at the highest level that it belongs to; Shortbread's levels 2 and 4, and
-- those of départements (6) and communes (8) besides. Below level 4 what lies in the sea is left out.
create temp table border on commit drop as
with area as (
  select (tags->>'admin_level')::int as level, st_boundary(geom) as geom
  from osm.area
  where tags->>'boundary' = 'administrative' and tags->>'admin_level' in ('2', '4', '6', '8')
)
select level, st_union(geom) as geom
from area
group by level;

insert into stage
select {boundaries}, case level when 2 then 0 when 4 then 7 when 6 then 8 else 11 end, level,
  row_number() over (order by level, maritime, st_xmin(geom), st_ymin(geom), st_xmax(geom), st_ymax(geom)),
  jsonb_strip_nulls(jsonb_build_object('admin_level', level, 'maritime', case when maritime then true end)), geom
from (
  with alone as (
    select b.level, (select o.geom from ocean o) as sea,
      coalesce(st_difference(b.geom, (select st_union(h.geom) from border h where h.level < b.level)), b.geom) as geom
    from border b
  )
  select level, maritime, (st_dump(st_linemerge(st_collectionextract(geom, 2)))).geom
  from (
    select level, false as maritime, case when sea is null then geom else st_difference(geom, sea) end as geom from alone
    union all
    select level, true, st_intersection(geom, sea) from alone where sea is not null and level <= 4
  ) parts
) b
;

insert into stage
select {boundary_labels}, case when (tags->>'admin_level') = '2' then case when hectares > 2e8 then 2 when hectares > 7e7 then 3 when hectares > 1e7 then 4 else 5 end
    else case when hectares > 7e7 then 3 when hectares > 1e7 then 4 else 5 end end,
  -least(hectares, 2e9)::int, osm_id, jsonb_build_object('admin_level', (tags->>'admin_level')::int, 'way_area', round(hectares)) || {names:a}, st_pointonsurface(geom)
from (select *, st_area(geom) / 10000 as hectares from osm.area where tags->>'boundary' = 'administrative' and tags->>'admin_level' in ('2', '4')) a
where name is not null
