"""Structure from motion by COLMAP: pictures in, cameras and a sparse cloud out, with what the quality of both rests on.

SIFT features, pairs of near pictures, of power-of-two distances and among every few pictures (loops need no vocabulary file),
then COLMAP's global or incremental mapper (J. Schonberger and J.-M. Frahm, CVPR 2016; L. Pan et al., ECCV 2024). With one thread
and a seed the same pictures give the same numbers bit for bit; with more threads they differ by about 1e-9.
"""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

Floats = NDArray[np.float64]
CameraModel = Literal["SIMPLE_PINHOLE", "PINHOLE", "SIMPLE_RADIAL", "RADIAL", "OPENCV"]
_DISTORTION = {"SIMPLE_RADIAL": ("k",), "RADIAL": ("k1", "k2"), "OPENCV": ("k1", "k2", "p1", "p2")}


class ColmapSettings(BaseModel):
    """Parameters of the reconstruction."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    mapper: Literal["global", "incremental"] = Field(
        "incremental",
        description="incremental leaves out what does not fit; global is quicker on long paths and joins everything, "
        "wrongly where walls look alike",
    )
    camera_model: CameraModel = Field("SIMPLE_RADIAL", description="COLMAP's model of the lens, one per medium")
    focal_px: float | None = Field(None, gt=0, description="focal length where known, px of the medium; null: found")
    features: int = Field(4096, ge=200, description="SIFT features per picture at most")
    peak_threshold: float = Field(
        0.002, gt=0, description="contrast of a SIFT feature at least; COLMAP's own 0.0067 finds too few on plain walls"
    )
    neighbours: int = Field(6, ge=1, description="each picture is compared with this many that follow")
    loop_every: int = Field(5, ge=1, description="every so many pictures are compared with each other, to close loops")
    threads: int = Field(1, ge=1, description="1 is reproducible bit for bit")


@dataclass(frozen=True)
class Sparse:
    """A reconstruction in COLMAP's own frame and scale. Frames are those of the pictures that were given, in order."""

    poses: tuple[Floats | None, ...]
    """Camera to world [4, 4] per picture; None: not registered."""
    size: tuple[int, int]
    """Width and height of the pictures."""
    intrinsics: tuple[float, float, float, float]
    """fx, fy, cx, cy in pixels of those pictures."""
    distortion: tuple[float, ...]
    """OpenCV's k1 k2 p1 p2, empty for none."""
    points: Floats
    """[n, 3]."""
    colours: NDArray[np.uint8]
    """[n, 3] RGB."""
    seen: tuple[tuple[NDArray[np.int64], Floats], ...]
    """Per picture: which points it measured, and at which pixels [m, 2]."""
    reprojection_px: float
    angle_deg: float
    """Median over points of the widest angle between two rays that see it."""
    track_length: float
    explained: float
    """Median over registered pictures of the share of features that became points: low where things move."""
    others: tuple[int, ...]
    """Registered pictures of further reconstructions that did not join this one."""

    @property
    def registered(self) -> int:
        """Pictures with a pose."""
        return sum(p is not None for p in self.poses)


def pairs_of(count: int, neighbours: int, loop_every: int) -> list[tuple[int, int]]:
    """Pairs i < j that are compared: near ones, those 2, 4, 8 ... apart, and all among every `loop_every`-th picture."""
    found = {(i, j) for i in range(count) for j in range(i + 1, min(count, i + neighbours + 1))}
    step = 1
    while step < count:
        found |= {(i, i + step) for i in range(count - step)}
        step *= 2
    knots = range(0, count, loop_every)
    return sorted(found | {(i, j) for i in knots for j in knots if i < j})


def reconstruct(
    pictures: Sequence[NDArray[np.uint8]], settings: ColmapSettings, seed: int, scale: float
) -> Sparse | None:
    """The largest reconstruction of pictures uint8 [h, w, 3] BGR of one size; None where none was found.

    `scale` is pictures' pixels per pixel of the medium, for `focal_px`.
    """
    import cv2
    import pycolmap

    pycolmap.logging.minloglevel = 3
    with tempfile.TemporaryDirectory(prefix="chronotope-sfm-") as name:
        folder = Path(name)
        images, database = folder / "images", folder / "database.db"
        images.mkdir()
        (folder / "sparse").mkdir()
        names = [f"{k:05d}.png" for k in range(len(pictures))]
        for file, picture in zip(names, pictures, strict=True):
            if not cv2.imwrite(str(images / file), picture):
                raise RuntimeError(f"{images / file} cannot be written; is there room on the disk for temporary files?")
        pycolmap.set_random_seed(seed % 2**31)
        _features(pycolmap, database, images, names, settings, pictures[0].shape, scale)
        _matches(pycolmap, database, folder / "pairs.txt", names, settings, seed)
        run = pycolmap.global_mapping if settings.mapper == "global" else pycolmap.incremental_mapping
        models = run(database, images, folder / "sparse", _mapping(pycolmap, settings, seed))
        ranked = sorted(models.items(), key=lambda item: (-item[1].num_reg_images(), item[0]))
        if not ranked:
            return None
        others = tuple(model.num_reg_images() for _, model in ranked[1:])
        return _read(ranked[0][1], names, others, (pictures[0].shape[1], pictures[0].shape[0]))


def _features(
    colmap: Any, database: Path, images: Path, names: list[str], settings: ColmapSettings, shape: Any, scale: float
) -> None:
    reader, options = colmap.ImageReaderOptions(), colmap.FeatureExtractionOptions()
    reader.camera_model = settings.camera_model
    if settings.focal_px is not None:
        f, cx, cy = settings.focal_px * scale, shape[1] / 2, shape[0] / 2
        lens = [0.0] * len(_DISTORTION.get(settings.camera_model, ()))
        values = [f, cx, cy, *lens] if settings.camera_model not in ("PINHOLE", "OPENCV") else [f, f, cx, cy, *lens]
        reader.camera_params = ",".join(f"{v:.9g}" for v in values)
    options.num_threads, options.use_gpu = settings.threads, False
    options.sift.max_num_features = settings.features
    options.sift.peak_threshold = settings.peak_threshold
    colmap.extract_features(
        database, images, names, camera_mode=colmap.CameraMode.SINGLE, reader_options=reader,
        extraction_options=options, device=colmap.Device.cpu,
    )  # fmt: skip


def _matches(colmap: Any, database: Path, file: Path, names: list[str], settings: ColmapSettings, seed: int) -> None:
    pairs = pairs_of(len(names), settings.neighbours, settings.loop_every)
    file.write_text("".join(f"{names[i]} {names[j]}\n" for i, j in pairs))
    matching, pairing, verifying = (
        colmap.FeatureMatchingOptions(), colmap.ImportedPairingOptions(), colmap.TwoViewGeometryOptions(),
    )  # fmt: skip
    matching.num_threads, matching.use_gpu = settings.threads, False
    pairing.match_list_path = file
    verifying.ransac.random_seed = seed % 2**31
    colmap.match_image_pairs(database, matching, pairing, verifying, device=colmap.Device.cpu)


def _mapping(colmap: Any, settings: ColmapSettings, seed: int) -> Any:
    options = colmap.GlobalPipelineOptions() if settings.mapper == "global" else colmap.IncrementalPipelineOptions()
    options.num_threads = settings.threads
    options.random_seed = seed % 2**31
    options.mapper.num_threads = settings.threads
    options.mapper.random_seed = seed % 2**31
    if settings.mapper == "incremental":
        options.min_model_size = 3
        options.ba_refine_focal_length = settings.focal_px is None
    else:
        options.mapper.bundle_adjustment.refine_focal_length = settings.focal_px is None
    return options


def _read(model: Any, names: list[str], others: tuple[int, ...], size: tuple[int, int]) -> Sparse:
    ids = sorted(model.points3D)
    place = {k: i for i, k in enumerate(ids)}
    points = np.array([model.points3D[k].xyz for k in ids], np.float64).reshape(-1, 3)
    colours = np.array([model.points3D[k].color for k in ids], np.uint8).reshape(-1, 3)
    images = {image.name: image for image in model.images.values() if image.has_pose}
    poses: list[Floats | None] = []
    seen: list[tuple[NDArray[np.int64], Floats]] = []
    explained = []
    for name in names:
        image = images.get(name)
        if image is None:
            poses.append(None)
            seen.append((np.zeros(0, np.int64), np.zeros((0, 2))))
            continue
        pose = np.eye(4)
        pose[:3] = np.asarray(image.cam_from_world().inverse().matrix(), np.float64)
        poses.append(pose)
        measured = [p for p in image.points2D if p.has_point3D() and p.point3D_id in place]
        at = np.array([p.xy for p in measured], np.float64).reshape(-1, 2)
        seen.append((np.array([place[p.point3D_id] for p in measured], np.int64), at))
        explained.append(len(measured) / max(1, image.num_points2D()))
    camera = model.cameras[min(model.cameras)]
    k = np.asarray(camera.calibration_matrix(), np.float64)
    params = dict(zip([n.strip() for n in camera.params_info.split(",")], camera.params.tolist(), strict=True))
    lens = [params[n] for n in _DISTORTION.get(camera.model_name, ())]
    return Sparse(
        tuple(poses), size, (float(k[0, 0]), float(k[1, 1]), float(k[0, 2]), float(k[1, 2])),
        tuple([*lens, 0.0, 0.0, 0.0][:4]) if lens else (), points, colours, tuple(seen),
        float(model.compute_mean_reprojection_error()), _median_angle(points, poses, seen),
        float(model.compute_mean_track_length()), float(np.median(explained)) if explained else 0.0, others,
    )  # fmt: skip


def _median_angle(points: Floats, poses: Sequence[Floats | None], seen: Sequence[Any]) -> float:
    """Median over points of the angle between the first and the farthest ray that see it, degrees."""
    first = np.full((len(points), 3), np.nan)
    widest = np.zeros(len(points))
    for pose, (which, _) in zip(poses, seen, strict=True):
        if pose is None or not len(which):
            continue
        rays = points[which] - pose[:3, 3]
        rays /= np.maximum(np.linalg.norm(rays, axis=1, keepdims=True), 1e-12)
        new = np.isnan(first[which, 0])
        first[which[new]] = rays[new]
        cosine = np.clip(np.einsum("nd,nd->n", first[which], rays), -1, 1)
        widest[which] = np.maximum(widest[which], np.degrees(np.arccos(cosine)))
    return float(np.median(widest)) if len(points) else 0.0
