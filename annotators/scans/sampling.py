"""Points of a scan's surface and of one object, spread evenly and always the same."""

from __future__ import annotations

import numpy as np

from ...schemas.evenly import evenly
from ..rooms.caster import Triangles
from ..rooms.draw import Draw
from ..rooms.surface import points_on
from .conventions import Floats
from .scan import Ints, Item, Scan


def surface_points(vertices: Floats, faces: Ints | None, most: int) -> Floats:
    """About `most` points [n, 3] of a surface, spread by area; of points alone at most so many of them."""
    if faces is None or not len(faces):
        return vertices[evenly(range(len(vertices)), most)] if len(vertices) else vertices
    corners = vertices[faces]
    nothing = np.zeros(len(faces), np.int64)
    points, _ = points_on(Triangles(corners, nothing, nothing), most, Draw("surface", len(faces)))
    return points


def item_points(scan: Scan, item: Item, most: int) -> Floats:
    """About `most` points [n, 3] of an object's surface in our world; its vertices where the scan has no faces of it."""
    mesh = scan.mesh
    if mesh is None or item.vertices is None or not len(item.vertices):
        return np.zeros((0, 3))
    faces = mesh.faces
    if faces is not None:
        if item.faces is not None:
            faces = faces[item.faces]
        else:
            mine = np.zeros(len(mesh.vertices), bool)
            mine[item.vertices] = True
            faces = faces[mine[faces].all(axis=1)]
    if faces is None or not len(faces):
        return surface_points(scan.points(mesh.vertices[item.vertices]), None, most)
    used, renumbered = np.unique(faces, return_inverse=True)
    return surface_points(scan.points(mesh.vertices[used]), renumbered.reshape(faces.shape), most)
