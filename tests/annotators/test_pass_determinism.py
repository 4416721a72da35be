"""Rows of a medium depend on that medium alone: not on who was annotated before it, beside it, or in which process."""

from __future__ import annotations

import pickle
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest
from chronotope.annotators.compose.film import FilmParams, compose_film
from chronotope.annotators.vision.frames import Frames
from chronotope.annotators.vision.pixel_stats import PixelStats
from chronotope.annotators.vision.shots import Shots
from chronotope.annotators.vision.signals import Signals
from chronotope.engine.annotator import FrameAnnotator, Medium
from chronotope.engine.media.events import Finished, RowsOut
from chronotope.engine.media.probe import probe
from chronotope.engine.media.shared_pass import FrameTap, run_frames

ANNOTATORS = (Shots, Signals, PixelStats, Frames)
Rows = dict[tuple[str, str], bytes]


def rows_of(paths: Sequence[Path], kinds: Sequence[type[FrameAnnotator]] = ANNOTATORS) -> Rows:
    """All rows, by file and annotator, as bytes; the annotators live as long as a worker's."""
    made = [kind(kind.Params()) for kind in kinds]
    for annotator in made:
        annotator.setup()
    found: Rows = {}
    for path in paths:
        facts = probe(path)
        names = ("kind", "duration_s", "fps", "frames", "width", "height")
        medium = Medium(path.stem, path.name, path, *(facts[n] for n in names), has_video=True, has_audio=False)
        rows: dict[str, list] = {annotator.name: [] for annotator in made}
        for event in run_frames(medium, [FrameTap(a.name, a.open(medium), a.sampling(medium)) for a in made]):
            if isinstance(event, Finished) and event.error:
                raise event.error
            if isinstance(event, RowsOut):
                rows[event.producer] += event.rows
        assert all(rows.values())
        for name, values in rows.items():
            found[path.stem, name] = repr([sorted(row.items()) for _, row in values]).encode()
    return found


@pytest.fixture(scope="module")
def films(tmp_path_factory) -> list[Path]:
    """Two films of different sizes."""
    folder = tmp_path_factory.mktemp("films")
    for seed, width, height in ((3, 320, 180), (4, 426, 240)):
        params = FilmParams(seed=seed, scenes=4, width=width, height=height, scene_s=(1.5, 2.2), narration=False)
        compose_film(folder / f"film{seed}.mp4", params)
    return sorted(folder.glob("*.mp4"))


@pytest.fixture(scope="module")
def expected(films) -> Rows:
    return rows_of(films)


def test_the_order_of_the_media_does_not_matter(films, expected):
    assert rows_of(films[::-1]) == expected


def test_an_annotator_alone_writes_the_rows_that_it_writes_in_company(films, expected):
    for kind in ANNOTATORS:
        alone = rows_of(films[:1], [kind])
        assert alone == {key: expected[key] for key in alone}


def test_another_process_writes_the_same_rows(films, expected, tmp_path):
    code = (
        "import importlib.util, pathlib, pickle, sys\n"
        "spec = importlib.util.spec_from_file_location('alone', sys.argv[1])\n"
        "module = importlib.util.module_from_spec(spec)\n"
        "sys.modules['alone'] = module\n"
        "spec.loader.exec_module(module)\n"
        "pathlib.Path(sys.argv[3]).write_bytes(pickle.dumps(module.rows_of([pathlib.Path(sys.argv[2])])))\n"
    )
    out = tmp_path / "rows"
    subprocess.run([sys.executable, "-c", code, __file__, str(films[1]), str(out)], check=True)
    there = pickle.loads(out.read_bytes())
    assert there == {key: expected[key] for key in there} and len(there) == len(ANNOTATORS)
