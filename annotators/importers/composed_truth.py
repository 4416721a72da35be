"""The exact truth of a composed film, from the `.truth.json` that `chronotope compose` writes beside it: shots, words,
speech, lettering, events and objects with their boxes as they were drawn and spoken, graded `exact`.

Tasks on composed films then rest on what is known instead of on what models recognised, and benchmark splits may take
them. Media without such a file are skipped.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import ClassVar

from pydantic import ValidationError

from ...engine.annotator import Grade, Params, Row, Rows, SkipUnit, Unit, UnitAnnotator
from ...schemas.ids import derive_id
from ...schemas.metrics import normalise_words
from ...schemas.span import from_us, to_us
from ..compose.events import film_events
from ..compose.truth import FilmTruth, ObjectTruth

SUFFIX = ".truth.json"


class ComposedTruth(UnitAnnotator[Params]):
    """Writes `shots`, `words`, `speech`, `text_regions`, `captions` (of events), `tracks` and `boxes` of one composed film.

    A track is an object while it is wholly in the picture under one camera motion: it ends at the picture's edge, and where
    a dissolve or a whip begins.
    """

    name: ClassVar[str] = "composed_truth"
    version: ClassVar[int] = 4
    reads: ClassVar[tuple[str, ...]] = ("media", "sources")
    writes: ClassVar[tuple[str, ...]] = ("shots", "words", "speech", "text_regions", "captions", "tracks", "boxes")
    grade: ClassVar[Grade] = "exact"
    light: ClassVar[bool] = True

    def annotate(self, unit: Unit, rows: Rows) -> Iterable[Row]:
        """Rows of the film. Raises `SkipUnit` without a truth file, `ValueError` for one of another film."""
        assert unit.medium is not None
        truth, name = _read(rows)
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


def _read(rows: Rows) -> tuple[FilmTruth, str]:
    files = sorted({f["uri"] for source in rows["sources"] for f in json.loads(source["sidecars_json"] or "[]")})
    files = [f for f in files if f.endswith(SUFFIX)]
    if not files:
        raise SkipUnit("no truth file beside it")
    path = Path(files[0])
    try:
        return FilmTruth.from_json(path.read_text(encoding="utf-8")), path.name
    except OSError:
        raise ValueError(f"{path.name} is gone since the footage was scanned; build again") from None
    except ValidationError as error:
        raise ValueError(f"{path.name} is not the truth of a composed film: {error.errors()[0]['msg']}") from None


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
