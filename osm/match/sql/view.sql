-- The outcomes of one rule as a layer.
create or replace view data.{view} as
select o.id::text as _key, o.kind,
  case
    when o.kind = 'identical' then 'same'
    when o.kind in ('attributes_differ', 'moved', 'far_reference', 'closed_in_osm', 'ambiguous', 'duplicate_open_data', 'duplicate_osm') then 'differs'
    when o.kind = 'only_open_data' then 'partner'
    when o.kind = 'only_osm' then 'osm'
    else 'other'
  end as "group",
  o.name, r.key as record, o.osm_type::text || o.osm_id as osm, o.distance, o.score::float8 as score,
  st_x(st_transform(o.osm_geom, 4326)) as osm_lon, st_y(st_transform(o.osm_geom, 4326)) as osm_lat,
  o.reason, o.comparison, o.geom as _geom_3857
from outcome o
left join record r on r.id = o.record_id
where o.rule_id = {rule} and o.kind <> 'withdrawn'
