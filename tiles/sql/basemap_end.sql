-- basemap_end: from zoom 12 on features as they are; below, generalised for each zoom. p is a pixel of a tile that is
-- shown at 512 pixels, in metres. Rows keep the order of their layer's table, which is that of place.
analyze stage;

create temp table zoom on commit drop as
select z, 40075016.685578488 / (1 << z) / 512 as p
from generate_series(0, 11) z;

create table osm.basemap_next (like osm.basemap including defaults including constraints);

with drawn as (
select greatest(minzoom, 12) as band, layer, rank, id, props, geom from stage

-- Points stay; polygons of less than 2 by 2 pixels go, the others lose what is finer than half a pixel.
union all
select z, layer, rank, id, props, case when st_dimension(geom) = 2 then st_simplify(geom, p / 2, true) else geom end
from stage, zoom
where z >= minzoom and (st_dimension(geom) = 0 or st_dimension(geom) = 2 and st_area(geom) >= 4 * p * p)

-- Streets and waterways are joined by kind, without regard to names, bridges and tunnels; slip roads wait for zoom 12.
union all
select z, layer, rank, row_number() over (partition by z, layer order by rank, kind, st_xmin(geom), st_ymin(geom), st_xmax(geom), st_ymax(geom)),
  jsonb_strip_nulls(jsonb_build_object('kind', kind, 'rail', rail)), st_simplify(geom, p / 2, true)
from (
  select layer, min(rank) as rank, max(minzoom) as minzoom, kind, rail, (st_dump(st_linemerge(st_collect(geom)))).geom
  from (
    select *, props->>'kind' as kind, props->'rail' as rail from stage
    where layer in ({streets}, {water_lines}) and minzoom < 12 and not coalesce((props->>'link')::boolean, false)
  ) s
  group by layer, kind, rail, minzoom
) m, zoom
where z >= minzoom and st_length(geom) >= p

-- Borders, ferries and other lines are few.
union all
select z, layer, rank, id, props, st_simplify(geom, p / 2, true)
from stage, zoom
where z >= minzoom and st_dimension(geom) = 1 and layer not in ({streets}, {water_lines}) and st_length(geom) >= p

-- The sea, cut so that a tile reads only what is near.
union all
select z, {ocean}, 0, row_number() over (), null, geom
from (select z, st_subdivide(st_makevalid(st_simplifypreservetopology(geom, p / 2)), 128) as geom from ocean, zoom) o
where st_dimension(geom) = 2
union all
select 12, {ocean}, 0, row_number() over (), null, geom
from (select st_subdivide(st_makevalid(geom), 128) as geom from ocean) o
where st_dimension(geom) = 2
)
insert into osm.basemap_next
select band, layer, rank, id,
  case when st_dimension(geom) = 0 then case when layer in ({pois}, {addresses}) then 0 else 1e9 end
    else greatest(st_xmax(geom) - st_xmin(geom), st_ymax(geom) - st_ymin(geom)) end,
  props, geom
from drawn
where geom is not null and not st_isempty(geom);

create index on osm.basemap_next using gist (band, geom);

analyze osm.basemap_next;

drop table osm.basemap;

alter table osm.basemap_next rename to basemap;

insert into osm.basemap_state (id, rules, imported_at, box, n_rows)
select 1, {rules}, s.imported_at, box2d(st_transform(p.wide, 4326)), (select count(*) from osm.basemap)
from osm.state s, plane p
on conflict (one) do update set
  id = basemap_state.id + 1, rules = excluded.rules, imported_at = excluded.imported_at, box = excluded.box, n_rows = excluded.n_rows, made_at = now()
