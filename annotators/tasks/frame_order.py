"""Put three to five stills of a clip in the order in which they were taken.

Stills of a motion can be told apart from each other but not from the same motion played backwards, so the
question names the earliest one; the others then follow from how far things have moved on. A clip is used
only when its stills differ clearly and either the camera or a thing moves one way throughout, or likeness to
the first still fades from one still to the next.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import combinations, pairwise

from pydantic import Field

from ...engine.annotator import Row, Rows, SkipUnit, Unit
from ...engine.kept import split_of
from ...engine.task import EvidenceRow, Task
from ...schemas.chain import Step
from ...schemas.chain_building import Trail
from ...schemas.ids import seeded_fraction
from ...schemas.motion import SIGNAL_COLUMNS, CameraRule, ObjectRule, pool_camera, pool_object
from ...schemas.sample import MediumRef, Option, OrderAnswer, Sample
from ...schemas.verifying import Check
from .chain_of_choices import stills_chain
from .common import (
    CLIP_COLUMNS,
    MEDIA_COLUMNS,
    RowDict,
    Withheld,
    cite,
    dialogue,
    moment,
    rebuilt,
    shuffled,
    wordings_of,
)
from .shown import ClipParams, Shown, pieces_of, shown_by, windows_of

ORDINALS = ("first", "second", "third", "fourth", "fifth")
_MASK = 2**64 - 1


class Params(ClipParams):
    """Parameters of frame_order."""

    stills: tuple[int, int] = Field((3, 5), description="Least and greatest number of stills; each as often.")
    min_distance: int = Field(8, ge=1, le=64, description="Least perceptual-hash distance of two stills, bits.")
    min_growth: int = Field(3, ge=1, description="Least growth of the distance from the first still, bits.")
    min_step: float = Field(0.05, ge=0, description="Least way of camera or thing between stills, frame widths.")
    camera: CameraRule = Field(CameraRule(), description="When the camera moves one way throughout.")
    thing: ObjectRule = Field(ObjectRule(), description="When a thing moves one way throughout.")


class FrameOrder(Task[Params]):
    """Samples from `signals` of one medium; the packager takes the stills out of the footage."""

    name = "frame_order"
    version = 3
    Params = Params
    reads = ("media", "clips", "selection", "signals", "footage_groups")
    optional_reads = ("selection", "footage_groups")
    second = "stills"
    must_hurt = ("prior", "options_only", "question_only")

    def code_digest(self) -> str:
        """Digest of the wordings."""
        return wordings_of(self.name).digest

    def annotate(self, unit: Unit, rows: Rows) -> Iterable[Row]:
        """At most `per_clip` and `per_medium` samples."""
        assert unit.medium is not None
        if not rows["signals"]:
            raise SkipUnit("no signals")
        least, most = self.params.stills
        per_clip: dict[str, int] = {}
        made = 0
        found = windows_of(rows, unit.medium.media_id, self.params.length_s)
        split = split_of(rows, unit.medium.media_id)
        for shown in shuffled(found, unit.seed, self.name, key=lambda s: s.signals[0]["row_id"]):
            clip_id = shown.clip["clip_id"]
            if made == self.params.per_medium or per_clip.get(clip_id, 0) == self.params.per_clip:
                continue
            key = [row["row_id"] for row in shown.signals]
            wanted = least + int(seeded_fraction(unit.seed, self.name, key) * (most - least + 1))
            question, answer = wordings_of(self.name).choose("order", unit.seed, key, split=split)
            for count in (wanted, *range(most, least - 1, -1)):
                try:
                    sample = self._build(unit.recipe, shown, count, question.id, answer.id)
                except Withheld:
                    continue
                per_clip[clip_id] = per_clip.get(clip_id, 0) + 1
                made += 1
                yield "samples", sample.to_row()
                break

    def recompute(self, sample: Sample, evidence: Sequence[EvidenceRow]) -> Check:
        """Choose the stills again from the cited signals, check that they can be ordered, rebuild the
        sample.
        """

        return rebuilt(sample, lambda: self._rebuild(sample, evidence))

    def trace(self, sample: Sample, evidence: Sequence[EvidenceRow]) -> tuple[Step, ...]:
        """When each picture was taken."""
        trail = Trail()
        self._rebuild(sample, evidence, trail)
        return trail.steps

    def _rebuild(self, sample: Sample, evidence: Sequence[EvidenceRow], trail: Trail | None = None) -> Sample:
        count = len(sample.media[0].frame_times)
        return self._build(sample.recipe, shown_by(sample, evidence), count, sample.wording, sample.answer_form, trail)

    def _build(
        self, recipe: str, shown: Shown, count: int, wording: str, form: str, trail: Trail | None = None
    ) -> Sample:
        """The sample with `count` stills spread evenly over the window. Raises `Withheld`.

        The factor `chance` is the share of pairs that a guess puts right when the earliest still is given.
        """
        least, most = self.params.stills
        if not max(3, least) <= count <= min(most, len(ORDINALS)) or count > len(shown.signals):
            raise Withheld(f"{count} stills")
        if shown.edit is not None:
            raise Withheld("stills are taken from sources only")
        if shown.window not in pieces_of(shown.clip, shown.media, self.params.length_s):
            raise Withheld("the window is not a piece of its clip")
        last = len(shown.signals) - 1
        stills = [shown.signals[round(i * last / (count - 1))] for i in range(count)]
        nearest, how = self._order_of(shown, stills)
        listed = shuffled(stills, self.name, key=lambda row: row["row_id"])
        wordings = wordings_of(self.name)
        question, answer = wordings.question("order", wording), wordings.answer("order", form)
        if question is None or answer is None:
            raise Withheld(f"unknown wording {wording} or answer form {form}")
        order = tuple(listed.index(row) for row in stills)
        steps = [f"The {ORDINALS[order[0]]} picture is the earliest; {how}."]
        steps += [f"The {ORDINALS[k]} picture was taken at {moment(listed[k]['t_s'])}." for k in order]
        window, media = shown.window, shown.media
        times = tuple(float(row["t_s"]) for row in listed)
        if trail is not None:
            stills_chain(trail, listed, times, ORDINALS, self.params.min_distance)
        asked = question.fill({"first": ORDINALS[order[0]]})
        return Sample(
            task=self.name,
            recipe=recipe,
            clip_id=shown.clip["clip_id"],
            media=(
                MediumRef(
                    media_id=media["media_id"],
                    kind="image",
                    start_s=window.start_s,
                    end_s=window.end_s,
                    frame_times=times,
                ),
            ),
            turns=dialogue("<image>", asked, answer.fill({"answer": "<answer>"}), options=True),
            answer=OrderAnswer(order=order),
            options=tuple(Option(text=f"the {ORDINALS[k]} picture") for k in range(count)),
            rationale=tuple(steps),
            evidence=(
                cite("media", media, MEDIA_COLUMNS),
                cite("clips", shown.clip, CLIP_COLUMNS),
                *(cite("signals", row, (*SIGNAL_COLUMNS, "phash")) for row in shown.signals),
            ),
            needs=("vision", "motion"),
            origin=media["origin"] or "real",
            wording=wording,
            answer_form=form,
            difficulty={
                "stills": float(count),
                "distance": float(nearest),
                "measurements": float(len(shown.signals)),
                "chance": round((count + 2) / (2 * count), 6),
            },
            generator=f"{self.name}@{self.version}",
        )

    def _order_of(self, shown: Shown, stills: Sequence[RowDict]) -> tuple[int, str]:
        """The smallest distance of two stills, and what tells their order. Raises `Withheld` when nothing
        does.
        """
        if any(row["phash"] is None for row in stills):
            raise Withheld("a still without a perceptual hash")
        nearest = min(_distance(a, b) for a, b in combinations(stills, 2))
        if nearest < self.params.min_distance:
            raise Withheld(f"two stills differ by {nearest} bits only")
        motions = shown.motions()
        step_s = min(b["t_s"] - a["t_s"] for a, b in pairwise(stills))
        camera = pool_camera(motions, shown.aspect, self.params.camera)
        if camera.label not in (None, "static") and camera.speed * step_s >= self.params.min_step:
            return nearest, "from there the view changes the same way from picture to picture"
        thing = pool_object(motions, shown.aspect, self.params.thing)
        if thing.label not in (None, "still") and thing.speed * step_s >= self.params.min_step:
            return nearest, "from there what moves has gone further from picture to picture"
        away = [_distance(stills[0], row) for row in stills]
        if all(b >= a + self.params.min_growth for a, b in pairwise(away)):
            return nearest, "from there each picture resembles it less than the one before"
        raise Withheld("nothing tells the order of the stills")


def _distance(a: RowDict, b: RowDict) -> int:
    """Hamming distance of two perceptual hashes, 0..64."""
    return int(((a["phash"] ^ b["phash"]) & _MASK).bit_count())


ANNOTATOR = FrameOrder
