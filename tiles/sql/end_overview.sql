-- end_overview: what the tile query needs, once the overview is full.
drop table tile_step;

create index on {overview} using gist (__z, __geom);

analyze {overview}
