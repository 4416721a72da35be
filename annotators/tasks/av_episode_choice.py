"""Choices that bind sound and sight in long footage, after HippoVlog: what is seen while something is heard, what is heard
while something is seen, and what is heard, or seen, next.

The question names one cue, the answer is another, and the wrong options are cues of the same kind from elsewhere in the same
footage, from other episodes where those are known. That cue and answer overlap in time (or follow each other), and that no
wrong option does, is computed from their rows. HippoVlog's fourth kind, semantic questions, has no answer that follows from
rows; there is none here.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import ClassVar, Literal

from pydantic import Field

from ...engine.annotator import Row, Rows, SkipUnit, Unit
from ...engine.described import COLUMNS as DESCRIBED_COLUMNS
from ...engine.distractors.style import may_stand_beside
from ...engine.distractors.texts import gap_s
from ...engine.distractors.vocabulary import NEAR_IN_TIME
from ...engine.kept import kept_clips, medium_row, one_producer, split_of
from ...engine.task import EvidenceRow, Task
from ...schemas.chain import Step
from ...schemas.chain_building import Trail
from ...schemas.ids import derive_id
from ...schemas.markup import escape, unescape
from ...schemas.metrics import normalise_words
from ...schemas.sample import Need, Option, Sample
from ...schemas.span import overlap_s
from ...schemas.verifying import Check
from .av_cues import NEEDS, SOUND_COLUMNS, Cue, cues_in, cues_of
from .choosing import Choice, choice_sample
from .common import (
    CLIP_COLUMNS,
    MEDIA_COLUMNS,
    RowDict,
    Withheld,
    cite,
    only_row,
    rebuilt,
    rows_of,
    shuffled,
    span_mark,
    span_of,
    wordings_of,
)
from .told import COLUMNS as TOLD_COLUMNS
from .told import ToldParams

Kind = Literal["seen_while", "heard_while", "heard_after", "seen_after"]
KINDS: dict[Kind, tuple[str, str]] = {
    "seen_while": ("heard", "seen"),
    "heard_while": ("seen", "heard"),
    "heard_after": ("heard", "heard"),
    "seen_after": ("seen", "seen"),
}
"""Modality of the cue that the question names, and of the answer."""
CITED = {**TOLD_COLUMNS, **DESCRIBED_COLUMNS, "sounds": SOUND_COLUMNS}
EPISODE_COLUMNS = ("start_s", "end_s")


class Params(ToldParams):
    """Parameters of av_episode_choice."""

    ask: tuple[Kind, ...] = Field(
        ("seen_while", "heard_while", "heard_after", "seen_after"), min_length=1, description="Kinds of question."
    )
    per_kind: int = Field(6, ge=1, description="Samples of a kind per clip, at most; an answer is used once.")
    options: int = Field(4, ge=2, le=8, description="Options of a question.")
    min_overlap_s: float = Field(0.5, gt=0, description="Least time for which cue and answer hold together.")
    max_step_s: float = Field(20.0, gt=0, description="Greatest time from a cue to what comes next.")
    by_episode: bool = Field(
        True,
        description="Take wrong options from other episodes where there are enough; such samples are as true as the episodes.",
    )
    min_gap_s: float = Field(
        0.5, ge=0, description="Least time between the cue and a wrong option that must not overlap it."
    )


class AvEpisodeChoice(Task[Params]):
    """Samples from what is said, heard, written and described in one medium."""

    name: ClassVar[str] = "av_episode_choice"
    version: ClassVar[int] = 1
    Params = Params
    reads = (
        "media", "clips", "selection", "words", "speech", "sounds", "text_regions", "captions", "events", "episodes",
        "footage_groups",
    )  # fmt: skip
    optional_reads = (
        "selection", "words", "speech", "sounds", "text_regions", "captions", "events", "episodes", "footage_groups",
    )  # fmt: skip
    must_hurt = ("prior", "options_only", "question_only")

    def code_digest(self) -> str:
        """Digest of the wordings."""
        return wordings_of(self.name).digest

    def annotate(self, unit: Unit, rows: Rows) -> Iterable[Row]:
        """At most `per_kind` samples of each kind per kept clip."""
        assert unit.medium is not None
        media_id = unit.medium.media_id
        media, split = medium_row(rows, media_id), split_of(rows, media_id)
        cues = cues_in(rows, self.params)
        if not any(cues.values()):
            raise SkipUnit("nothing is said, heard, written or described")
        episodes = one_producer(rows["episodes"]) if self.params.by_episode else []
        for clip in kept_clips(rows, media_id):
            window = span_of(clip)
            inside = {kind: [c for c in mine if window.contains_span(c.span)] for kind, mine in cues.items()}
            for kind in self.params.ask:
                used: set[str] = set()
                made = 0
                for cue, answer, wrong, episode in self._asks(kind, inside, episodes, unit.seed):
                    if made == self.params.per_kind:
                        break
                    if answer.text in used:
                        continue
                    question, form = wordings_of(self.name).choose(kind, unit.seed, _key(cue, answer), split=split)
                    try:
                        sample = self._build(
                            unit.recipe, media, clip, kind, cue, answer, wrong, episode, question.id, form.id
                        )
                    except Withheld:
                        continue
                    used.add(answer.text)
                    made += 1
                    yield "samples", sample.to_row()

    def recompute(self, sample: Sample, evidence: Sequence[EvidenceRow]) -> Check:
        """Make the cues again from the cited rows, test overlap and options, rebuild the sample."""
        return rebuilt(sample, lambda: self._rebuild(sample, evidence))

    def trace(self, sample: Sample, evidence: Sequence[EvidenceRow]) -> tuple[Step, ...]:
        """When cue, answer and wrong options hold."""
        trail = Trail()
        self._rebuild(sample, evidence, trail)
        return trail.steps

    def _rebuild(self, sample: Sample, evidence: Sequence[EvidenceRow], trail: Trail | None = None) -> Sample:
        kind = wordings_of(self.name).kind_of(sample.wording)
        if kind not in KINDS:
            raise Withheld(f"unknown wording {sample.wording}")
        cited = [{**e.row, "table": e.table} for e in evidence if e.table in CITED]
        place = {str(r["row_id"]): i for i, r in enumerate(cited)}
        cues = sorted(cues_of(cited, self.params), key=lambda c: place[str(c.rows[0]["row_id"])])
        if [str(r["row_id"]) for c in cues for r in c.rows] != list(place) or len(cues) != self.params.options + 1:
            raise Withheld("the cited rows do not give the cue and the options")
        episodes = rows_of(evidence, "episodes")
        return self._build(
            sample.recipe, only_row(evidence, "media"), only_row(evidence, "clips"), kind, cues[0], cues[1], cues[2:],
            episodes[0] if episodes else None, sample.wording, sample.answer_form, trail,
        )  # fmt: skip

    def _asks(
        self, kind: Kind, cues: dict[str, list[Cue]], episodes: Sequence[RowDict], seed: int
    ) -> Iterator[tuple[Cue, Cue, list[Cue], RowDict | None]]:
        """Cue, answer, wrong options and the episode that holds both, in an order that hashing gives."""
        asked, answering = KINDS[kind]
        said = Counter((c.kind, *normalise_words(c.text)) for mine in cues.values() for c in mine)
        named = [c for mine in cues.values() for c in mine if c.modality == asked]
        named = [c for c in named if said[c.kind, *normalise_words(c.text)] == 1]  # else it is not told which is meant
        for cue in shuffled(named, seed, self.name, kind, key=lambda c: [c.kind, c.text, c.span.start_s]):
            for pool in cues.values():
                mine = [c for c in pool if c.modality == answering and c is not cue]
                answer = self._answer(kind, cue, mine)
                if answer is None:
                    continue
                home = next((e for e in episodes if _holds(e, cue, answer)), None)
                for episode in (home, None) if home is not None else (None,):
                    wrong = self._wrong(kind, cue, answer, mine, episode)
                    if wrong is not None:
                        yield cue, answer, wrong, episode
                        break

    def _answer(self, kind: Kind, cue: Cue, pool: Sequence[Cue]) -> Cue | None:
        """What alone holds together with the cue, or what alone comes next after it."""
        if kind in ("seen_while", "heard_while"):
            near = [c for c in pool if gap_s(c.span, cue.span) < self.params.min_gap_s]
            return (
                near[0] if len(near) == 1 and overlap_s(near[0].span, cue.span) >= self.params.min_overlap_s else None
            )
        if any(c.text != cue.text and overlap_s(c.span, cue.span) > 0 and c.kind == cue.kind for c in pool):
            return None
        later = [c for c in pool if c.kind == cue.kind and c.span.start_s >= cue.span.end_s]
        later.sort(key=lambda c: c.span)
        if not later or (len(later) > 1 and later[1].span.start_s - later[0].span.start_s < self.params.min_gap_s):
            return None
        return later[0]

    def _wrong(
        self, kind: Kind, cue: Cue, answer: Cue, pool: Sequence[Cue], episode: RowDict | None
    ) -> list[Cue] | None:
        """The nearest cues in time that can stand beside the answer."""
        taken: list[Cue] = []
        for other in sorted(pool, key=lambda c: (gap_s(c.span, cue.span), c.span, c.text)):
            texts = [c.text for c in (cue, answer, *taken)]
            if self._problem(kind, cue, answer, other, episode) or any(_same(other.text, text) for text in texts):
                continue
            if all(may_stand_beside(other.text, c.text) for c in (answer, *taken)):
                taken.append(other)
            if len(taken) == self.params.options - 1:
                return taken
        return None

    def _problem(self, kind: Kind, cue: Cue, answer: Cue, other: Cue, episode: RowDict | None) -> str:
        """Why another cue is no wrong option; empty when it is one."""
        if other.kind != answer.kind:
            return "an option is of another kind than the answer"
        if kind in ("seen_while", "heard_while"):
            if gap_s(other.span, cue.span) < self.params.min_gap_s:
                return f"{other.text!r} holds at the same time too"
        elif cue.span.end_s <= other.span.start_s < answer.span.start_s + self.params.min_gap_s:
            return f"{other.text!r} comes earlier than the answer"
        if episode is not None and overlap_s(span_of(episode), other.span) > 0:
            return f"{other.text!r} belongs to the same episode"
        return ""

    def _build(
        self,
        recipe: str,
        media: RowDict,
        clip: RowDict,
        kind: Kind,
        cue: Cue,
        answer: Cue,
        wrong: Sequence[Cue],
        episode: RowDict | None,
        wording: str,
        form: str,
        trail: Trail | None = None,
    ) -> Sample:
        """The sample. Raises `Withheld`."""
        window = span_of(clip)
        if (cue.modality, answer.modality) != KINDS[kind]:
            raise Withheld("cue and answer are of other modalities than what is asked")
        if any(not window.contains_span(c.span) for c in (cue, answer, *wrong)):
            raise Withheld("a cue lies outside the clip")
        together = overlap_s(cue.span, answer.span)
        if kind in ("seen_while", "heard_while"):
            if together < self.params.min_overlap_s:
                raise Withheld(f"cue and answer hold together for {together:g} s only")
        elif answer.kind != cue.kind or not 0 <= answer.span.start_s - cue.span.end_s <= self.params.max_step_s:
            raise Withheld("the answer does not come soon after the cue")
        if episode is not None and not _holds(episode, cue, answer):
            raise Withheld("cue and answer are not in one episode")
        for other in wrong:
            if problem := self._problem(kind, cue, answer, other, episode):
                raise Withheld(problem)
            if any(_same(other.text, c.text) for c in (cue, answer)):
                raise Withheld(f"{other.text!r} is the answer, or the cue")
        options = [Option(text=escape(answer.text))]
        options += [
            Option(text=escape(o.text), distractor_kind=NEAR_IN_TIME, margin=round(gap_s(o.span, cue.span), 6))
            for o in wrong
        ]
        if len({o.text for o in options}) < self.params.options:
            raise Withheld("two options are alike, or there are too few")
        options.sort(key=lambda o: (derive_id("option", self.name, o.text), o.text))
        index = [o.text for o in options].index(escape(answer.text))
        needs: tuple[Need, ...] = tuple(dict.fromkeys((*NEEDS[answer.kind], *NEEDS[cue.kind])))
        if trail is not None:
            _chain(trail, kind, cue, answer, wrong, [o.text for o in options])
        choice = Choice(
            tuple(options),
            index,
            (
                f"{cue.clause[0].upper()}{cue.clause[1:]} in {span_mark(cue.span)}.",
                f"{answer.clause[0].upper()}{answer.clause[1:]} in {span_mark(answer.span)}.",
                f"The others are {'heard' if answer.modality == 'heard' else 'seen'} at other times.",
            ),
            {
                "overlap_s": round(together, 6),
                "nearest_s": round(min(gap_s(o.span, cue.span) for o in wrong), 6),
                "position": round((cue.span.centre_s - window.start_s) / window.length_s, 6),
                "rows": float(sum(len(c.rows) for c in (cue, answer, *wrong))),
                "in_episode": float(episode is not None),
            },
            needs,
            kind,
            {"clause": cue.clause},
        )
        evidence = (
            cite("media", media, MEDIA_COLUMNS),
            cite("clips", clip, CLIP_COLUMNS),
            *(cite(r["table"], r, CITED[r["table"]]) for c in (cue, answer, *wrong) for r in c.rows),
            *([cite("episodes", episode, EPISODE_COLUMNS)] if episode is not None else ()),
        )
        return choice_sample(
            self.name, self.version, recipe, media, clip["clip_id"], window, evidence, choice, wording, form
        )


def _chain(trail: Trail, kind: Kind, cue: Cue, answer: Cue, wrong: Sequence[Cue], options: Sequence[str]) -> None:
    """When the cue holds, when the answer does, that no other option does then, and which option the answer is."""
    asked, right = _when(trail, cue), _when(trail, answer)
    if kind in ("seen_while", "heard_while"):
        trail.require(asked, "touches", right=right, note=f"The cue holds in {{{asked}}}, the answer in {{{right}}}.")
        for other in wrong:
            trail.require(_when(trail, other), "apart", right=asked)
    else:
        trail.require(asked, "before", right=right, note=f"The cue ends before the answer begins, in {{{right}}}.")
    told, plain = _what(trail, answer), [unescape(o) for o in options]
    if answer.kind == "described":
        plain = list(options)
    given = {} if told else {"value": answer.text}
    trail.conclude("choice", trail.compute("index_of", *((told,) if told else ()), options=plain, **given))


def _what(trail: Trail, cue: Cue) -> str | None:
    """The text of a cue as its rows say it; None where it is put together from more than words (sounds, many readings)."""
    table = str(cue.rows[0]["table"])
    if table == "sounds" or (table == "text_regions" and len(cue.rows) > 1):
        return None
    told = trail.read(table, cue.rows, "word" if table == "words" else "text")
    return trail.compute("described" if cue.kind == "described" else "tidy", told)


def _when(trail: Trail, cue: Cue) -> str:
    """When a cue holds: the reach of its rows."""
    by_table = str(cue.rows[0]["table"])
    return trail.compute("reach", *(trail.locate(by_table, [row]) for row in (cue.rows[0], cue.rows[-1])))


def _holds(episode: RowDict, cue: Cue, answer: Cue) -> bool:
    return overlap_s(span_of(episode), cue.span) > 0 and overlap_s(span_of(episode), answer.span) > 0


def _same(a: str, b: str) -> bool:
    """Whether two texts are one, or one of them is the beginning or the end of the other (a sentence that was cut off)."""
    short, long = sorted((list(normalise_words(a)), list(normalise_words(b))), key=len)
    return not short or long[: len(short)] == short or long[-len(short) :] == short


def _key(cue: Cue, answer: Cue) -> list[object]:
    return [[r["row_id"] for r in c.rows] for c in (cue, answer)]


ANNOTATOR = AvEpisodeChoice
