"""The exact truth of composed media, from the `.truth.json` beside them, graded `exact`.

Of a film of `chronotope compose` these are shots, words, speech, lettering, events and objects with their boxes as they were
drawn and spoken; of what the composers of a recipe made, whatever they know of it. Tasks then rest on what is known instead of
on what models recognised, and benchmark splits may take them. Rows that a composer carried over from recognised ones are left
to `carried_truth`. Media without such a file are skipped.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import ClassVar

from pydantic import ValidationError

from ...engine.annotator import Grade, Medium, Params, Row, Rows, SkipUnit, Unit, UnitAnnotator
from ...schemas.composed import ComposedFacts, read_row
from ...schemas.ids import derive_id
from ...schemas.metrics import normalise_words
from ...schemas.span import from_us, to_us
from ..compose.events import film_events
from ..compose.truth import FilmTruth, ObjectTruth

SUFFIX = ".truth.json"
KNOWN = (
    "shots", "words", "speech", "text_regions", "captions", "tracks", "boxes",
    "events", "sounds", "questions", "aspects", "episodes", "edits",
    "scenes", "cameras", "depths", "points", "boxes3d", "fixations",
)  # fmt: skip
"""Tables that a truth file may have rows of."""
ROUNDING_S = 0.1
"""How far a container may round the length of what was written."""


class ComposedTruth(UnitAnnotator[Params]):
    """Writes what is known of one composed medium: `shots`, `words`, `speech`, `text_regions`, `captions` (of events), `tracks`
    and `boxes` of a film; of other media also `events`, `sounds`, `questions`, `aspects`, `episodes` and `edits`.

    A track of a film is an object while it is wholly in the picture under one camera motion: it ends at the picture's edge, and where
    a dissolve or a whip begins.
    """

    name: ClassVar[str] = "composed_truth"
    version: ClassVar[int] = 7
    reads: ClassVar[tuple[str, ...]] = ("media", "sources")
    writes: ClassVar[tuple[str, ...]] = KNOWN
    grade: ClassVar[Grade] = "exact"
    light: ClassVar[bool] = True

    def annotate(self, unit: Unit, rows: Rows) -> Iterable[Row]:
        """Rows of the film. Raises `SkipUnit` without a truth file, `ValueError` for one of another film."""
        assert unit.medium is not None
        truth, name = read_truth(rows)
        if isinstance(truth, ComposedFacts):
            if truth.imported:
                raise SkipUnit("what stands beside it was imported; `imported` writes it")
            yield from known_rows(truth, name, unit.medium, exact=True)
            return
        if abs(to_us(truth.duration_s) - to_us(unit.medium.duration_s)) > 1_000_000 / truth.fps:
            raise ValueError(
                f"{name} is of a film of {truth.duration_s:g} s, but {unit.medium} lasts {unit.medium.duration_s:g} s; "
                "compose the film again, or remove the file"
            )
        for number, shot in enumerate(truth.shots):
            gradual = any(
                t.kind == "dissolve" and t.start_s <= shot.start_s <= t.end_s for t in truth.transitions if number
            )
            kind = "start" if number == 0 else "gradual" if gradual else "cut"
            yield "shots", {**_span(shot.start_s, shot.end_s), "transition": kind, "score": None}
        for position, (word, text) in enumerate(zip(truth.words, _written(truth), strict=True)):
            row = {**_span(word.start_s, word.end_s), "word": text, "confidence": None, "position": position}
            yield "words", row
        for said in truth.speech:
            yield "speech", {**_span(said.start_s, said.end_s), "text": said.text, "origin": "composed"}
        for sign in truth.texts:
            x1, y1, x2, y2 = sign.box
            place = {"x1": x1, "y1": y1, "x2": x2, "y2": y2}
            yield "text_regions", {**_span(sign.start_s, sign.end_s), "text": sign.text, "confidence": 1.0, **place}
        for event in film_events(truth):
            row = {**_span(event.start_s, event.end_s), "level": "event", "text": event.text, "model": "composer"}
            yield "captions", row
        for thing in truth.objects:
            yield from _track(thing, unit.medium.media_id)


def read_truth(rows: Rows) -> tuple[FilmTruth | ComposedFacts, str]:
    """What the truth file beside a medium says, and the file's name. Raises `SkipUnit` without one, `ValueError` for a bad one."""
    files = sorted({f["uri"] for source in rows["sources"] for f in json.loads(source.get("sidecars_json") or "[]")})
    files = [f for f in files if f.endswith(SUFFIX)]
    if not files:
        raise SkipUnit("no truth file beside it")
    path = Path(files[0])
    try:
        text = path.read_text(encoding="utf-8")
        made = json.loads(text).get("kind") == "composed"
        return (ComposedFacts.model_validate_json(text) if made else FilmTruth.from_json(text)), path.name
    except OSError:
        raise ValueError(f"{path.name} is gone since the footage was scanned; build again") from None
    except ValidationError as error:
        raise ValueError(f"{path.name} is not the truth of a composed medium: {error.errors()[0]['msg']}") from None
    except (ValueError, AttributeError):
        raise ValueError(f"{path.name} is not the truth of a composed medium: no JSON object") from None


def known_rows(truth: ComposedFacts, name: str, medium: Medium, *, exact: bool) -> Iterable[Row]:
    """Rows of a composer's truth: those that are exact, or those that were carried over from rows that are not.

    Raises `ValueError` when the file is of another medium or names a table that composers know nothing of.
    """
    if abs(truth.duration_s - medium.duration_s) > ROUNDING_S:
        raise ValueError(
            f"{name} is of a medium of {truth.duration_s:g} s, but {medium} lasts {medium.duration_s:g} s; "
            "remove both files, and the next build composes them again"
        )
    for table, found in truth.rows.items():
        if table not in KNOWN:
            raise ValueError(f"{name} holds rows of table {table}; composers may know {', '.join(KNOWN)}")
        if (table in truth.grades) != exact:
            for row in found:
                yield table, read_row(row)


def _written(truth: FilmTruth) -> list[str]:
    """The spoken words as their sentences write them, with punctuation, so that a quotation can end with a sentence."""
    written = [token for said in truth.speech for token in said.text.split()]
    same = len(written) == len(truth.words) and all(
        normalise_words(token) == normalise_words(word.word) for token, word in zip(written, truth.words, strict=True)
    )
    return written if same else [word.word for word in truth.words]


def _track(thing: ObjectTruth, media_id: str) -> Iterable[Row]:
    """The rows of an object: its track, and its boxes as they are listed."""
    first = thing.boxes[0]
    track_id = derive_id("track", media_id, thing.start_s, thing.colour, thing.shape, first.box)
    yield (
        "tracks",
        {
            "track_id": track_id,
            **_span(thing.start_s, thing.end_s),
            "label": thing.shape,
            "phrase": f"{thing.colour} {thing.shape}",
            "attributes_json": json.dumps({"colour": thing.colour}),
            "score": 1.0,
        },
    )
    for place in thing.boxes:
        x1, y1, x2, y2 = place.box
        row = {"track_id": track_id, "t_s": from_us(to_us(place.t_s)), "x1": x1, "y1": y1, "x2": x2, "y2": y2}
        yield "boxes", {**row, "visibility": 1.0}


def _span(start_s: float, end_s: float) -> dict[str, float]:
    return {"start_s": from_us(to_us(start_s)), "end_s": from_us(to_us(end_s))}


ANNOTATOR = ComposedTruth
