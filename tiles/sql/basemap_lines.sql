-- basemap_lines: streets, rails, waterways, and the labels along them.
with way as materialized (
  select osm_id, tags, geom, tags->>'highway' like '%\_link' as link, not tags ? 'highway' and tags ? 'railway' as rail,
    coalesce(regexp_replace(tags->>'highway', '_link$', ''), tags->>'railway', tags->>'aeroway') as kind
  from osm.line
  where tags ?| array['highway', 'railway', 'aeroway']
)
insert into stage
select {streets}, minzoom, rank, osm_id,
  jsonb_strip_nulls(jsonb_build_object(
    'kind', kind, 'link', case when link then true end, 'rail', case when rail then true end,
    'oneway', case when not rail and tags->>'oneway' in ('yes', 'true', '1') then true end,
    'oneway_reverse', case when not rail and tags->>'oneway' = '-1' then true end,
    'tracktype', tags->>'tracktype', 'surface', tags->>'surface', 'service', tags->>'service', 'bicycle', tags->>'bicycle', 'horse', tags->>'horse'
  ) || {passage}), geom
from (
  select w.*, c.rank, case when w.rail and w.tags ? 'service' then greatest(c.minzoom, 10) else c.minzoom end as minzoom
  from way w
  join (values
    ('motorway', 5, 0), ('trunk', 6, 1), ('primary', 8, 2), ('secondary', 9, 3), ('tertiary', 10, 4),
    ('unclassified', 12, 5), ('residential', 12, 6), ('busway', 12, 7), ('bus_guideway', 12, 7), ('living_street', 13, 8),
    ('service', 13, 10), ('pedestrian', 13, 9), ('track', 13, 12), ('footway', 13, 14), ('steps', 13, 15), ('path', 13, 16), ('cycleway', 13, 13),
    ('runway', 11, 17), ('taxiway', 13, 18), ('rail', 8, 19), ('narrow_gauge', 8, 20), ('tram', 10, 22), ('light_rail', 10, 21),
    ('funicular', 10, 23), ('subway', 10, 24), ('monorail', 10, 25)
  ) c (kind, minzoom, rank) using (kind)
) s;

analyze stage;

-- One label along a street of one name, however many ways it is mapped as.
insert into stage
select {street_labels}, minzoom, rank, row_number() over (order by kind, name, ref, st_xmin(geom), st_ymin(geom)),
  jsonb_strip_nulls(jsonb_build_object('kind', kind, 'ref', ref, 'ref_rows', cardinality(string_to_array(ref, E'\n')),
    'ref_cols', (select max(length(line)) from unnest(string_to_array(ref, E'\n')) line)) || names), geom
from (
  select kind, names->>'name' as name, ref, names, min(minzoom) as minzoom, min(rank) as rank, (st_dump(st_linemerge(st_collect(geom)))).geom
  from (
    select s.rank, l.geom, {names:l} as names, replace(nullif(l.tags->>'ref', ''), ';', E'\n') as ref,
      s.props->>'kind' || case when s.props ? 'link' then '_link' else '' end as kind,
      case
        when s.props->>'kind' in ('motorway', 'trunk', 'primary') then case when s.props ? 'link' then 13 else 12 end
        when s.props->>'kind' in ('secondary', 'tertiary', 'taxiway') then 13
        when s.props ? 'rail' or s.props->>'kind' = 'runway' then 12
        else 14 end as minzoom
    from stage s
    join osm.line l on l.osm_id = s.id and l.type = 'w'
    where s.layer = {streets} and (l.name is not null or l.tags ? 'ref')
  ) w
  group by kind, names, ref
) w
order by geom;

insert into stage
select {water_lines}, case when kind in ('river', 'canal') then 9 else 14 end,
  case when tags->>'layer' ~ '^-?\d$' then (tags->>'layer')::int else 0 end, osm_id,
  jsonb_strip_nulls(jsonb_build_object('kind', kind) || {passage}), geom
from (select *, tags->>'waterway' as kind from osm.line where tags ? 'waterway') l
where kind in ('river', 'canal', 'stream', 'ditch');

analyze stage;

insert into stage
select {water_lines_labels}, case when kind in ('river', 'canal') then 12 else 14 end, 0,
  row_number() over (order by kind, names->>'name', st_xmin(geom), st_ymin(geom)), jsonb_build_object('kind', kind) || names, geom
from (
  select s.props->>'kind' as kind, {names:l} as names, (st_dump(st_linemerge(st_collect(l.geom)))).geom
  from stage s
  join osm.line l on l.osm_id = s.id and l.type = 'w'
  where s.layer = {water_lines} and l.name is not null
  group by 1, 2
) w
order by geom;

insert into stage
select case when tags->>'waterway' = 'dam' then {dam_lines} else {pier_lines} end, 12, 0, osm_id,
  jsonb_build_object('kind', coalesce(tags->>'waterway', tags->>'man_made')), geom
from osm.line
where tags->>'waterway' = 'dam' or tags->>'man_made' in ('pier', 'breakwater', 'groyne');

insert into stage
select {aerialways}, 12, 0, osm_id, jsonb_build_object('kind', tags->>'aerialway'), geom
from osm.line
where tags->>'aerialway' in ('cable_car', 'gondola', 'goods', 'chair_lift', 'drag_lift', 't-bar', 'j-bar', 'platter', 'rope_tow');

insert into stage
select {ferries}, case when tags->>'motor_vehicle' = 'no' then 12 else 10 end, 0, osm_id, jsonb_build_object('kind', 'ferry') || {names:l}, geom
from osm.line l
where tags->>'route' = 'ferry'
