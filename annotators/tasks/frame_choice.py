"""Which of these pictures was taken at this moment of the video? Wrong ones are other moments, look-alikes, and twins.

Three casts of options. With a mirrored twin of the clip: two moments, each as filmed and mirrored, asked about the clip
and about its twin. With a reversed twin: the asked moment, what the footage played backwards shows at that time, and
others, asked about both. Else other moments of the shot and the most alike pictures of other shots. Perceptual hashes
prove that a picture is none of those measured around the asked moment; that mirroring shows needs a proof of its own.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from ...engine.annotator import Row, Rows, SkipUnit, Unit
from ...engine.distractors.falsity import why_still_fits
from ...engine.distractors.stills import apart_s, cosine, hash_distance, mirror_shift
from ...engine.distractors.vocabulary import ELSEWHERE, EMBEDDING_NEIGHBOUR, MIRRORED, NEAR_IN_TIME, REVERSED
from ...engine.grounding.windows import NoWindow, choose_window, window_problems
from ...engine.kept import kept_clips, medium_row, split_of
from ...engine.task import EvidenceRow, Task
from ...schemas.ids import derive_id
from ...schemas.markup import Media, render
from ...schemas.sample import MediumRef, Option, Sample
from ...schemas.span import Span, to_us
from ...schemas.verifying import Check
from .choosing import Choice, choice_sample
from .common import RowDict, Withheld, grid, moment, rebuilt, shuffled, wordings_of
from .frame_scene import Cast, FrameParams, Scene, scene_of, scenes, still_of


@dataclass(frozen=True)
class _Picture:
    """An option: a still as filmed, or as the mirrored twin shows it."""

    row: RowDict
    mirrored: bool


class FrameChoice(Task[FrameParams]):
    """Samples from `signals`, `embeddings` and `edits` of one medium; the packager takes the stills out of the footage."""

    name = "frame_choice"
    version = 4
    Params = FrameParams
    reads = ("media", "clips", "selection", "signals", "embeddings", "edits", "text_regions", "footage_groups")
    optional_reads = ("selection", "embeddings", "edits", "text_regions", "footage_groups")
    second = "stills"
    must_hurt = ("prior", "options_only", "question_only", "middle_frame", "first_frame")

    def code_digest(self) -> str:
        """Digest of the wordings."""
        return wordings_of(self.name).digest

    def annotate(self, unit: Unit, rows: Rows) -> Iterable[Row]:
        """At most `per_clip` and `per_medium` pairs, casts as varied as the footage allows."""
        assert unit.medium is not None
        media_id = unit.medium.media_id
        if unit.medium.row.get("origin") == "edited":
            raise SkipUnit("an edited twin; its samples are made with those of its source")
        if not rows["signals"]:
            raise SkipUnit("no signals")
        media, split = medium_row(rows, media_id), split_of(rows, media_id)
        found: dict[Cast, list[tuple[Sample, ...]]] = {cast: [] for cast in self.params.casts}
        for clip in shuffled(kept_clips(rows, media_id), unit.seed, self.name, key=lambda c: c["clip_id"]):
            in_clip = 0
            for scene in scenes(unit, media, clip, rows, self.params):
                waiting = found.get(scene.cast)
                if in_clip == self.params.per_clip or waiting is None or len(waiting) == self.params.per_medium:
                    continue
                samples = self._pair(unit, scene, split)
                if samples:
                    waiting.append(samples)
                    in_clip += 1
        left = self.params.per_medium
        while left and any(found.values()):
            for waiting in found.values():
                if waiting and left:
                    yield from (("samples", s.to_row()) for s in waiting.pop(0))
                    left -= 1

    def recompute(self, sample: Sample, evidence: Sequence[EvidenceRow]) -> Check:
        """Read scene and stills from the cited rows, repeat all tests, rebuild the sample."""

        def build() -> Sample:
            scene = scene_of(evidence, int(sample.difficulty.get("stills", 0)))
            on_twin = scene.twin is not None and sample.media[0].media_id == scene.twin["media_id"]
            asked = int(sample.difficulty.get("asked", 0))
            return self._build(
                sample.recipe, scene, sample.window, asked, sample.wording, sample.answer_form,
                on_twin=on_twin, paired=sample.pair_id is not None,
            )  # fmt: skip

        return rebuilt(sample, build)

    def _pair(self, unit: Unit, scene: Scene, split: str) -> tuple[Sample, ...]:
        """Both samples of a scene, or nothing."""
        times = [s["t_s"] for s in scene.stills[:2]]
        hull = Span(grid(min(times)), grid(max(times) + scene.step_s))
        seed = (unit.seed, self.name, [s["row_id"] for s in scene.stills], scene.cast)
        window = (
            choose_window(
                hull,
                scene.media["duration_s"],
                self.params.window_s,
                *seed,
                evidence_share_max=1.0,
                bounds=scene.bounds,
            )
            if scene.bounds
            else NoWindow("the clip is empty")
        )
        if isinstance(window, NoWindow):
            return ()
        made = []
        for turn in (0, 1):
            on_twin = scene.edit is not None and turn == 1
            asked = turn if scene.cast != "mirrored" else 0
            question, form = wordings_of(self.name).choose("at", *seed, turn, split=split)
            try:
                shown = scene.window_in_twin(window) if on_twin else window
                made.append(
                    self._build(unit.recipe, scene, shown, asked, question.id, form.id, on_twin=on_twin, paired=True)
                )
            except Withheld:
                return ()
        return tuple(made)

    def _build(
        self,
        recipe: str,
        scene: Scene,
        window: Span,
        asked: int,
        wording: str,
        form: str,
        *,
        on_twin: bool,
        paired: bool,
    ) -> Sample:
        """The sample that asks about still number `asked` (0 or 1), in the clip or in its twin. Raises `Withheld`."""
        shown = scene.twin if on_twin else scene.media
        if shown is None or asked not in (0, 1):
            raise Withheld("there is no such question about this scene")
        for problem in window_problems(window, [], shown["duration_s"], self.params.window_s):
            raise Withheld(problem)
        if not all(scene.holds(row) for row in scene.stills[:2]):
            raise Withheld("an asked picture lies outside the clip")
        truth = _Picture(scene.stills[asked], mirrored=on_twin and scene.cast == "mirrored")
        at_s = scene.time_in(truth.row["t_s"], twin=on_twin)
        if not window.contains(at_s):
            raise Withheld("the asked moment is not shown")
        pictures = [_Picture(s, m) for m in (False, True)[: 1 + (scene.cast == "mirrored")] for s in scene.stills]
        pictures.sort(key=lambda p: derive_id(self.name, p.row["row_id"], p.mirrored))
        judged = [self._judged(scene, truth, p) for p in pictures]
        options = tuple(
            Option(text=render([Media("image", k)]), distractor_kind=kind, margin=margin)
            for k, (kind, margin) in enumerate(judged, start=2)
        )
        bits = min(hash_distance(still_of(truth.row), still_of(s)) for s in scene.stills if s is not truth.row)
        factors = {
            "stills": float(len(scene.stills)),
            "asked": float(asked),
            "bits": float(bits),
            "options": float(len(pictures)),
            "evidence": float(len(scene.evidence())),
            "position": round((at_s - window.start_s) / window.length_s, 6),
        }
        steps = (f"I look at the video at {moment(at_s)}.", *_steps(scene, pictures, truth, window, on_twin=on_twin))
        choice = Choice(
            options, pictures.index(truth), steps, factors, ("vision",), "at", {"time": moment(at_s)}
        )  # fmt: skip
        pair_id = derive_id("pair", self.name, scene.cast, [s["row_id"] for s in scene.stills])
        refs = tuple(_ref(scene, p) for p in pictures)
        return choice_sample(
            self.name, self.version, recipe, shown, scene.clip["clip_id"], window, scene.evidence(),
            choice, wording, form, pair_id if paired else None, refs,
        )  # fmt: skip

    def _judged(self, scene: Scene, truth: _Picture, picture: _Picture) -> tuple[str | None, float | None]:
        """Kind and margin of an option; None for the right one. Raises `Withheld` when it may be right too."""
        if picture == truth:
            return None, None
        if picture.row is truth.row:
            shift, _ = mirror_shift(picture.row, scene.readings)
            if shift < self.params.min_shift:
                raise Withheld("nothing proves that the mirrored picture looks different")
            return MIRRORED, shift
        mine, right = still_of(picture.row), still_of(truth.row)
        near = to_us(self.params.around_s)
        around = [still_of(s) for s in scene.around if abs(to_us(s["t_s"]) - to_us(right.t_s)) <= near]
        reason = why_still_fits(mine, right, around, min_gap_s=self.params.min_gap_s, min_bits=self.params.min_bits)
        if reason:
            raise Withheld(f"the picture at {mine.t_s:g} s: {reason}")
        if scene.cast == "reversed" and any(picture.row is s for s in scene.stills[:2]):
            return REVERSED, float(hash_distance(mine, right))
        vectors = {to_us(e["t_s"]): e["vector"] for e in scene.embeddings}
        a, b = vectors.get(to_us(mine.t_s)), vectors.get(to_us(right.t_s))
        if scene.holds(picture.row):
            return NEAR_IN_TIME, apart_s(mine, right)
        if a is None or b is None:
            return ELSEWHERE, apart_s(mine, right)
        return EMBEDDING_NEIGHBOUR, round(max(0.0, 1.0 - cosine(a, b)), 6)


def _steps(
    scene: Scene, pictures: Sequence[_Picture], truth: _Picture, window: Span, *, on_twin: bool
) -> Iterator[str]:
    """Why each wrong picture is wrong; without numbers, since packages list pictures in an order of their own."""
    for picture in pictures:
        if picture == truth:
            continue
        if picture.row is truth.row:
            yield "A picture shows this moment with left and right exchanged."
        elif not scene.holds(picture.row):
            yield "A picture belongs to another shot."
        else:
            t = scene.time_in(picture.row["t_s"], twin=on_twin)
            yield f"A picture belongs to {moment(t) if window.contains(t) else 'another moment of the shot'}."


def _ref(scene: Scene, picture: _Picture) -> MediumRef:
    """The still as a medium of its own, taken from the footage or from the mirrored twin. Raises `Withheld`."""
    media = scene.twin if picture.mirrored else scene.media
    assert media is not None
    t = scene.time_in(picture.row["t_s"], twin=picture.mirrored)
    end = grid(min(t + scene.step_s, media["duration_s"]))
    if not t < end:
        raise Withheld("a still lies at the very end of its footage")
    return MediumRef(media_id=media["media_id"], kind="image", start_s=t, end_s=end)


ANNOTATOR = FrameChoice
