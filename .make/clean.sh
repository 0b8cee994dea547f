#!/bin/bash
# Removes what was built.
. "$(dirname "$0")/lib.sh"
rm -rf bin "$tools/calanque" "$tools"/*.stamp "$tools"/*.log
[ ! -d viewer/dist ] || find viewer/dist -mindepth 1 ! -name .gitkeep -delete
