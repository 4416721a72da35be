"""Frames and points of a COLMAP model, binary or text, read by pycolmap: poses are world to camera, pixels count from 0.5."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import numpy as np

from ...engine.importing import ImportProblem
from .lens import lens_of
from .pictures import picture
from .scan import Frame, Mesh

FILES = ("cameras", "images", "points3D")


def model_in(folder: Path, said: str | None) -> Path:
    """The folder of a model below a scan: as it is said, else the usual places. Raises `ImportProblem`."""
    places = [said] if said else ["sparse/0", "sparse", "colmap/sparse/0", "colmap", "dslr/colmap", "."]
    for place in places:
        if any(all((folder / place / f"{name}{end}").is_file() for name in FILES[:2]) for end in (".bin", ".txt")):
            return folder / place
    raise ImportProblem(
        f"no COLMAP model (cameras, images as .bin or .txt) in {', '.join(places)}; name its folder with `model:`"
    )


def read_model(model: Path, images: Path, fps: float) -> tuple[tuple[Frame, ...], Mesh | None, int]:
    """(frames by name, points, how many pictures are undistorted); times are their order at `fps`. Raises `ImportProblem`."""
    try:
        import pycolmap
    except ImportError:
        raise ImportProblem("COLMAP models are read by pycolmap; pip install 'chronotope[sfm]'") from None
    try:
        found = pycolmap.Reconstruction(str(model))
    except (ValueError, RuntimeError, OSError) as error:
        raise ImportProblem(f"{model.name} is no COLMAP model: {str(error).splitlines()[0]}") from None
    lenses = {number: lens_of(camera.model_name, camera.params) for number, camera in found.cameras.items()}
    frames, bent = [], 0
    for place, image in enumerate(sorted(found.images.values(), key=lambda i: str(i.name))):
        camera, lens = found.cameras[image.camera_id], lenses[image.camera_id]
        path = images / image.name
        if not path.is_file():
            raise ImportProblem(
                f"{image.name} of the model is not in {images.name}; name the folder of its pictures with `images:`"
            )
        raw = None
        if image.has_pose:
            raw = np.eye(4)
            raw[:3] = image.cam_from_world().matrix()
        bent += not lens.straight
        seen = [(p.xy, found.points3D[p.point3D_id].xyz) for p in image.points2D if p.has_point3D()]
        observed = None
        if seen:
            bent_pixels = np.array([xy for xy, _ in seen], np.float64)
            fx, fy, cx, cy = lens.k
            straight = np.asarray(camera.cam_from_img(bent_pixels), np.float64)[:, :2] * [fx, fy] + [cx, cy]
            observed = straight, np.array([xyz for _, xyz in seen], np.float64)
        frames.append(
            Frame(
                str(image.name),
                place / fps,
                (camera.width, camera.height),
                lens.k,
                raw,
                lens.undistorted(partial(picture, path)),
                observed=observed,
            )
        )
    points = sorted(found.points3D.items())
    mesh = None
    if points:
        mesh = Mesh(
            np.array([p.xyz for _, p in points], np.float64),
            None,
            np.array([p.color for _, p in points], np.uint8).reshape(-1, 3),
        )
    return tuple(frames), mesh, bent
