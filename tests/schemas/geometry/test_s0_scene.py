"""The canonical scene is what its specification says, and its other tellings are the same scene."""

import numpy as np
from chronotope.schemas.geometry.camera import camera_of
from chronotope.schemas.masks import decode_mask
from s0 import moved, poses_as, renamed, s0, s0_rows, space_from, up_to_scale


def test_who_is_seen_from_the_first_camera() -> None:
    seen = {s.object_id: s for s in s0().seen_at(0.0)}
    assert {name for name, s in seen.items() if s.area >= 0.01} == {"table", "sofa", "lamp", "tv"}
    assert set(seen) - {"table", "sofa", "lamp", "tv"} == {"clock"} and not seen["clock"].clear()
    assert {name for name, s in seen.items() if s.clear()} == {"table", "sofa", "lamp", "tv"}


def test_masks_and_boxes_of_sightings_agree() -> None:
    for sighting in s0().sightings:
        mask = decode_mask(sighting.row["mask"])
        assert mask.shape == (480, 640) and abs(mask.mean() - sighting.area) < 1e-12
        columns = np.flatnonzero(mask.any(axis=0))
        assert (sighting.box.x1, sighting.box.x2) == (columns[0] / 640, (columns[-1] + 1) / 640)


def test_another_world_frame_leaves_pictures_and_sizes_alone() -> None:
    space = space_from(moved(s0_rows(), yaw_deg=35, shift=(3, -2, 1)))
    for old, new in zip(s0().objects, space.objects, strict=True):
        for a, b in zip(s0().cameras, space.cameras, strict=True):
            np.testing.assert_allclose(a.to_camera(old.box.corners), b.to_camera(new.box.corners), atol=1e-9)
    half = space_from(up_to_scale(s0_rows()))
    assert half.scale_status == "unit" and half.by_id["table"].box.size == (0.6, 0.4, 0.4)


def test_other_names_are_the_same_objects() -> None:
    rows, new = renamed(s0_rows(), seed=3)
    space = space_from(rows)
    assert list(new) != sorted(new, key=new.__getitem__)
    for old in s0().objects:
        assert space.by_id[new[old.object_id]].box == old.box
        assert len(space.seen.get(new[old.object_id], ())) == len(s0().seen.get(old.object_id, ()))


def test_pose_tellings_differ_and_come_back() -> None:
    rows = s0_rows()
    flip = np.diag([1.0, -1.0, -1.0, 1.0])
    for row, told in zip(rows["cameras"], poses_as(rows, kind="w2c", axes="opengl"), strict=True):
        camera = camera_of(row)
        assert camera is not None and not np.allclose(told, camera.matrix)
        np.testing.assert_allclose(np.linalg.inv(told) @ flip, camera.matrix, atol=1e-12)
