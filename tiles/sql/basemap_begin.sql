-- basemap_begin: where the features of the basemap gather. minzoom is Shortbread's; what is drawn below zoom 12 is
-- generalised later. Points of areas lie on their surface.
create temp table stage (
  layer smallint not null, minzoom int not null, rank int not null, id bigint not null, props jsonb, geom geometry not null
) on commit drop;

-- The plane: the region of the extract, and half as much around it for the sea.
create temp table plane on commit drop as
select box, st_expand(box, greatest(st_xmax(box) - st_xmin(box), 1000) / 2, greatest(st_ymax(box) - st_ymin(box), 1000) / 2) as wide
from (
  select st_envelope(st_collect(g)) as box
  from (
    select st_transform(region, 3857) as g from osm.state
    union all
    select st_setsrid(st_extent(geom)::geometry, 3857) from osm.line where tags @> '{"natural": "coastline"}'
    union all
    select st_setsrid(st_extent(geom)::geometry, 3857) from osm.point where tags ? 'place'
  ) g
) b
