-- basemap_tile: the layers of one tile, each encoded, in order.
-- $1 z, $2 x, $3 y; $4, $5 first and last band; $6 names of the layers by number; $7 metres below which a feature is left
-- out (0 as a rule; more when the tile would be too large).
with tile as (
  select st_tileenvelope($1, $2, $3) as bounds, st_tileenvelope($1, $2, $3, margin => 64.0 / 4096) as halo
),
feature as (
  select r.layer, r.rank, r.id, r.props, st_asmvtgeom(r.geom, tile.bounds, 4096, 64, true) as geom
  from tile, osm.basemap r
  where r.geom && tile.halo and r.band between $4 and $5 and r.size >= $7
  union all
  -- buildings are too many to be kept twice
  select {buildings}, 0, a.osm_id, null, st_asmvtgeom(a.geom, tile.bounds, 4096, 64, true)
  from tile, osm.area a
  where $1 >= 14 and a.geom && tile.halo and a.tags ? 'building' and a.tags->>'building' <> 'no'
    and greatest(st_xmax(a.geom) - st_xmin(a.geom), st_ymax(a.geom) - st_ymin(a.geom)) >= $7
)
select layer, st_asmvt(row(geom, props)::osm.basemap_item, ($6::text[])[layer], 4096, 'geom')
from (
  select *
  from feature
  where geom is not null
  order by layer, rank, id, geom
) f
group by layer
order by layer
