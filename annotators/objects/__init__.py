"""Finding things: detection, tracks, masks, crops and vectors of objects, and their boxes in 3D."""
