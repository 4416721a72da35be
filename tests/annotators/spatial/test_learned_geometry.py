"""Learned geometry behind one convention: a backend that speaks VGGT's, Depth Anything's or MoGe's gives the same true rows."""

from __future__ import annotations

import base64
import io
import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import cv2
import numpy as np
import pytest
from chronotope.annotators.spatial.cameras_learned import CamerasLearned, CamerasLearnedParams
from chronotope.annotators.spatial.depth import Depth, DepthParams
from chronotope.annotators.spatial.fit_scale import FitScale, FitScaleParams
from chronotope.annotators.spatial.prediction import metres_of_da3, prediction_of
from chronotope.engine.annotator import Rows, SkipUnit
from chronotope.engine.depth_maps import depth_at, depth_of, depth_values, pixel_grid
from chronotope.engine.models import ModelNotFound
from chronotope.schemas.geometry.camera import camera_of
from chronotope.schemas.span import to_us
from chronotope.schemas.tables import TABLES
from textured_room import Walk

Tables = dict[str, list[dict[str, Any]]]
SIZE = (56, 42)
OWN = '''
import numpy as np

class Geometry:
    """Answers with what a file says of the times."""

    def __init__(self):
        with np.load(r"{arrays}") as file:
            self.told = {{k: file[k] for k in file.files}}

    def __call__(self, pictures, times_s):
        assert pictures[0].dtype == np.uint8 and pictures[0].shape[2] == 3
        at = [int(np.argmin(np.abs(self.told["times"] - t))) for t in times_s]
        return {{k: v[at] if v.ndim else v for k, v in self.told.items() if k != "times"}}
'''


def vggt_style(walk: Walk, unit_m: float = 1.0) -> dict[str, np.ndarray]:
    """What VGGT would say of each frame if it were perfect: the first camera's frame, world to camera, its own size and unit."""
    cameras = [c for _, c in sorted(walk.cameras().items())]
    maps = walk.depths()
    first = cameras[0].matrix
    w, h = SIZE
    told: dict[str, list[Any]] = {k: [] for k in ("times", "depth", "extrinsics", "intrinsics", "confidence")}
    for camera in cameras:
        grid = pixel_grid(np.zeros((h, w)), camera.width, camera.height)
        depth = depth_at(maps[to_us(camera.t_s)], grid, camera.width, camera.height)
        pose = np.linalg.inv(first) @ camera.matrix
        pose[:3, 3] /= unit_m
        k = np.array([[camera.fx * w / camera.width, 0, w / 2], [0, camera.fy * h / camera.height, h / 2], [0, 0, 1]])
        for name, value in zip(
            told, (camera.t_s, depth / unit_m, np.linalg.inv(pose)[:3], k, np.ones((h, w))), strict=True
        ):
            told[name].append(value)
    return {k: np.array(v) for k, v in told.items()}


def run(walk: Walk, annotator: Any, folder: Path, rows: Rows | None = None) -> Tables:
    annotator.folder = str(folder)
    made: Tables = {}
    for table, row in annotator.annotate(walk.unit, rows or Rows({})):
        TABLES[table].complete(row, "learned", "m", "m")
        made.setdefault(table, []).append({**row, "producer": "learned", "media_id": "m"})
    return made


def own(folder: Path, arrays: dict[str, Any], **params: Any) -> CamerasLearned:
    np.savez(folder / "told.npz", **arrays)
    (folder / "mine.py").write_text(OWN.format(arrays=folder / "told.npz"))
    settings = {"views": 6, "candidates_fps": 3, "points": 5000, "drop": 0.0, **params}
    return CamerasLearned(CamerasLearnedParams(backend="mine.py:Geometry", **settings))


def errors(walk: Walk, made: Tables) -> tuple[float, float, float]:
    """Largest error of distances between cameras (share), of their relative turns (degrees), and of the world's up (degrees)."""
    found = [c for c in map(camera_of, made["cameras"]) if c is not None]
    true = [walk.cameras()[to_us(c.t_s)] for c in found]
    ways = [np.linalg.norm(a.centre - found[0].centre) for a in found[1:]]
    truth = [np.linalg.norm(a.centre - true[0].centre) for a in true[1:]]
    factor = float(np.median(np.array(truth) / ways))
    turns = [
        np.degrees(
            np.arccos(
                np.clip(
                    (np.trace((found[0].rotation.T @ f.rotation).T @ (true[0].rotation.T @ t.rotation)) - 1) / 2, -1, 1
                )
            )
        )
        for f, t in zip(found, true, strict=True)
    ]
    up = [
        float(np.degrees(np.arccos(np.clip(f.rotation[2] @ t.rotation[2], -1, 1))))
        for f, t in zip(found, true, strict=True)
    ]
    return float(np.abs(np.array(truth) / ways / factor - 1).max()), float(max(turns)), max(up)


@pytest.mark.parametrize("style", ["as VGGT", "the other way"])
def test_every_convention_gives_the_same_true_cameras(walk: Walk, tmp_path: Path, style: str) -> None:
    told = vggt_style(walk, unit_m=2.7)
    if style == "the other way":
        square = np.tile(np.eye(4), (len(told["extrinsics"]), 1, 1))
        square[:, :3] = told["extrinsics"]
        shares = told["intrinsics"] / np.array([SIZE[0], SIZE[1], 1])[:, None]
        told |= {"extrinsics": np.linalg.inv(square), "camera_to_world": np.array(True)}
        told |= {"intrinsics": shares, "normalised_intrinsics": np.array(True)}
    made = run(walk, own(tmp_path, told), tmp_path)
    (scene,) = made["scenes"]
    shares, degrees, up = errors(walk, made)
    assert shares < 1e-6 and degrees < 1e-4
    assert scene["world_up"] == "z" and up < 3, "gravity is found from what the model saw"
    assert scene["scale_status"] == "unit", "one model's unit is no scale"
    camera, true = camera_of(made["cameras"][0]), walk.cameras()[to_us(made["cameras"][0]["t_s"])]
    assert camera is not None and camera.width == 256
    assert [camera.fx, camera.fy, camera.cx] == pytest.approx([true.fx, true.fy, 128.0])


def test_a_wrong_convention_is_refused_not_stored(walk: Walk, tmp_path: Path) -> None:
    told = vggt_style(walk)
    with pytest.raises(SkipUnit, match="neighbouring pictures differs"):
        run(walk, own(tmp_path, {**told, "camera_to_world": np.array(True)}), tmp_path)
    n = len(told["depth"])
    for raw, said in (
        ({"depth": told["depth"], "intrinsics": told["intrinsics"] / SIZE[0]}, "normalised_intrinsics"),
        ({"depth": told["depth"], "extrinsics": told["extrinsics"] * 2}, "no rotations"),
        ({"depth": told["depth"][:-1]}, rf"depth must be \[{n}, h, w\]"),
        ({"depth": told["depth"], "confidence": told["depth"][:, :-1]}, "as depth is"),
        ({"depth": told["depth"], "poses": told["extrinsics"]}, "unknown poses"),
        ({"extrinsics": told["extrinsics"]}, "no depth"),
    ):
        with pytest.raises(ValueError, match=said):
            prediction_of(raw, n, "mine")
    batched = prediction_of(
        {"depth": told["depth"][None, ..., None], "extrinsics": told["extrinsics"][None]}, n, "mine"
    )
    assert batched.depth.shape == told["depth"].shape and batched.poses is not None
    assert metres_of_da3(np.ones((1, 2, 2)), np.array([600.0])).max() == 2.0, "focal length in px times output over 300"


def test_claimed_metres_are_confirmed_by_a_second_model_or_stay_unit(walk: Walk, tmp_path: Path) -> None:
    made = run(walk, own(tmp_path, {**vggt_style(walk), "metric": np.array(True)}), tmp_path)
    assert made["scenes"][0]["scale_status"] == "unit" and all(d["metric"] for d in made["depths"])
    for factor, status in ((1.05, "predicted"), (1.4, "unit")):
        other = [
            {"t_s": r["t_s"], **depth_values(depth_of(r) * factor), "origin": "predicted", "model": "o", "metric": True,
             "producer": "other", "media_id": "m"}
            for r in walk.truth["depths"]
        ]  # fmt: skip
        rows = Rows({**made, "depths": [*made["depths"], *other]})
        (scene,) = [r for t, r in FitScale(FitScaleParams()).annotate(walk.unit, rows) if t == "scenes"]
        assert scene["scale_status"] == status, factor
        assert scene["scale_sigma"] is None or scene["scale_sigma"] == pytest.approx(np.log(1.05) / 2, rel=0.2)


class Service:
    """A geometry service: it decodes the pictures that it is sent and answers with arrays."""

    def __init__(self, answer: dict[str, np.ndarray]) -> None:
        self.sent: list[Any] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                pictures = [
                    cv2.imdecode(np.frombuffer(base64.b64decode(p["png_base64"]), np.uint8), 1)
                    for p in body["pictures"]
                ]
                outer.sent.append([(p["t_s"], picture) for p, picture in zip(body["pictures"], pictures, strict=True)])
                at = [int(np.argmin(np.abs(answer["times"] - p["t_s"]))) for p in body["pictures"]]
                data = io.BytesIO()
                np.savez(data, **{k: v[at] if v.ndim else v for k, v in answer.items() if k != "times"})
                self.send_response(200)
                self.send_header("Content-Length", str(len(data.getvalue())))
                self.end_headers()
                self.wfile.write(data.getvalue())

            def log_message(self, *args: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        Thread(target=self.server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server.server_port}/geometry"


@pytest.fixture
def service(walk: Walk) -> Iterator[Service]:
    served = Service({**vggt_style(walk), "metric": np.array(True)})
    yield served
    served.server.shutdown()
    served.server.server_close()


def test_a_service_serves_cameras_and_depth_at_their_times(walk: Walk, tmp_path: Path, service: Service) -> None:
    asked = CamerasLearnedParams(backend="http", url=service.url, views=4, candidates_fps=3, drop=0.0, points=5000)
    made = run(walk, CamerasLearned(asked), tmp_path)
    assert errors(walk, made)[1] < 1e-4 and len(service.sent) == 1
    _, picture = service.sent[0][0]
    assert picture.shape == (192, 256, 3) and picture.std() > 5
    depths = run(
        walk, Depth(DepthParams(backend="http", url=service.url, batch=4)), tmp_path, Rows({"cameras": made["cameras"]})
    )
    assert [d["t_s"] for d in depths["depths"]] == [c["t_s"] for c in made["cameras"]]
    assert all(d["metric"] and d["origin"] == "predicted" for d in depths["depths"]) and len(service.sent) == 2
    at_rate = run(walk, Depth(DepthParams(backend="http", url=service.url, fps=1.0)), tmp_path)
    assert [d["t_s"] for d in at_rate["depths"]] == pytest.approx([0.0, 1.0, 2.0, 3.0, 4.0, 5.0], abs=0.01)


def test_what_is_missing_is_said_with_the_remedy() -> None:
    for backend, package in (
        ("vggt", "facebookresearch/vggt"),
        ("depth_anything_3", "Depth-Anything-3"),
        ("moge", "microsoft/MoGe"),
    ):
        with pytest.raises(ModelNotFound, match=rf"{package}.*backend http"):
            CamerasLearned(CamerasLearnedParams(backend=backend)).models()
    with pytest.raises(ValueError, match=r"my_file.py:thing"):
        DepthParams(backend="midas")
    with pytest.raises(ValueError, match="needs a url"):
        DepthParams(backend="http")
