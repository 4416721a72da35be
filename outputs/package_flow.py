"""One run over the samples of a package: which of them it can carry, and writing those.

The samples are read three times instead of being kept: once to learn which media they show, once, when the media are
made, to see whether the trainer would see what they speak about, and once to write them with their letters. Whatever
stands in the way of a sample is one stated rule, counted.
"""

from __future__ import annotations

import shutil
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from ..engine.catalog import Catalog
from ..engine.variables import hide
from ..schemas.sample import Sample, TurnsAnswer
from .letters import Key, letters_of, part_keys, ranks
from .mixture_draw import Mixed, MixtureDraw
from .package_media import INDEX, MediaShelf
from .package_plans import FRAMES, PlannedFrames
from .package_rewards import reward_facts
from .package_rules import require_wanted
from .package_seen import require_answerable
from .packager import (
    PROVIDES,
    Contents,
    PackagedSample,
    PackageParams,
    Packager,
    PackageReport,
    card,
    count_by,
    dumps,
    write_text,
)
from .regions import regions_of
from .rendering import LeftOut, Rendered, View, render
from .reporting.card_section import trust_section

SAMPLES = "samples.jsonl"
Progress = Callable[[str, int, int], None]
"""(what, done, of how many)."""

ROWS = """
SELECT s.*, v.passed, v.problem, v.check_status, v.evidence_grade, v.grade, v.split, v.contaminated_by, v.shortcut,
       v.deep_agrees, v.also_answered_by
FROM (SELECT * FROM samples WHERE $recipe IS NULL OR recipe = $recipe
      QUALIFY row_number() OVER (PARTITION BY sample_id ORDER BY producer) = 1) s
JOIN sample_view v USING (sample_id)
"""
"""Samples (each once) with what `sample_view` says of them; parameter: recipe, or NULL for all."""


class Flow:
    """One run over the samples of a package."""

    def __init__(
        self,
        catalog: Catalog,
        packager: Packager[Any],
        folder: Path,
        recipe: str | None,
        neighbours: Sequence[Path],
        progress: Progress | None,
        variables: Mapping[str, str] | None = None,
    ) -> None:
        self.catalog, self.packager, self.folder, self.recipe = catalog, packager, folder, recipe
        self.params: PackageParams = packager.params
        self.shown_params: dict[str, Any] = hide(packager.params.model_dump(mode="json"), variables or {})
        """Parameters as the package may tell them: values of environment variables stay out."""
        self.language = packager.language()
        self.shelf = MediaShelf(catalog, packager, folder, neighbours)
        self.planned = PlannedFrames(catalog, packager.params)
        self.progress = progress
        self.left_out: dict[str, tuple[str, str]] = {}
        self.seen = 0
        mixture = self.params.mixture
        self.mixture = None if mixture is None else MixtureDraw(catalog, mixture, recipe, self.params.splits)

    def run(self, out: Path, workers: int) -> PackageReport:
        if self.mixture is not None:
            self.left_out |= self.mixture.excluded()
        for _ in self._each(self._choose):
            pass
        self.shelf.make(workers, None if self.progress is None else lambda n, of: self.progress("media", n, of))  # type: ignore[misc]
        carried = [
            (
                ((row["sample_id"], sample.task, len(sample.options)), part_keys(sample), row["split"], rendered.parts),
                self.planned.counts(sample, row),
            )
            for sample, row, rendered in self._each(self._carry)
        ]
        mixed = Mixed() if self.mixture is None else self.mixture.draw(key[0] for (key, *_), _ in carried)
        self.left_out |= mixed.left_out
        keys: list[Key] = []
        kinds: dict[str, set[str]] = defaultdict(set)
        splits: Counter[str] = Counter()
        used: set[str] = set()
        inner: list[Key] = []
        frames: Counter[tuple[str, str]] = Counter()
        for (key, inside, split, parts), planned in carried:
            if key[0] not in mixed.left_out:
                frames[split, "frames"] += planned[0]
                frames[split, "tokens"] += planned[1]
                keys.append(key)
                inner += inside
                splits[split] += 1
                kinds[split].update(part.kind for part in parts)
                used.update(part.file for part in parts)
        tasks = count_by(task for _, task, _ in keys)
        report = PackageReport(
            out.name, out, self.seen, len(keys), count_by(rule for rule, _ in self.left_out.values()),
            dict(sorted(splits.items())), tasks, media_files=self.shelf.write_index(used), cuts_made=self.shelf.cuts_made,
            mixture=mixed.report, frame_plan=self._frame_plan(splits, frames),
        )  # fmt: skip
        if report.inputs != report.packaged + sum(report.left_out.values()):
            raise AssertionError(f"{report.inputs} samples came in, {report.packaged} + {report.left_out} came out")
        self._write([*keys, *inner], report, {split: frozenset(kinds[split]) for split in splits})
        return report

    def _frame_plan(self, splits: Iterable[str], counts: Mapping[tuple[str, str], int]) -> dict[str, Any]:
        """What the manifest says of planned frames."""
        book = self.planned.book
        if book is None:
            return {}
        by_split = {s: {what: counts.get((s, what), 0) for what in ("frames", "tokens")} for s in sorted(splits)}
        return {
            "policy": book.policy,
            "params_hash": book.params_hash,
            "shown_as": self.params.frames_as,
            "splits": by_split,
        }

    def _write(self, keys: Sequence[Key], report: PackageReport, kinds: Mapping[str, frozenset[str]]) -> None:
        trust = trust_section(self.catalog, {key[0] for key in keys})
        contents = Contents(report.splits, kinds, self.shown_params, report.counts(), self.packager.keeps_media, trust)
        rank = ranks(keys, self.params.seed)
        with ExitStack() as files:
            index = files.enter_context((self.folder / SAMPLES).open("w", encoding="utf-8", newline="\n"))
            frames = None
            if self.planned.book is not None and self.packager.keeps_media:
                frames = files.enter_context((self.folder / FRAMES).open("w", encoding="utf-8", newline="\n"))

            def finished() -> Iterator[PackagedSample]:
                for done, (sample, row) in enumerate(self._rows()):
                    if row["sample_id"] not in rank or sample is None:
                        continue
                    views = self._views(sample, row)
                    order = letters_of(sample, rank, self.params.seed)
                    rendered = render(sample, views, order, self.language, rationale=self.params.rationale)
                    facts = _facts(sample, row, rendered, views)
                    facts["reward"] = reward_facts(rendered, views[0], self.language, rationale=self.params.rationale)
                    if self.packager.regions:
                        facts["regions"] = regions_of(sample, views, self.catalog)
                    if self.planned.book is not None:
                        facts["frames"] = self.planned.facts(sample, row, views)
                    packaged = PackagedSample(
                        row["sample_id"], row["split"], rendered.turns, rendered.parts, facts, rendered.marks
                    )
                    record = packaged.record()
                    for line in record.pop("frames", ()):
                        if frames is not None:
                            frames.write(dumps({"sample_id": row["sample_id"], "split": row["split"], **line}) + "\n")
                    index.write(dumps(record) + "\n")
                    if self.progress and done % 100 == 0:
                        self.progress("samples", done, self.seen)
                    yield packaged

            self.packager.write(finished(), self.folder, contents)
        with (self.folder / "left_out.jsonl").open("w", encoding="utf-8", newline="\n") as file:
            for sample_id, (rule, detail) in sorted(self.left_out.items()):
                file.write(dumps({"sample_id": sample_id, "rule": rule, "detail": detail}) + "\n")
        if not self.packager.keeps_media:
            shutil.rmtree(self.folder / "media", ignore_errors=True)
            (self.folder / INDEX).unlink()
            (self.folder / SAMPLES).unlink()
        readme = self.folder / "README.md"
        if not readme.exists():
            write_text(readme, f"# {report.package}\n\n{self.packager.usage(contents).strip()}\n\n{card(contents)}")

    # -- reading ----------------------------------------------------------------------------------------------------

    def _rows(self) -> Iterator[tuple[Sample | None, dict[str, Any]]]:
        """Samples by split and identifier, in batches; None for a row that is not a sample."""
        # A cursor of its own: a connection answers one query at a time, and this one stays open while samples are written.
        with self.catalog.connection.cursor() as cursor:
            cursor.execute(f"{ROWS} ORDER BY split, s.sample_id", {"recipe": self.recipe})
            names = [column[0] for column in cursor.description or ()]
            while batch := cursor.fetchmany(1000):
                for values in batch:
                    row = dict(zip(names, values, strict=True))
                    yield self._read(row), row

    def _read(self, row: dict[str, Any]) -> Sample | None:
        try:
            return Sample.from_row(row)
        except (ValidationError, ValueError, KeyError, TypeError) as error:
            self.left_out.setdefault(row["sample_id"], ("malformed", str(error).splitlines()[0]))
            return None

    def _each(self, work: Callable[[Sample, dict[str, Any]], Any]) -> Iterator[tuple[Sample, dict[str, Any], Any]]:
        """Every sample that is not left out yet, with what `work` says about it; `LeftOut` counts it."""
        for seen, (sample, row) in enumerate(self._rows(), start=1):
            self.seen = seen
            if sample is None or row["sample_id"] in self.left_out:
                continue
            try:
                yield sample, row, work(sample, row)
            except LeftOut as reason:
                self.left_out[row["sample_id"]] = (reason.rule, reason.detail)

    # -- deciding ---------------------------------------------------------------------------------------------------

    def _choose(self, sample: Sample, row: Mapping[str, Any]) -> None:
        """The rules that look at no media; then the media that the sample shows are wanted."""
        require_wanted(sample, row, self.params)
        hears = self._hears(sample)
        for ref in self.planned.refs(sample, row, hears=hears):
            self.shelf.want(ref, hears=hears)

    def _carry(self, sample: Sample, row: Mapping[str, Any]) -> Rendered:
        """Media made, everything sayable in the trainer's language, and the evidence visible in what it draws."""
        views = self._views(sample, row)
        rendered = render(sample, views, range(len(sample.options)), self.language, rationale=self.params.rationale)
        refusal = self.packager.refuses(rendered.parts)
        if refusal:
            raise LeftOut(f"format: {refusal}")
        parts = sample.answer.parts if isinstance(sample.answer, TurnsAnswer) else ()
        if not self.packager.masks and not all(part.trained for part in parts):
            raise LeftOut("format: cannot keep single answers out of the loss")
        require_answerable(sample, views, self.packager, self.language, self.shelf.footage.media)
        if self.packager.regions and not regions_of(sample, views, self.catalog):
            raise LeftOut("format: no region in the text")
        return rendered

    def _views(self, sample: Sample, row: Mapping[str, Any]) -> list[View]:
        hears = self._hears(sample)
        views = [self.shelf.view(ref, hears=hears) for ref in self.planned.refs(sample, row, hears=hears)]
        return self.planned.drawn(sample, row, views)

    @staticmethod
    def _hears(sample: Sample) -> bool:
        return not PROVIDES["audio"].isdisjoint(sample.needs)


def _planned_times(view: View) -> list[float]:
    """Source times of the pictures that took the place of a video."""
    return [part.t_s for part in view.parts if part.t_s is not None] if view.drawn_s is not None else []


def _facts(sample: Sample, row: Mapping[str, Any], rendered: Rendered, views: Sequence[View]) -> dict[str, Any]:
    media = [
        {
            "media_id": ref.media_id,
            "source_start_s": ref.start_s,
            "source_end_s": ref.end_s,
            "source_zero_s": view.zero_s,
            "duration_s": view.duration_s,
            "shown_start_s": None if pictures else view.starts_at_s,
            "shown_end_s": None if pictures else view.starts_at_s + view.duration_s,
            "frame_times_s": list(ref.frame_times or (_planned_times(view) if pictures else ())),
            "files": [part.file for part in view.parts],
        }
        for ref, view in zip(sample.media, views, strict=True)
        for pictures in [not view.parts or view.parts[0].kind == "image"]
    ]
    return {
        "task": sample.task,
        "recipe": sample.recipe,
        "clip_id": sample.clip_id,
        "pair_id": sample.pair_id,
        "origin": sample.origin,
        "needs": list(sample.needs),
        "wording": sample.wording,
        "answer": rendered.answer,
        "options": list(rendered.options),
        "difficulty": dict(sample.difficulty),
        "check_status": row["check_status"],
        "evidence_grade": row["evidence_grade"],
        "grade": row["grade"],
        "media": media,
    }
