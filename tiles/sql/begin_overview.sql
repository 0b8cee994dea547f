-- begin_overview: every feature of a layer as the first step of its overview, and the empty overview.
-- {table} {g} {key}: the layer's table, geometry in 3857 and key; {fields}: ", r._fid, r.a, r.b"; {overview}: the new table.
create temp table tile_step on commit drop as
select 0 as __z, {key}::text as _key,
  st_dimension({g}) as __dim,
  -- what decides whether a feature is drawn as itself: its longer side
  greatest(st_xmax({g}) - st_xmin({g}), st_ymax({g}) - st_ymin({g})) as __size,
  -- what a stand-in adds up: area of polygons
  case st_dimension({g}) when 2 then st_area({g}) else 0 end as __weight,
  coalesce(st_azimuth(st_startpoint(st_geometryn({g}, 1)), st_endpoint(st_geometryn({g}, 1))), pi() / 2) as __angle,
  1::bigint as __count,
  (st_xmin({g}) + st_xmax({g})) / 2 as __cx,
  (st_ymin({g}) + st_ymax({g})) / 2 as __cy,
  {g}::geometry as __geom{fields}
from {table} r
where {g} is not null and not st_isempty({g});

create table {overview} as
select * from tile_step limit 0
