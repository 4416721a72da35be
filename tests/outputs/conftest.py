"""Hand-made dataset roots for packages: films whose pictures say what time it is, and samples about them."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from chronotope.engine.catalog import Catalog
from chronotope.engine.files import write_rows
from chronotope.engine.lock import RootLock
from chronotope.engine.store import Store
from chronotope.schemas.markup import SpanMark, render
from chronotope.schemas.sample import (
    ChoiceAnswer,
    Evidence,
    MediumRef,
    Option,
    OrderAnswer,
    Sample,
    SpanAnswer,
    Turn,
)
from chronotope.schemas.tables import TABLES

FPS = 25
FLASH = (22.0, 24.0)
"""The film is red in this span and blue outside."""
SECONDS = 40


def write_film(
    path: Path,
    *,
    seconds: float = SECONDS,
    flash: tuple[float, float] = FLASH,
    sound: bool = False,
    variable: bool = False,
) -> Path:
    """A film of 160x120, red during the flash and blue outside; with sound: a tone during the flash; with a variable rate:
    a fifth of the frames after 18 s.
    """
    import av

    path.parent.mkdir(parents=True, exist_ok=True)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=FPS, options={"preset": "ultrafast", "g": "50"})
        stream.width, stream.height, stream.pix_fmt = 160, 120, "yuv420p"
        stream.codec_context.time_base = Fraction(1, 1000)
        audio = container.add_stream("aac", rate=16000, layout="mono") if sound else None
        red = np.full((120, 160, 3), (220, 20, 20), np.uint8)
        blue = np.full((120, 160, 3), (20, 20, 220), np.uint8)
        for i in range(round(seconds * FPS)):
            t_ms = round(1000 * i / FPS)
            if variable and t_ms > 18_000 and i % 5:
                continue
            frame = av.VideoFrame.from_ndarray(
                red if flash[0] * 1000 <= t_ms < flash[1] * 1000 else blue, format="rgb24"
            )
            frame.pts, frame.time_base = t_ms, Fraction(1, 1000)
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
        if audio is not None:
            t = np.arange(round(seconds * 16000)) / 16000
            tone = (8000 * np.sin(2 * np.pi * 440 * t) * ((t >= flash[0]) & (t < flash[1]))).astype(np.int16)
            for first in range(0, len(tone), 1024):
                piece = av.AudioFrame.from_ndarray(tone[None, first : first + 1024], format="s16", layout="mono")
                piece.rate, piece.pts, piece.time_base = 16000, first, Fraction(1, 16000)
                container.mux(audio.encode(piece))
            container.mux(audio.encode())
    return path


@dataclass
class World:
    """A dataset root that is being filled; `catalog()` commits what was added and opens it."""

    root: Path
    rows: dict[str, list[dict[str, Any]]] = field(default_factory=dict)

    def add(self, table: str, row: dict[str, Any], unit: str, media_id: str) -> None:
        self.rows.setdefault(table, []).append(TABLES[table].complete(row, "hand", unit, media_id))

    def film(self, path: Path, *, uri: str | None = None, **facts: Any) -> str:
        """Add a media and a source row; the identifier."""
        media_id = hashlib.blake2b(path.name.encode() + path.read_bytes(), digest_size=16).hexdigest()
        uri = uri or str(path)
        row = {
            "kind": "video", "duration_s": float(SECONDS), "fps": float(FPS), "variable_fps": False,
            "width": 160, "height": 120, "origin": "composed", **facts,
        }  # fmt: skip
        self.add("media", row, media_id, media_id)
        self.add("sources", {"uri": uri, "size": path.stat().st_size, "origin": "composed"}, uri, media_id)
        return media_id

    def sample(
        self, sample: Sample, *, split: str | None = "train", passed: bool | None = True, grade: str = "model"
    ) -> str:
        """Add a sample with its verdict (none for passed=None) and group; the identifier."""
        media_id, sample_id = sample.media[0].media_id, sample.sample_id
        self.add("samples", sample.to_row(), media_id, media_id)
        if passed is not None:
            verdict = {
                "sample_id": sample_id, "task": sample.task, "check_status": "recomputed", "passed": passed,
                "problem": None if passed else "answer wrong", "evidence_grade": grade, "verifier": "hand@1",
            }  # fmt: skip
            self.add("verdicts", verdict, media_id, media_id)
        if split is not None:
            self.add("groups", {"sample_id": sample_id, "group_id": media_id, "split": split}, "corpus", media_id)
        return sample_id

    def catalog(self, *, backwards: bool = False) -> Catalog:
        """Write everything in one commit and open it."""
        store = Store.open_or_create(self.root)
        with RootLock(self.root, "test") as lock:
            files, units = [], set()
            for table, rows in self.rows.items():
                files.append(write_rows(self.root, TABLES[table], "hand", rows[::-1] if backwards else rows))
                units |= {row["unit"] for row in rows}
            ledger = [
                {"producer": "hand", "unit": u, "media_id": u, "grain": "medium", "status": "done"}
                for u in sorted(units)
            ]
            store.begin(lock).commit(files, ledger_rows=ledger)
        return Catalog(store)


def make_sample(media_id: str, texts: tuple[str, str], answer: Any, **changes: Any) -> Sample:
    """A sample of the window [10, 30) of a medium."""
    values: dict[str, Any] = {
        "task": "flash_grounding",
        "recipe": "hand",
        "media": (MediumRef(media_id=media_id, start_s=10.0, end_s=30.0),),
        "turns": (Turn(role="user", text=texts[0]), Turn(role="assistant", text=texts[1])),
        "answer": answer,
        "evidence": (Evidence(table="media", row_id="r", values={}),),
        "needs": ("vision",),
        "wording": "w1",
        "answer_form": "a1",
        "generator": "hand@1",
    }
    return Sample(**{**values, **changes})


def grounding(media_id: str, span: tuple[float, float] = FLASH, **changes: Any) -> Sample:
    """When is it red?"""
    text = f"It is red in {render([SpanMark(*span)])}."
    question = changes.pop("question", "<video>\nWhen is it red?")
    return make_sample(media_id, (question, text), SpanAnswer(start_s=span[0], end_s=span[1]), **changes)


def choice(media_id: str, number: int, options: int = 4, **changes: Any) -> Sample:
    """Which colour is it? Each `number` is another sample."""
    texts = tuple(Option(text=f"colour {number} {i}") for i in range(options))
    turns = (f"<video>\nWhich one is number {number}?\n<options>", "It is <answer>.")
    return make_sample(media_id, turns, ChoiceAnswer(index=0), **{"options": texts, "task": "colour", **changes})


def ordering(media_id: str, number: int, items: int = 3, **changes: Any) -> Sample:
    """Put in order; the canonical order is the right one."""
    texts = tuple(Option(text=f"item {number} {i}") for i in range(items))
    turns = (f"<video>\nOrder set {number}.\n<options>", "<answer>")
    answer = OrderAnswer(order=tuple(range(items)))
    return make_sample(media_id, turns, answer, **{"options": texts, "task": "sorting", **changes})


@pytest.fixture(scope="session")
def make() -> SimpleNamespace:
    """Builders of samples and readers of packages."""
    return SimpleNamespace(
        sample=make_sample, grounding=grounding, choice=choice, ordering=ordering, redness=redness, tree=tree,
        film=write_film, world=World, flash=FLASH, fps=FPS,
    )  # fmt: skip


@dataclass(frozen=True)
class Films:
    """Files shared by all tests of a session."""

    silent: Path
    loud: Path
    variable: Path


@pytest.fixture(scope="session")
def films(tmp_path_factory: pytest.TempPathFactory) -> Films:
    folder = tmp_path_factory.mktemp("films")
    return Films(
        write_film(folder / "silent.mp4"),
        write_film(folder / "loud.mp4", sound=True),
        write_film(folder / "variable.mp4", variable=True),
    )


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path / "root")


def redness(path: Path, numbers: Sequence[int] | None = None) -> dict[int, bool]:
    """Frame number -> whether it is red, read as a trainer reads: by counting decoded frames."""
    import av

    wanted = None if numbers is None else {int(n) for n in numbers}
    found: dict[int, bool] = {}
    with av.open(str(path)) as container:
        for i, frame in enumerate(container.decode(video=0)):
            if wanted is None or i in wanted:
                red, _, blue = frame.to_ndarray(format="rgb24").reshape(-1, 3).mean(axis=0)
                found[i] = bool(red > blue)
    return found


def tree(folder: Path) -> dict[str, str]:
    """Digest of every file of a package."""
    return {
        str(p.relative_to(folder)): hashlib.sha256(p.read_bytes()).hexdigest()
        for p in sorted(folder.rglob("*"))
        if p.is_file()
    }


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """A real browser, or a skip that says what is missing. While it is open, an event loop runs in this thread."""
    path = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    sync_api = pytest.importorskip("playwright.sync_api", reason="PAGE NOT TESTED: playwright is not installed")
    if path is None:
        pytest.skip("PAGE NOT TESTED: no chromium on this machine (apt-get install chromium)")
    flags = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"]
    with sync_api.sync_playwright() as play:
        running = play.chromium.launch(
            executable_path=path, args=[*flags, "--disable-component-update", "--disable-sync"]
        )
        yield running
        running.close()


@pytest.fixture(scope="module")
def opened(browser: Any) -> Callable[..., tuple[Any, list[str]]]:
    """Opens an address in a new window: the window, and what it complained about or asked for from elsewhere."""
    here = ("http://127.0.0.1:", "file:", "data:", "blob:")

    def open_window(url: str, **settings: Any) -> tuple[Any, list[str]]:
        window = browser.new_page(**settings)
        troubles: list[str] = []
        window.on("console", lambda message: troubles.append(message.text) if message.type == "error" else None)
        window.on("pageerror", lambda error: troubles.append(str(error)))
        window.on("request", lambda r: None if r.url.startswith(here) else troubles.append(r.url))
        window.goto(url)
        return window, troubles

    return open_window
