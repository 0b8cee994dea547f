-- thin_zoom: the features of zoom {z} from those of the next deeper one.
-- {cell} is the edge of a cell and {pixel} of a pixel in metres of 3857. What is as long as a cell is drawn as itself,
-- simplified by half a pixel. Of the smaller ones each cell keeps the largest (of equals the one with the least hash:
-- no place is preferred), which counts the others and stands for them: as a point, as a line of its own direction, as a
-- square of their common area, never smaller than a pixel nor larger than the cell.
create temp table tile_next on commit drop as
with r as (
  select *, __dim > 0 and __size >= {cell} as __whole, floor(__cx / {cell}) as __gx, floor(__cy / {cell}) as __gy
  from tile_step
),
small as (
  select distinct on (__gx, __gy, __dim) *,
    sum(__count) over w as __counted,
    sum(__weight) over w as __common
  from r
  where not __whole
  window w as (partition by __gx, __gy, __dim)
  order by __gx, __gy, __dim, __size desc, md5(_key), _key
),
chosen as (
  select *, null::bigint as __counted, null::float8 as __common, null::float8 as __side from r where __whole
  union all
  select *, case __dim
    when 1 then least(greatest(__size, {pixel}), {cell})
    else least(greatest(sqrt(__common), {pixel}), {cell}) end
  from small
)
select {z} as __z, r._key, r.__dim, r.__size, coalesce(r.__common, r.__weight) as __weight, r.__angle,
  coalesce(r.__counted, r.__count)::bigint as __count, r.__cx, r.__cy,
  case
    when r.__whole then st_simplify(r.__geom, {pixel} / 2, true)
    when r.__dim = 0 then r.__geom
    when r.__dim = 1 then st_setsrid(st_makeline(
      st_makepoint(r.__cx - sin(r.__angle) * r.__side / 2, r.__cy - cos(r.__angle) * r.__side / 2),
      st_makepoint(r.__cx + sin(r.__angle) * r.__side / 2, r.__cy + cos(r.__angle) * r.__side / 2)), 3857)
    else st_makeenvelope(s.x - r.__side / 2, s.y - r.__side / 2, s.x + r.__side / 2, s.y + r.__side / 2, 3857)
  end as __geom{fields}
from chosen r,
  -- the square stays within its cell, so that a covered plane looks covered
  lateral (
    select least(greatest(r.__cx, r.__gx * {cell} + r.__side / 2), (r.__gx + 1) * {cell} - r.__side / 2) as x,
      least(greatest(r.__cy, r.__gy * {cell} + r.__side / 2), (r.__gy + 1) * {cell} - r.__side / 2) as y
  ) s
