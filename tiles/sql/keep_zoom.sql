-- keep_zoom: the zoom just thinned becomes part of the overview, in the order of place, and the source of the next.
insert into {overview}
select * from tile_next order by __geom;

drop table tile_step;

alter table tile_next rename to tile_step
