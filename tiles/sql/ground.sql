-- ground: what the basemap shows of a place at its nearest zoom, cut to the place, for drawings that are no tiles.
-- $1 … $4 the place in EPSG:3857 (left, bottom, right, top); $5 names of the layers by number; $6 tolerance in metres of 3857.
with place as (
  select st_makeenvelope($1, $2, $3, $4, 3857) as box
),
feature as (
  select r.layer, r.rank, r.id, r.props, r.geom
  from place, osm.basemap r
  where r.geom && place.box and r.band between 12 and 14
  union all
  select {buildings}, 0, a.osm_id, null, a.geom
  from place, osm.area a
  where a.geom && place.box and a.tags ? 'building' and a.tags->>'building' <> 'no'
)
select ($5::text[])[layer], coalesce(props->>'kind', ''), coalesce(props->>'name', ''), coalesce(props->>'ref', ''), coalesce(props->>'rail', '') = 'true', st_asewkb(geom)
from (
  select layer, rank, id, props, case when st_dimension(geom) = 0 then geom else st_clipbybox2d(st_simplify(geom, $6, true), place.box) end as geom
  from feature, place
) f
where geom is not null and not st_isempty(geom)
order by layer, rank, id
limit 20000
