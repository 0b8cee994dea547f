-- The objects of a theme that matter to a rule, in key order.
-- $1 territory (EWKB, 3857, may be null), $2 metres around records, $3 keys with a lifecycle prefix
with area as (
  select st_geomfromewkb($1) as geom
), near as (
  -- a generous box: 1.6 units of 3857 are a metre at 51° north
  select st_expand(st_setsrid(st_extent({geom})::geometry, 3857), $2 * 1.6) as box from {layer}
), reach as (
  select coalesce(st_envelope(st_collect(box, geom)), box) as box from near, area
), current as (
  select o._key, o.geom, o.tags, null::text as closed
  from {theme} o, reach
  where o.geom && reach.box
), former as (
  -- what was of the theme once; an object that still is stays current
  select f._key, st_pointonsurface(f.geom) as geom, f.tags,
    (select split_part(k, ':', 1) from jsonb_object_keys(f.tags) k where k = any ($3) order by k limit 1) as closed
  from (select _key, geom, tags from osm.point union all select _key, geom, tags from osm.area) f, reach
  where f.geom && reach.box and f.tags ?| $3
    and not exists (select from current c where c._key = f._key)
)
select o._key, st_x(o.geom), st_y(o.geom), o.tags, coalesce(st_intersects(o.geom, area.geom), false), o.closed
from (select * from current union all select * from former) o, area
order by o._key
