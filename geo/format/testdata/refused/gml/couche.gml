<?xml version="1.0"?>
<!-- export -->
<gml:FeatureCollection xmlns:gml="x"/>