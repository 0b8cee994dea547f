-- basemap_areas: polygons, and the labels of polygons.
insert into stage
select {water_polygons}, case when kind in ('dock', 'canal') then 10 else 4 end, 0, osm_id,
  jsonb_build_object('kind', kind, 'way_area', round(st_area(geom))), geom
from (
  select *, case
    when tags->>'natural' = 'glacier' then 'glacier'
    when tags->>'waterway' = 'riverbank' or tags->>'natural' = 'water' and tags->>'water' = 'river' then 'river'
    when tags->>'natural' = 'water' then 'water'
    when tags->>'landuse' = 'reservoir' then 'reservoir'
    when tags->>'landuse' = 'basin' then 'basin'
    when tags->>'waterway' in ('dock', 'canal') then tags->>'waterway'
  end as kind
  from osm.area
  where tags ?| array['natural', 'waterway', 'landuse']
) a
where kind is not null;

analyze stage;

-- Labels of water appear when the water is large enough to write on.
insert into stage
select {water_polygons_labels}, case when s.area > 1e9 then 4 when s.area > 1e7 then 8 when s.area > 1e5 then 11 else 14 end,
  -least(s.area, 2e9)::int, a.osm_id, jsonb_build_object('kind', s.props->'kind', 'way_area', s.props->'way_area') || {names:a}, st_pointonsurface(a.geom)
from (select *, (props->>'way_area')::float8 as area from stage where layer = {water_polygons}) s
join osm.area a on a.osm_id = s.id and a.geom = s.geom
where a.name is not null;

insert into stage
select {land}, case
    when kind = 'forest' then 7
    when kind in ('sand', 'beach', 'residential', 'industrial', 'commercial', 'garages', 'retail', 'railway', 'landfill', 'brownfield',
      'greenfield', 'farmyard', 'farmland') then 10
    when kind in ('cemetery', 'grave_yard') then 13
    else 11 end,
  -least(st_area(geom), 2e9)::int, osm_id, jsonb_build_object('kind', kind), geom
from (
  select *, case
    when tags->>'landuse' = 'forest' or tags->>'natural' = 'wood' then 'forest'
    when tags->>'landuse' in ('grass', 'meadow', 'orchard', 'vineyard', 'allotments', 'cemetery', 'village_green', 'recreation_ground',
      'greenhouse_horticulture', 'plant_nursery', 'residential', 'industrial', 'commercial', 'garages', 'retail', 'railway', 'landfill',
      'quarry', 'brownfield', 'greenfield', 'farmyard', 'farmland') then tags->>'landuse'
    when tags->>'natural' in ('sand', 'beach', 'heath', 'scrub', 'grassland', 'bare_rock', 'scree', 'shingle') then tags->>'natural'
    when tags->>'wetland' in ('swamp', 'bog', 'string_bog', 'wet_meadow', 'marsh') then tags->>'wetland'
    when tags->>'leisure' in ('golf_course', 'park', 'garden', 'playground', 'miniature_golf') then tags->>'leisure'
    when tags->>'amenity' = 'grave_yard' then 'grave_yard'
  end as kind
  from osm.area
  where tags ?| array['landuse', 'natural', 'wetland', 'leisure', 'amenity']
) a
where kind is not null;

insert into stage
select {sites}, 14, -least(st_area(geom), 2e9)::int, osm_id, jsonb_build_object('kind', kind), geom
from (
  select *, case
    when tags->>'military' = 'danger_area' then 'danger_area'
    when tags->>'leisure' = 'sports_centre' then 'sports_centre'
    when tags->>'amenity' in ('university', 'college', 'school', 'hospital', 'prison', 'parking', 'bicycle_parking') then tags->>'amenity'
    when tags->>'landuse' = 'construction' then 'construction'
  end as kind
  from osm.area
  where tags ?| array['military', 'leisure', 'amenity', 'landuse'] and not tags ? 'building'
) a
where kind is not null;

insert into stage
select {street_polygons}, case kind when 'runway' then 11 when 'taxiway' then 13 else 14 end, 0, osm_id,
  jsonb_strip_nulls(jsonb_build_object('kind', kind, 'service', tags->>'service', 'surface', tags->>'surface') || {passage}), geom
from (select *, coalesce(tags->>'highway', tags->>'aeroway') as kind from osm.area where tags ?| array['highway', 'aeroway']) a
where kind in ('pedestrian', 'service', 'runway', 'taxiway');

analyze stage;

insert into stage
select {streets_polygons_labels}, 14, 0, a.osm_id, jsonb_build_object('kind', s.props->'kind') || {names:a}, st_pointonsurface(a.geom)
from (select * from stage where layer = {street_polygons}) s
join osm.area a on a.osm_id = s.id and a.geom = s.geom
where a.name is not null;

insert into stage
select case when tags->>'man_made' = 'bridge' then {bridges} when tags->>'waterway' = 'dam' then {dam_polygons} else {pier_polygons} end, 12, 0, osm_id,
  jsonb_build_object('kind', coalesce(nullif(tags->>'waterway', ''), tags->>'man_made')), geom
from osm.area
where tags->>'waterway' = 'dam' or tags->>'man_made' in ('bridge', 'pier', 'breakwater', 'groyne')
