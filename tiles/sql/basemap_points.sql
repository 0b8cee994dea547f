-- basemap_points: places, points of interest, stops, addresses. An area stands as a point on its surface.
create temp table spot on commit drop as
select osm_id, name, tags, geom from osm.point
union all
select osm_id, name, tags, st_pointonsurface(geom) from osm.area
where tags ?| array['amenity', 'leisure', 'tourism', 'shop', 'man_made', 'historic', 'emergency', 'office', 'aeroway', 'railway', 'aerialway', 'addr:housenumber', 'place'];

analyze spot;

insert into stage
select {place_labels}, case when kind in ('capital', 'state_capital') then 4 else minzoom end, -population, osm_id,
  jsonb_build_object('kind', kind, 'population', population) || {names:p}, geom
from (
  select s.*, c.minzoom,
    case when s.tags->>'capital' in ('yes', '2') then 'capital' when s.tags->>'capital' = '4' then 'state_capital' else c.place end as kind,
    case when s.tags->>'population' ~ '^\d{1,9}$' then (s.tags->>'population')::int else c.population end as population
  from spot s
  join (values
    ('city', 6, 100000), ('town', 7, 5000), ('village', 10, 100), ('hamlet', 10, 50), ('suburb', 10, 1000), ('quarter', 10, 500),
    ('neighbourhood', 10, 100), ('isolated_dwelling', 10, 5), ('farm', 10, 5), ('island', 10, 0), ('locality', 10, 0)
  ) c (place, minzoom, population) on c.place = s.tags->>'place'
  where s.name is not null
) p;

insert into stage
select {public_transport}, minzoom, 0, osm_id, jsonb_strip_nulls(jsonb_build_object('kind', kind, 'iata', tags->>'iata') || {names:s}), geom
from (
  select s.*, c.kind, c.minzoom
  from spot s
  join (values
    ('aeroway', 'aerodrome', 11, 'aerodrome'), ('aeroway', 'helipad', 13, 'helipad'), ('railway', 'station', 13, 'station'), ('railway', 'halt', 13, 'halt'),
    ('railway', 'tram_stop', 14, 'tram_stop'), ('amenity', 'bus_station', 13, 'bus_station'), ('highway', 'bus_stop', 14, 'bus_stop'),
    ('amenity', 'ferry_terminal', 12, 'ferry_terminal'), ('aerialway', 'station', 13, 'aerialway_station')
  ) c (key, value, minzoom, kind) on s.tags->>c.key = c.value
) s;

insert into stage
select {street_labels_points}, 12, 0, osm_id, jsonb_strip_nulls(jsonb_build_object('kind', 'motorway_junction', 'ref', tags->>'ref') || {names:p}), geom
from osm.point p
where tags->>'highway' = 'motorway_junction';

insert into stage
select {pois}, 14, case when name is null then 1 else 0 end, osm_id,
  jsonb_strip_nulls(jsonb_build_object(
    'amenity', amenity, 'leisure', leisure, 'tourism', tourism, 'shop', shop, 'man_made', man_made, 'historic', historic,
    'emergency', emergency, 'highway', highway, 'office', office,
    'housename', tags->>'addr:housename', 'housenumber', tags->>'addr:housenumber',
    'cuisine', case when amenity in ('restaurant', 'fast_food', 'pub', 'bar', 'cafe') then tags->>'cuisine' end,
    'sport', case when leisure in ('pitch', 'sports_centre') then tags->>'sport' end,
    'vending', case when amenity = 'vending_machine' then tags->>'vending' end,
    'information', case when tourism = 'information' then tags->>'information' end,
    'tower:type', case when man_made = 'tower' then tags->>'tower:type' end,
    'religion', case when amenity = 'place_of_worship' then tags->>'religion' end,
    'denomination', case when amenity = 'place_of_worship' then tags->>'denomination' end,
    'recycling:glass_bottles', case when amenity = 'recycling' and tags->>'recycling:glass_bottles' = 'yes' then true end,
    'recycling:paper', case when amenity = 'recycling' and tags->>'recycling:paper' = 'yes' then true end,
    'recycling:clothes', case when amenity = 'recycling' and tags->>'recycling:clothes' = 'yes' then true end,
    'recycling:scrap_metal', case when amenity = 'recycling' and tags->>'recycling:scrap_metal' = 'yes' then true end,
    'atm', case when amenity = 'bank' and tags->>'atm' = 'yes' then true end
  ) || {names:s}), geom
from (
  select s.*,
    case when tags->>'amenity' = any ('{arts_centre,atm,bank,bar,bench,bicycle_rental,biergarten,cafe,car_rental,car_sharing,car_wash,cinema,clinic,college,community_centre,courthouse,dentist,doctors,dog_park,drinking_water,embassy,fast_food,fire_station,food_court,fountain,grave_yard,hospital,hunting_stand,library,marketplace,nightclub,nursing_home,pharmacy,place_of_worship,playground,police,post_box,post_office,prison,pub,public_building,recycling,restaurant,school,shelter,telephone,theatre,toilets,townhall,university,vending_machine,veterinary,waste_basket}') then tags->>'amenity' end as amenity,
    case when tags->>'leisure' = any ('{golf_course,ice_rink,pitch,sports_centre,stadium,swimming_pool,water_park}') then tags->>'leisure' end as leisure,
    case when tags->>'tourism' = any ('{artwork,alpine_hut,bed_and_breakfast,camp_site,caravan_site,chalet,guest_house,hostel,hotel,information,motel,picnic_site,theme_park,viewpoint,zoo}') then tags->>'tourism' end as tourism,
    case when tags->>'shop' = any ('{alcohol,bakery,beauty,beverages,bicycle,books,butcher,car,chemist,clothes,computer,convenience,department_store,doityourself,dry_cleaning,florist,furniture,garden_centre,general,gift,greengrocer,hairdresser,hardware,jewelry,kiosk,laundry,mall,mobile_phone,newsagent,optician,outdoor,shoes,sports,stationery,supermarket,toys,travel_agency,video}') then tags->>'shop' end as shop,
    case when tags->>'man_made' = any ('{lighthouse,surveillance,tower,wastewater_plant,water_well,water_works,watermill,windmill}') then tags->>'man_made' end as man_made,
    case when tags->>'historic' = any ('{archaeological_site,battlefield,castle,fort,memorial,monument,ruins,wayside_cross,wayside_shrine}') then tags->>'historic' end as historic,
    case when tags->>'emergency' = any ('{defibrillator,fire_hydrant,phone}') then tags->>'emergency' end as emergency,
    case when tags->>'highway' = 'emergency_access_point' then tags->>'highway' end as highway,
    case when tags->>'office' = 'diplomatic' then tags->>'office' end as office
  from spot s
  where tags ?| array['amenity', 'leisure', 'tourism', 'shop', 'man_made', 'historic', 'emergency', 'office'] or tags->>'highway' = 'emergency_access_point'
  offset 0 -- so that each key is looked at once
) s
where coalesce(amenity, leisure, tourism, shop, man_made, historic, emergency, highway, office) is not null;

analyze stage; -- planned without it, the next statement compares everything with everything

-- What is a point of interest has its number there.
insert into stage
select {addresses}, 14, 0, osm_id, jsonb_strip_nulls(jsonb_build_object('housenumber', tags->>'addr:housenumber', 'housename', tags->>'addr:housename')), geom
from spot s
where tags ? 'addr:housenumber' and not exists (select from stage p where p.layer = {pois} and p.id = s.osm_id and p.geom = s.geom)
