package main

import _ "embed"

// demoCatalogue describes the sample's partners: its sources are relative to
// the folder that the sample was drawn into.
//
//go:embed demo/catalogue.yaml
var demoCatalogue []byte
