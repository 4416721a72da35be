"""Geometry as pure, vectorised functions: metres, right-handed, world z up; camera axes x right, y down, z forward."""
