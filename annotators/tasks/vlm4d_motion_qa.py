"""Which way does it go, does it turn or spin, how many things move, nearer to what? As the camera sees it and in the world.

The kinds of VLM4D, made from geometry instead of by hand: in a space from boxes and poses, elsewhere from tracks with the
background's motion taken out (`motion_scene.py`). The camera's view is that of a camera at rest where the window begins. A window
and its mirrored twin share their questions and exchange left and right, so that no side is a good guess.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from pydantic import Field

from ...engine.annotator import Params as BaseParams
from ...engine.annotator import Row, Rows, SkipUnit, Unit
from ...engine.grounding.windows import tile
from ...engine.kept import kept_clips, medium_row, one_producer, split_of
from ...engine.spaces import SPACE_TABLES, space_cited, space_in
from ...engine.task import EvidenceRow, Task
from ...schemas.chain import Step
from ...schemas.ids import derive_id, seeded_fraction
from ...schemas.markup import escape
from ...schemas.motion import Edit
from ...schemas.motion_paths import PathRule
from ...schemas.sample import ChoiceAnswer, Evidence, MediumRef, NumberAnswer, Sample
from ...schemas.space import Space
from ...schemas.span import Span, span_or_none
from ...schemas.verifying import Check
from ..asks.view import SEEN, SeenRule
from .common import (
    CLIP_COLUMNS,
    MEDIA_COLUMNS,
    RowDict,
    Withheld,
    cite,
    dialogue,
    only_row,
    rebuilt,
    rows_of,
    shuffled,
    spread,
    wordings_of,
)
from .motion_asks import KINDS, PLAIN, Kind, MotionAnswer, MotionQuestion, answered, questions
from .motion_scene import MotionScene, moving_windows, scene_of_space, scene_of_tracks
from .shown import EDIT_COLUMNS

Asked = tuple[MotionScene, MotionQuestion, MotionAnswer]


class Params(BaseParams):
    """Parameters of vlm4d_motion_qa."""

    ask: tuple[Kind, ...] = Field(KINDS, min_length=1, description="Kinds of question.")
    per_kind: int = Field(4, ge=1, description="Samples of a kind and medium, at most; twins come on top.")
    per_answer: int = Field(
        1, ge=1, description="Of these with the same answer, at most: what does not move would else be most of them."
    )
    rule: PathRule = Field(PathRule(), description="When a path has a name.")
    seen: SeenRule = Field(default=SEEN, description="When an object of a space counts as visible.")
    absent: tuple[str, ...] = Field(
        ("cart", "toy car", "robot", "ball"),
        description="Labels of things that may move: they are asked about where they rest, and where the scene has none.",
    )
    pad_s: float = Field(
        0.4, ge=0, description="Shown before and after a movement, and longest rest within one, seconds."
    )
    window_s: tuple[float, float] = Field((1.0, 12.0), description="Shortest and longest window.")
    piece_s: tuple[float, float] = Field(
        (3.0, 5.0), description="Windows in which nothing needs to move: pieces so long."
    )
    background: bool = Field(True, description="Without a space, whether paths of tracks are asked about at all.")


class Vlm4dMotionQa(Task[Params]):
    """Samples from the space or the tracks of one medium, and from mirrored twins of its clips."""

    name = "vlm4d_motion_qa"
    version = 1
    Params = Params
    reads = ("media", "clips", "selection", *SPACE_TABLES, "signals", "edits", "footage_groups")
    optional_reads = ("selection", *SPACE_TABLES, "signals", "edits", "footage_groups")
    writes = ("samples", "spatial_checks", "withheld")
    must_hurt = ("prior", "options_only", "question_only", "middle_frame", "first_frame")

    def code_digest(self) -> str:
        """Digest of the wordings."""
        return wordings_of(self.name).digest

    def annotate(self, unit: Unit, rows: Rows) -> Iterable[Row]:
        """At most `per_kind` samples of a kind, rare answers first, each with those on its twins."""
        assert unit.medium is not None
        media_id = unit.medium.media_id
        media, split = medium_row(rows, media_id), split_of(rows, media_id)
        if media["origin"] == "edited":
            raise SkipUnit("an edited twin; its samples are made with those of its source")
        if not rows["scenes"] and not rows["tracks"]:
            raise SkipUnit("no space and no tracks")
        space = space_in(rows) if rows["scenes"] else None
        good: dict[str, list[Asked]] = {}
        reasons: Counter[tuple[str, str]] = Counter()
        for scene in self._scenes(rows, media, space):
            for asked in questions(scene, self.params.absent):
                if asked.kind not in self.params.ask:
                    continue
                try:
                    good.setdefault(asked.kind, []).append((scene, asked, answered(scene, asked, self.params.rule)))
                except Withheld as reason:
                    reasons[asked.kind, str(reason)] += 1
        for kind, found in sorted(good.items()):
            ordered = shuffled(
                found, unit.seed, self.name, kind, key=lambda f: [f[0].window.start_s, f[2].slots, f[1].absent]
            )
            chosen = self._mixed(spread(ordered, lambda f: f[2].text, len(ordered)), unit.seed)
            reasons[kind, ""] += len(chosen)
            reasons[kind, "enough of its kind"] += len(found) - len(chosen)
            for scene, asked, answer in chosen:
                about = [media_id, scene.window.start_s, answer.slots, asked.absent]
                question, form = wordings_of(self.name).choose(kind, unit.seed, about, split=split)
                group = [(scene, answer), *self._twins(scene, asked, rows)]
                for shown, said in group:
                    sample = self._build(unit.recipe, shown, asked, said, question.id, form.id, paired=len(group) > 1)
                    yield "samples", sample.to_row()
                    yield "spatial_checks", _check_row(sample, kind, said, space)
        for (kind, why), count in sorted(reasons.items()):
            if count:
                yield "withheld", {"task": self.name, "kind": kind, "reason": why, "candidates": count}

    def recompute(self, sample: Sample, evidence: Sequence[EvidenceRow]) -> Check:
        """Build the scene of the cited rows again (mirrored, on a twin), and the sample from it."""
        return rebuilt(sample, lambda: self._rebuild(sample, evidence))

    def trace(self, sample: Sample, evidence: Sequence[EvidenceRow]) -> tuple[Step, ...]:
        """None: a path is an integral over boxes and poses, for which chains have no steps."""
        return ()

    # -- scenes ----------------------------------------------------------------------------------------------------

    def _scenes(self, rows: Rows, media: RowDict, space: Space | None) -> Iterator[MotionScene]:
        media_id = str(media["media_id"])
        tracks, boxes = one_producer(rows["tracks"]), one_producer(rows["boxes"])
        signals = sorted(one_producer(rows["signals"]), key=lambda s: s["t_s"])
        least, most = self.params.window_s
        for clip in kept_clips(rows, media_id):
            whole = span_or_none(clip["start_s"], min(clip["end_s"], media["duration_s"]))
            if whole is None:
                continue
            windows: set[Span] = set()
            if space is not None:
                for thing in space.objects:
                    windows |= set(moving_windows(space, thing, whole, self.params.pad_s, least, most))
                windows |= set(tile(whole, self.params.piece_s))
            elif self.params.background:
                windows = {s for s in (_place_of(t, boxes, whole) for t in tracks) if s and least <= s.length_s <= most}
            for window in sorted(windows):
                try:
                    if space is not None:
                        yield scene_of_space(space, media, clip, window, self.params.seen)
                    else:
                        mine = [t for t in tracks if t["start_s"] < window.end_s and t["end_s"] > window.start_s]
                        yield scene_of_tracks(mine, boxes, signals, media, clip, window, complete=False)
                except Withheld:
                    continue

    def _twins(
        self, scene: MotionScene, asked: MotionQuestion, rows: Rows
    ) -> Iterator[tuple[MotionScene, MotionAnswer]]:
        """The same question in mirrored twins of the clip that hold the window."""
        media = {str(m["media_id"]): m for m in rows["media"]}
        for edit in sorted(rows["edits"], key=lambda e: str(e["media_id"])):
            twin = media.get(str(edit["media_id"]))
            if twin is None or edit["operation"] != "mirror" or edit["source_clip_id"] != scene.clip["clip_id"]:
                continue
            mapping = Edit.from_row(edit)
            window = Span(mapping.time(scene.window.start_s), mapping.time(scene.window.end_s)).quantised()
            if window.start_s < 0 or window.end_s > twin["duration_s"] + 1e-6:
                continue
            shown = scene.as_mirrored(twin, edit, window)
            try:
                yield shown, answered(shown, asked, self.params.rule)
            except Withheld:
                continue

    def _mixed(self, found: Sequence[Asked], seed: int) -> list[Asked]:
        """At most `per_kind` with a side, and `per_answer` of one answer; for each of these, with one chance in two, one that says
        no motion, and one about what is absent.
        """
        told: Counter[str] = Counter()
        kept: list[Asked] = []
        plain: list[Asked] = []
        for f in found:
            told[f[2].text] += 1
            if told[f[2].text] > self.params.per_answer:
                continue
            (plain if f[2].label in PLAIN and f[2].count is None else kept).append(f)
        sided = kept = kept[: self.params.per_kind]
        for label in PLAIN:
            # two opposites share what is asked about sides: each plain answer is asked for half as often as both
            share = sum(seeded_fraction(seed, self.name, label, f[0].window.start_s, f[2].slots) < 0.5 for f in sided)
            kept = kept + [f for f in plain if f[2].label == label][:share]
        return [f for f in found if any(f is k for k in kept)]

    # -- a sample --------------------------------------------------------------------------------------------------

    def _rebuild(self, sample: Sample, evidence: Sequence[EvidenceRow]) -> Sample:
        named = wordings_of(self.name).kind_of(sample.wording)
        kind = next((k for k in KINDS if k == named), None)
        media, clip = only_row(evidence, "media"), only_row(evidence, "clips")
        edits = rows_of(evidence, "edits")
        if kind is None or len(edits) > 1:
            raise Withheld("unknown wording, or more than one edit is cited")
        mapping = Edit.from_row(edits[0]) if edits else None
        window = sample.window
        if mapping is not None:
            window = Span(*(mapping.source_time(t) for t in (window.start_s, window.end_s))).quantised()
        space = space_cited(evidence)
        if space is not None:
            scene = scene_of_space(space, media, clip, window, self.params.seen)
        else:
            scene = scene_of_tracks(
                rows_of(evidence, "tracks"), rows_of(evidence, "boxes"), rows_of(evidence, "signals"), media, clip, window,
                complete=False,
            )  # fmt: skip
        if edits:
            if edits[0]["media_id"] != media["media_id"] or edits[0]["operation"] != "mirror":
                raise Withheld("the edit made another medium")
            scene = scene.as_mirrored(media, edits[0], sample.window)
        asked = self._asked(sample, kind, evidence)
        answer = answered(scene, asked, self.params.rule)
        return self._build(
            sample.recipe, scene, asked, answer, sample.wording, sample.answer_form, paired=sample.pair_id is not None
        )  # fmt: skip

    def _asked(self, sample: Sample, kind: Kind, evidence: Sequence[EvidenceRow]) -> MotionQuestion:
        which = int(sample.difficulty.get("absent", 0))
        if which:
            if which > len(self.params.absent):
                raise Withheld("an absent thing is asked about that is not on the list")
            return MotionQuestion(kind, (), self.params.absent[which - 1])
        count = int(sample.difficulty.get("things", 0))
        table, column = ("boxes3d", "object_id") if rows_of(evidence, "scenes") else ("tracks", "track_id")
        names = list(dict.fromkeys(str(r[column]) for r in rows_of(evidence, table)))
        if len(names) < count:
            raise Withheld("fewer things are cited than are asked about")
        return MotionQuestion(kind, tuple(names[:count]))

    def _build(
        self, recipe: str, scene: MotionScene, asked: MotionQuestion, answer: MotionAnswer, wording: str, form: str,
        *, paired: bool,
    ) -> Sample:  # fmt: skip
        """The sample: a pure function of the scene, the question and its wording. Raises `Withheld`."""
        wordings = wordings_of(self.name)
        question, said = wordings.question(asked.kind, wording), wordings.answer(asked.kind, form)
        if question is None or said is None:
            raise Withheld(f"unknown wording {wording} or answer form {form}")
        slots = {name: escape(text) for name, text in answer.slots.items()}
        told = "<answer>" if answer.count is None else str(answer.count)
        factors = {
            **answer.difficulty,
            "things": float(len(asked.names)),
            "length_s": round(scene.window.length_s, 6),
            "mirrored": float(scene.mirrored),
        }
        if asked.absent:
            factors["absent"] = float(self.params.absent.index(asked.absent) + 1)
        if answer.margin is not None:
            factors["margin"] = round(answer.margin, 6)
        return Sample(
            task=self.name,
            recipe=recipe,
            clip_id=scene.clip["clip_id"],
            media=(
                MediumRef(
                    media_id=scene.media["media_id"], kind="video", start_s=scene.window.start_s, end_s=scene.window.end_s
                ),
            ),
            turns=dialogue("<video>", question.fill(slots), said.fill({"answer": told}), options=bool(answer.options)),
            answer=ChoiceAnswer(index=answer.index) if answer.count is None else NumberAnswer(value=float(answer.count), unit="things"),
            options=tuple(o.model_copy(update={"text": escape(o.text)}) for o in answer.options),
            rationale=tuple(map(escape, answer.rationale)),
            evidence=self._evidence(scene, asked, answer),
            needs=("vision", "motion"),
            origin=scene.media["origin"] or "real",
            wording=wording,
            answer_form=form,
            pair_id=derive_id("pair", self.name, scene.clip["clip_id"], asked.kind, answer.slots, asked.absent, answer.says.lstrip("-")) if paired else None,
            difficulty=factors,
            generator=f"{self.name}@{self.version}",
        )  # fmt: skip

    @staticmethod
    def _evidence(scene: MotionScene, asked: MotionQuestion, answer: MotionAnswer) -> tuple[Evidence, ...]:
        """Media, clip, edit, scene; then the things asked about, in order, and all others of their labels."""
        asks = list(answer.things)
        if not asked.absent and asked.kind != "count":
            labels = {t.label for t in asks}
            asks += [t for t in scene.things if t.label in labels and all(t.name != a.name for a in asks)]
        rows = [e for t in asks for e in t.evidence]
        if asked.absent:
            rows = [e for e in rows if e.table == "boxes3d"]
        edits = () if scene.edit is None else (cite("edits", scene.edit, EDIT_COLUMNS),)
        return (
            cite("media", scene.media, MEDIA_COLUMNS),
            cite("clips", scene.clip, CLIP_COLUMNS),
            *edits,
            *scene.evidence,
            *{(e.table, e.row_id): e for e in rows}.values(),
        )


def _place_of(track: RowDict, boxes: Sequence[RowDict], within: Span) -> Span | None:
    """From the first to the last box of a track in a clip."""
    times = [b["t_s"] for b in boxes if b["track_id"] == track["track_id"] and within.contains(b["t_s"])]
    return span_or_none(min(times), min(max(times) + 0.02, within.end_s)) if len(times) > 1 else None


def _check_row(sample: Sample, kind: str, answer: MotionAnswer, space: Space | None) -> dict[str, object]:
    scores = [o.score for o in space.objects if any(o.object_id == t.name for t in answer.things)] if space else []
    return {
        "sample_id": sample.sample_id,
        "kind": kind,
        "scale_status": space.scale_status if space else None,
        "scale_sigma": space.scale_sigma if space else None,
        "margin": None if answer.margin is None else round(answer.margin, 6),
        "margin_unit": answer.margin_unit or None,
        "confidence": round(min(scores, default=1.0), 6),
        "tier": "exact" if space and space.scale_status == "sensor" else "model",
        "first_source": "boxes3d and cameras" if space else "boxes and signals",
        "first_answer": answer.says,
        "second_source": None,
        "second_answer": None,
        "agree": None,
    }


ANNOTATOR = Vlm4dMotionQa
