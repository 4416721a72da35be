"""Does a package teach? A small temporal head over stored frame embeddings, trained on one package, on held-out footage.

    python benchmarks/train_value.py FOLDER [--videos 60]

Composes slide shows of coloured shapes (exact events), builds and packages `temporal_grounding` samples, and trains a
bilinear head (words of the question x CLIP vector of a frame -> is the event on?) on the package's train split. Reports
mean tIoU on the test split, whose footage and wordings training never saw, against the best fixed interval (prior), an
interval predicted from the question alone (blind), and the same head trained on a package whose answers were exchanged
between samples (label-shuffled). Limits: composed footage and the tiny CLIP made for it; it shows that questions,
times, cuts and splits fit together, not how a large model would do.
"""

from __future__ import annotations

import argparse
import csv
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from chronotope.annotators.compose.scenes import COMBINATIONS, draw_scene, full_captions, sample_scene
from chronotope.engine.catalog import Catalog
from chronotope.pipelines.build import Build
from chronotope.pipelines.packages import package_all
from chronotope.pipelines.recipe import Recipe
from chronotope.schemas.metrics import mean_tiou
from chronotope.schemas.span import Span
from numpy.typing import NDArray

FPS = 5
STEP_S = 0.5
"""Grid on which the head sees frames."""
Vector = NDArray[np.float64]

RECIPE = """
name: train_value
sources:
  - {manifest: {file: events.csv, base: videos, spans: captions}, origin: composed}
annotate:
  - frames: {fps: 2, max_side_px: 160}
  - clip_embedding: {model: composed-tiny, fps: 2}
  - manifest_captions
clips: whole
tasks:
  - temporal_grounding: {per_clip: 8, per_medium: 8, absent_share: 0, window: {length_s: [20, 40]}}
splits: {train: 0.7, validation: 0.0, test: 0.3}
package:
  - llava: {times: seconds, modalities: [vision]}
"""


@dataclass(frozen=True)
class Example:
    """A packaged sample as the head sees it: words, one vector per grid step of the cut, and the answer on its clock."""

    words: tuple[str, ...]
    frames: Vector
    """[steps, dimension]."""
    truth: Span
    duration_s: float


def compose(folder: Path, videos: int) -> None:
    """Videos of 10 scenes of 3 to 7 s each, and `events.csv` with what is on when."""
    import av

    (folder / "videos").mkdir(parents=True, exist_ok=True)
    with (folder / "events.csv").open("w", newline="") as file:
        table = csv.writer(file)
        table.writerow(["uri", "start_s", "end_s", "caption"])
        for number in range(videos):
            rng = np.random.default_rng([number, 0x7EAC])
            path = folder / "videos" / f"show{number:03d}.mp4"
            chosen = [COMBINATIONS[i] for i in rng.choice(len(COMBINATIONS), 10, replace=False)]
            frames = [int(rng.integers(3 * FPS, 7 * FPS)) for _ in chosen]
            with av.open(str(path), "w", options={"fflags": "+bitexact"}) as container:
                stream = container.add_stream("libx264", rate=FPS, options={"preset": "veryfast", "threads": "1"})
                stream.width, stream.height, stream.pix_fmt = 160, 96, "yuv420p"
                first = 0
                for combination, count in zip(chosen, frames, strict=True):
                    picture = draw_scene(sample_scene(int(rng.integers(2**28)), combination), 160, 96)
                    for _ in range(count):
                        container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
                    colour, shape, _ = combination
                    where = full_captions(combination)[0].split(" ", 3)[3]
                    event = f"{'an' if colour[0] in 'aeiou' else 'a'} {colour} {shape} stands {where}"
                    table.writerow([path.name, first / FPS, (first + count) / FPS, event])
                    first += count
                container.mux(stream.encode())


def build(folder: Path) -> Path:
    """The dataset and its package; the package's folder."""
    (folder / "recipe.yaml").write_text(RECIPE.lstrip())
    recipe = Recipe.read(folder / "recipe.yaml")
    root = folder / "train_value.chronotope"
    Build(recipe, root).run()
    package_all(recipe, root)
    return root


def examples(root: Path, split: str) -> list[Example]:
    """Packaged samples of a split with the stored vectors of what they show."""
    lines = (root / "packages" / "llava" / "samples.jsonl").read_text().splitlines()
    made = []
    with Catalog(root) as catalog:
        for record in map(json.loads, lines):
            if record["split"] != split or record["answer"]["kind"] != "span":
                continue
            medium = record["media"][0]
            rows = catalog.rows(
                "SELECT t_s, vector FROM embeddings WHERE media_id = ? ORDER BY t_s", [medium["media_id"]]
            )
            made.append(_example(record, medium, rows))
    return made


def _example(record: dict[str, Any], medium: dict[str, Any], rows: Sequence[dict[str, Any]]) -> Example:
    times = np.array([r["t_s"] for r in rows])
    grid = np.arange(STEP_S / 2, medium["duration_s"], STEP_S)
    standing = np.searchsorted(times, grid + medium["source_zero_s"], side="right") - 1
    frames = np.array([rows[max(0, i)]["vector"] for i in standing], np.float64)
    words = tuple(re.findall(r"[a-z]+", record["messages"][0]["content"].lower()))
    answer = record["answer"]
    return Example(words, frames, Span(answer["start_s"], answer["end_s"]), medium["duration_s"])


class Head:
    """logit(step) = frame . W . words + b, trained with cross entropy (Adam, fixed order); words are a normalised bag."""

    def __init__(self, training: Sequence[Example], *, passes: int = 40, rate: float = 0.05) -> None:
        known = sorted({w for e in training for w in e.words})
        self.place = {w: i for i, w in enumerate(known)}
        self.weights = np.zeros((training[0].frames.shape[1] + 1, len(known)))
        order = np.random.default_rng(0)
        mean, square, t = np.zeros_like(self.weights), np.zeros_like(self.weights), 0
        for _ in range(passes):
            for i in order.permutation(len(training)):
                t += 1
                gradient = self._gradient(training[int(i)])
                mean = 0.9 * mean + 0.1 * gradient
                square = 0.999 * square + 0.001 * gradient**2
                self.weights -= rate * (mean / (1 - 0.9**t)) / (np.sqrt(square / (1 - 0.999**t)) + 1e-8)

    def bag(self, words: Sequence[str]) -> Vector:
        found = np.zeros(len(self.place))
        for word in words:
            if word in self.place:
                found[self.place[word]] = 1.0
        return found / np.sqrt(max(1.0, found.sum()))

    def logits(self, example: Example) -> Vector:
        """One logit per step."""
        return np.asarray(_with_bias(example.frames) @ (self.weights @ self.bag(example.words)))

    def _gradient(self, example: Example) -> Vector:
        bag, frames = self.bag(example.words), _with_bias(example.frames)
        middle = (np.arange(len(frames)) + 0.5) * STEP_S
        on = (middle >= example.truth.start_s) & (middle < example.truth.end_s)
        probability = 1 / (1 + np.exp(-frames @ (self.weights @ bag)))
        return np.outer(frames.T @ (probability - on) / len(frames), bag) + 1e-4 * self.weights

    def predict(self, example: Example) -> Span:
        """The run of steps with the largest sum of logits."""
        sums = np.concatenate([[0.0], np.cumsum(self.logits(example))])
        best, where = -np.inf, (0, 1)
        for i in range(len(sums) - 1):
            k = i + 1 + int(np.argmax(sums[i + 1 :]))
            if sums[k] - sums[i] > best:
                best, where = float(sums[k] - sums[i]), (i, k)
        return Span(where[0] * STEP_S, min(where[1] * STEP_S, example.duration_s))


def _with_bias(frames: Vector) -> Vector:
    return np.hstack([frames, np.ones((len(frames), 1))])


def shuffled(training: Sequence[Example]) -> list[Example]:
    """The answers exchanged between samples, at the same share of the footage."""
    order = np.random.default_rng(1).permutation(len(training))
    made = []
    for example, i in zip(training, order, strict=True):
        other = training[int(i)]
        scale = example.duration_s / other.duration_s
        made.append(replace(example, truth=Span(other.truth.start_s * scale, other.truth.end_s * scale)))
    return made


def prior(training: Sequence[Example], test: Sequence[Example]) -> float:
    """Mean tIoU of the fixed share of the footage that fits training best."""
    grid = [(a / 20, b / 20) for a in range(20) for b in range(a + 1, 21)]

    def score(interval: tuple[float, float], on: Sequence[Example]) -> float:
        guesses = [Span(interval[0] * e.duration_s, interval[1] * e.duration_s) for e in on]
        return mean_tiou(guesses, [e.truth for e in on])

    return score(max(grid, key=lambda interval: score(interval, training)), test)


def blind(training: Sequence[Example], test: Sequence[Example]) -> float:
    """Mean tIoU of centre and length regressed (ridge) on the words of the question."""
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import Ridge

    words = TfidfVectorizer(analyzer=lambda example: example.words)
    shares = np.array([[e.truth.centre_s / e.duration_s, e.truth.length_s / e.duration_s] for e in training])
    guesses = Ridge(1.0).fit(words.fit_transform(training), shares).predict(words.transform(test))
    spans = []
    for example, (centre, length) in zip(test, guesses, strict=True):
        start = min(max(0.0, centre - max(length, 0.02) / 2), 0.97)
        spans.append(Span(start * example.duration_s, min(1.0, start + max(length, 0.02)) * example.duration_s))
    return mean_tiou(spans, [e.truth for e in test])


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--videos", type=int, default=60)
    given = parser.parse_args()
    if not (given.folder / "events.csv").exists():
        compose(given.folder, given.videos)
    root = build(given.folder)
    training, test = examples(root, "train"), examples(root, "test")
    print(f"{len(training)} training samples, {len(test)} of other footage in other wordings")
    truth = [e.truth for e in test]
    rows = {
        "head, trained on the package": mean_tiou(_all(Head(training), test), truth),
        "head, trained on shuffled labels": mean_tiou(_all(Head(shuffled(training)), test), truth),
        "prior (best fixed interval)": prior(training, test),
        "blind (question only)": blind(training, test),
    }
    for name, score in rows.items():
        print(f"{name:34s} mean tIoU {score:.3f}")


def _all(head: Head, test: Sequence[Example]) -> list[Span | None]:
    return [head.predict(e) for e in test]


if __name__ == "__main__":
    main()
