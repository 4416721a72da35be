"""Where the camera stood and how far things are, from footage: structure from motion, learned geometry, scale, sightings."""
