-- Record and object pairs within reach, as zero-based indices, with the metres between them: 0 inside an area.
-- $1, $2 the records' x and y in 3857 (null without geometry), $3 metres
select r.i::int - 1, o.i - 1, least(st_distance(r.geom, o.geom), st_distance(r.geom, a.geom)) * r.scale
from (
  select i, st_setsrid(st_point(x, y), 3857) as geom, 1 / cosh(y / 6378137) as scale
  from unnest($1::float8[], $2::float8[]) with ordinality p (x, y, i)
  where x is not null
) r
join candidate_object o on st_dwithin(r.geom, o.geom, $3 / r.scale)
left join osm.area a on a._key = o.key and st_dwithin(r.geom, a.geom, $3 / r.scale)
