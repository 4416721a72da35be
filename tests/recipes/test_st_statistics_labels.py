"""st_statistics_labels (row 22): a square of known motion and a block of known colours are found where they are."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import av
import numpy as np
import pytest
from chronotope.engine.catalog import Catalog
from chronotope.pipelines.verify import verify_root
from chronotope.schemas.sample import Sample

WIDTH, HEIGHT, CROP_LEFT, CROP_TOP = 172, 128, 30, 8
"""The statistics look at 112 x 112 pixels in the middle of 171 x 128, cut into cells of 28."""


def texture(height: int, width: int, seed: int) -> np.ndarray:
    """A soft pattern of grey."""
    rough = np.random.default_rng(seed).uniform(40, 215, (height // 4 + 2, width // 4 + 2))
    return np.kron(rough, np.ones((4, 4)))[:height, :width]


def grey(luma: np.ndarray) -> np.ndarray:
    return np.repeat(luma.astype(np.uint8)[..., None], 3, axis=2)


def square(dx: int, dy: int) -> list[np.ndarray]:
    """A textured square of 16 px that moves to and fro inside cell 6 (row 2, column 2) over a still ground."""
    ground, thing = texture(HEIGHT, WIDTH, 1), texture(16, 16, 2)
    pictures = []
    for i in range(24):
        step = min(i % 16, 8)
        picture, x, y = ground.copy(), CROP_LEFT + 29 + dx * step, CROP_TOP + 29 + dy * step
        picture[y : y + 16, x : x + 16] = thing
        pictures.append(grey(picture))
    return pictures


def flicker() -> list[np.ndarray]:
    """A block that is red and green in turn in cell 12 (row 3, column 4)."""
    ground, pictures = grey(texture(HEIGHT, WIDTH, 3)), []
    for i in range(24):
        picture = ground.copy()
        picture[CROP_TOP + 56 : CROP_TOP + 84, CROP_LEFT + 84 : CROP_LEFT + 112] = (
            (220, 20, 20) if i % 2 else (20, 220, 20)
        )
        pictures.append(picture)
    return pictures


def translated() -> list[np.ndarray]:
    """A camera that moves sideways over a still world."""
    world = texture(HEIGHT, 300, 4)
    return [grey(world[:, 2 * i : 2 * i + WIDTH]) for i in range(24)]


SCENES: dict[str, Callable[[], list[np.ndarray]]] = {
    "diagonal": lambda: square(1, 1),
    "sideways": lambda: square(1, 0),
    "updown": lambda: square(0, 1),
    "flicker": flicker,
    "camera": translated,
}


@pytest.fixture
def squares(tmp_path: Path) -> Path:
    """A folder of the scenes, as lossless films."""
    folder = tmp_path / "squares"
    folder.mkdir()
    for name, made in SCENES.items():
        with av.open(str(folder / f"{name}.mp4"), "w") as file:
            stream = file.add_stream("libx264", rate=8)
            stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
            stream.options = {"crf": "8", "preset": "veryfast"}
            for picture in made():
                file.mux(stream.encode(av.VideoFrame.from_ndarray(np.ascontiguousarray(picture), format="rgb24")))
            file.mux(stream.encode())
    return folder


def faults(labels: dict[str, dict]) -> list[str]:
    """Where the 14 + 13 labels are not those that the scenes were made with."""
    motion = {name: row["motion"] for name, row in labels.items()}
    looks = labels["flicker"]["appearance"]
    checks = {
        "diagonal: cell 6 for u and v": (motion["diagonal"][0], motion["diagonal"][2]) == (6, 6),
        "diagonal: one of the two rings that cell 6 touches": {motion["diagonal"][4], motion["diagonal"][6]} <= {1, 2},
        "diagonal: a triangle of the upper left quarter": {motion["diagonal"][8], motion["diagonal"][10]} <= {1, 2},
        "sideways: u in cell 6, v none": (motion["sideways"][0], *motion["sideways"][2:4]) == (6, 0, 0),
        "updown: v in cell 6, u none": (motion["updown"][2], *motion["updown"][:2]) == (6, 0, 0),
        "a quarter turn keeps the parity of the direction": (motion["sideways"][1] - motion["updown"][3]) % 2 == 0,
        "flicker: most diverse in cell 12, red or green": looks[0] == 12 and looks[1] in (3, 5),
        "camera: nothing moves against its surroundings": motion["camera"][:4] == [0, 0, 0, 0],
    }
    return [name for name, holds in checks.items() if not holds]


@pytest.mark.xdist_group("ray")
def test_known_squares_have_known_labels(build, squares: Path) -> None:
    root = build("st_statistics_labels", CHRONOTOPE_FOOTAGE=squares)
    assert verify_root(root).problems == []
    catalog = Catalog(root)
    rows = catalog.rows("SELECT m.title, p.* FROM pixel_stats p JOIN media m USING (media_id) WHERE p.start_s = 0")
    labels = {Path(r["title"]).stem: r for r in rows}
    assert set(labels) == set(SCENES) and faults(labels) == []
    assert all(len(r["motion"]) == 14 and len(r["appearance"]) == 13 for r in rows)
    media = {r["media_id"]: Path(r["title"]).stem for r in catalog.rows("SELECT media_id, title FROM media")}
    asked = {}
    for sample in map(Sample.from_row, catalog.rows("SELECT * FROM samples")):
        asked.setdefault(media[sample.media[0].media_id], set()).add(sample.options[sample.answer.index].text)
    assert "the upper left" in asked["diagonal"] | asked["sideways"]

    assert faults(labels | {"diagonal": labels["camera"]}) and faults(labels | {"sideways": labels["updown"]})
