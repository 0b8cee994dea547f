-- basemap_ocean: the sea as polygons, from the coastline alone: land lies on its left, water on its right.
create temp table coast on commit drop as
select row_number() over (order by osm_id) as way, geom
from osm.line
where tags @> '{"natural": "coastline"}';

-- Where the coastline ends in the extract it goes straight on, away from its middle, until it has left the plane.
create temp table coast_end on commit drop as
select st_setsrid(st_makeline(p, st_translate(p, far * sin(away), far * cos(away))), 3857) as geom
from (
  select p, coalesce(st_azimuth(middle, p), 0) as away, st_perimeter(wide) as far
  from (
    select p
    from (select st_startpoint(geom) as p from coast union all select st_endpoint(geom) from coast) e
    group by p
    having count(*) % 2 = 1
  ) e, (select st_centroid(st_collect(geom)) as middle from coast) m, plane
) e;

create temp table face on commit drop as
select row_number() over () as face, (d).geom
from (
  select st_dump(st_polygonize(geom)) as d
  from (
    select st_union(geom) as geom
    from (
      select geom from coast
      union all select geom from coast_end
      union all select st_boundary(wide) from plane
    ) lines
    where exists (select from coast)
  ) noded
) f;

create index on face using gist (geom);

-- Up to nine pieces of each way say on which side of them the water is, half a metre off. Faces are judged by majority,
-- because a mapper's mistake on one way must not turn the sea into land.
create temp table ocean on commit drop as
with piece as (
  select a.way, st_x(p1) as x1, st_y(p1) as y1, st_x(p2) as x2, st_y(p2) as y2
  from (
    select c.way, st_pointn(c.geom, i) as p1, st_pointn(c.geom, i + 1) as p2
    from coast c, generate_series(1, st_npoints(c.geom) - 1, greatest(1, (st_npoints(c.geom) - 1) / 8)) i
  ) a
  where not st_equals(p1, p2)
),
side as (
  select v.vote, st_setsrid(st_makepoint(
      (x1 + x2) / 2 + v.vote * 0.5 * (y2 - y1) / len, (y1 + y2) / 2 - v.vote * 0.5 * (x2 - x1) / len), 3857) as p
  from (select *, sqrt((x2 - x1) ^ 2 + (y2 - y1) ^ 2) as len from piece) w, (values (1), (-1)) v (vote)
)
select st_union(f.geom) as geom
from face f
join (select f.face from face f join side s on st_contains(f.geom, s.p) group by f.face having sum(s.vote) > 0) water using (face)
