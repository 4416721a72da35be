"""Choices about what is said or shown: two texts of one window, asked about in turn with the same options.

The options are made from both texts alike, so a pair of samples differs in nothing but what is asked, and no look at the
options tells which is right: blind guessing gets at most one of a pair. A task adds only how options are made. All that
the falsity test looks at is cited, and checking a sample makes its options again from the cited rows.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from pydantic import Field

from ...engine.annotator import Row, Rows, SkipUnit, Unit
from ...engine.distractors.style import may_stand_beside
from ...engine.distractors.texts import Told, gap_s, near_in_time
from ...engine.grounding.windows import NoWindow, choose_window, window_problems
from ...engine.kept import kept_clips, medium_row, split_of
from ...engine.task import EvidenceRow, Task
from ...schemas.chain import Step
from ...schemas.ids import derive_id
from ...schemas.sample import Evidence, Option, Sample
from ...schemas.span import Span
from ...schemas.verifying import Check
from . import told as t
from .choosing import Choice, choice_sample, traced
from .common import (
    CLIP_COLUMNS,
    MEDIA_COLUMNS,
    RowDict,
    Withheld,
    cite,
    covering,
    only_row,
    rebuilt,
    rows_of,
    shuffled,
    wordings_of,
)


class ToldChoiceParams(t.ToldParams):
    """Parameters of choices about what is said or shown."""

    ask: tuple[t.Kind, ...] = Field(("said", "shown"), min_length=1, description="What is asked about.")
    per_medium: int = Field(6, ge=1, description="Pairs of samples per medium and kind, at most; texts are used once.")
    window_s: tuple[float, float] = Field((6.0, 60.0), description="Shortest and longest window, drawn log-uniformly.")
    gap_s: tuple[float, float] = Field((0.3, 30.0), description="Least and greatest time between the two texts.")
    pair_share_max: float = Field(
        0.9, gt=0, le=1, description="Greatest share of the window from one text to the other."
    )


P = TypeVar("P", bound=ToldChoiceParams)


@dataclass(frozen=True)
class Ground:
    """What a sample rests on: the asked text, the other options' texts, and everything told in the window."""

    kind: t.Kind
    table: str
    asked: Told
    others: tuple[Told, ...]
    """The first is the pair's other text; those after it only serve as options."""
    witnesses: tuple[Told, ...]
    option_rows: tuple[RowDict, ...]
    witness_rows: tuple[RowDict, ...]

    @property
    def rows(self) -> dict[str, RowDict]:
        """The rows that options are made of, by identifier."""
        return {str(r["row_id"]): r for r in self.option_rows}

    @property
    def pair(self) -> list[Told]:
        """The two texts that are asked about, in order of time: the same for both samples of a pair."""
        return sorted((self.asked, self.others[0]), key=lambda x: (x.span, x.text))


class ToldChoice(Task[P]):
    """Base of the tasks; subclasses say what the options are."""

    reads = ("media", "clips", "selection", "speech", "words", "text_regions", "footage_groups")
    optional_reads = ("selection", "speech", "words", "text_regions", "footage_groups")
    must_hurt = ("prior", "options_only", "question_only")

    def code_digest(self) -> str:
        """Digest of the wordings."""
        return wordings_of(self.name).digest

    @abstractmethod
    def choice(self, ground: Ground, window: Span) -> Choice:
        """Options, answer and reasons. Raises `Withheld`."""

    def more(self, asked: Told, other: Told, source: t.Source, window: Span) -> list[tuple[Told, ...]]:
        """Further texts to build options from, as alternatives to be tried in turn."""
        return [()]

    def annotate(self, unit: Unit, rows: Rows) -> Iterable[Row]:
        """At most `per_medium` pairs of each kind; a text is used once."""
        assert unit.medium is not None
        media_id = unit.medium.media_id
        media, clips, split = medium_row(rows, media_id), kept_clips(rows, media_id), split_of(rows, media_id)
        sources = [
            t.said(rows, self.params) if kind == "said" else t.shown(rows, self.params) for kind in self.params.ask
        ]
        if not any(source.told for source in sources):
            raise SkipUnit("nothing is said or shown")
        for source in sources:
            used: set[Told] = set()
            pairs = 0
            for asked in shuffled(source.told, unit.seed, self.name, key=lambda x: [x.text, x.span.start_s]):
                if pairs == self.params.per_medium or asked in used:
                    continue
                samples = next(self._pairs(unit, media, clips, source, asked, used, split), ())
                used.update(told for told in (asked,) if samples)
                pairs += bool(samples)
                yield from (("samples", s.to_row()) for s in samples)

    def recompute(self, sample: Sample, evidence: Sequence[EvidenceRow]) -> Check:
        """Find the texts in the cited rows, make the options again with all their tests, rebuild the sample."""

        def build() -> Sample:
            ground = self._ground(sample, evidence)
            media, clips = only_row(evidence, "media"), rows_of(evidence, "clips")
            return self._build(
                sample.recipe, media, clips, ground, sample.window, sample.wording, sample.answer_form,
                paired=sample.pair_id is not None,
            )  # fmt: skip

        return rebuilt(sample, build)

    def trace(self, sample: Sample, evidence: Sequence[EvidenceRow]) -> tuple[Step, ...]:
        """How the options were made: which is right, and why the others are not."""
        return traced(self.choice(self._ground(sample, evidence), sample.window))

    def _ground(self, sample: Sample, evidence: Sequence[EvidenceRow]) -> Ground:
        return ground_of(evidence, int(sample.difficulty.get("option_rows", 0)), self.params)

    def _pairs(
        self,
        unit: Unit,
        media: RowDict,
        clips: Sequence[RowDict],
        source: t.Source,
        asked: Told,
        used: set[Told],
        split: str,
    ) -> Iterator[tuple[Sample, ...]]:
        """Samples about `asked` and a text near it: both, or the one that can be asked."""
        for near in near_in_time(asked, source.told, self.params.gap_s[0]):
            other = near.value
            if near.margin > self.params.gap_s[1]:
                return
            hull = Span(min(asked.span.start_s, other.span.start_s), max(asked.span.end_s, other.span.end_s))
            held = covering(clips, [asked.span, other.span])
            if other in used or not held or not may_stand_beside(asked.text, other.text):
                continue
            window = choose_window(
                hull, media["duration_s"], self.params.window_s, unit.seed, self.name, asked.text, asked.span.start_s,
                evidence_share_max=self.params.pair_share_max,
            )  # fmt: skip
            if isinstance(window, NoWindow):
                continue
            for more in self.more(asked, other, source, window):
                made = []
                for first, second in ((asked, other), (other, asked)):
                    ground = grounded(source, first, (second, *more), window, self.params)
                    question, form = wordings_of(self.name).choose(
                        source.kind, unit.seed, first.text, first.span.start_s, split=split
                    )
                    try:
                        made.append(
                            self._build(unit.recipe, media, held, ground, window, question.id, form.id, paired=True)
                        )
                    except Withheld:
                        break
                if len(made) == 2:
                    used.add(other)
                    yield tuple(made)
                    return

    def _build(
        self,
        recipe: str,
        media: RowDict,
        clips: Sequence[RowDict],
        ground: Ground,
        window: Span,
        wording: str,
        form: str,
        *,
        paired: bool,
    ) -> Sample:
        asked, other = ground.asked, ground.others[0]
        if wordings_of(self.name).kind_of(wording) != ground.kind:
            raise Withheld(f"wording {wording} asks about something else than what is {ground.kind}")
        for problem in window_problems(window, [asked.span, other.span], media["duration_s"], self.params.window_s):
            raise Withheld(problem)
        if not clips or covering(clips, [asked.span, other.span]) != list(clips):
            raise Withheld("the texts are not inside kept clips")
        least, most = self.params.gap_s
        if not least <= gap_s(asked.span, other.span) <= most:
            raise Withheld("the two texts are too near each other, or too far apart")
        for item in (asked, other):
            t.require_told(item, ground.witnesses)
        evidence = (
            cite("media", media, MEDIA_COLUMNS),
            *(cite("clips", c, CLIP_COLUMNS) for c in clips),
            *_cited(ground),
        )
        pair_id = derive_id("pair", self.name, [x.rows for x in ground.pair], window.start_s, window.end_s)
        return choice_sample(
            self.name, self.version, recipe, media, clips[0]["clip_id"], window, evidence,
            self.choice(ground, window), wording, form, pair_id if paired else None,
        )  # fmt: skip


def grounded(source: t.Source, asked: Told, others: tuple[Told, ...], window: Span, params: t.ToldParams) -> Ground:
    """The ground of a sample, with the witnesses that it has to cite: segments that touch the window, or readings.

    Of readings outside the asked texts' spans only the first and last of a stretch are cited.
    """
    option_rows = tuple(source.rows[r] for item in (asked, *others) for r in item.rows)
    near = t.touching(source.witnesses, window)
    if source.table == "text_regions":
        at = [w for item in (asked, others[0]) for w in t.touching(near, item.span)]
        near = sorted({*at, *t.briefly(near)}, key=lambda w: (w.span, w.text, w.rows))
    own = {str(r["row_id"]) for r in option_rows}
    rows = tuple(source.rows[r] for w in near for r in w.rows if r not in own)
    return _ground(source.kind, source.table, option_rows, rows, params)


def ground_of(evidence: Sequence[EvidenceRow], n: int, params: t.ToldParams) -> Ground:
    """The ground of a stored sample, from its evidence; its first `n` rows of texts are those of options. Raises
    `Withheld`.
    """
    found = [(e.table, e.row) for e in evidence if e.table in t.COLUMNS]
    tables = {table for table, _ in found[:n]}
    if n < 1 or len(tables) != 1:
        raise Withheld("no rows of texts are cited")
    table = tables.pop()
    kind: t.Kind = "shown" if table == "text_regions" else "said"
    allowed = {"text_regions"} if kind == "shown" else {"speech"}
    if any(other not in allowed for other, _ in found[n:]):
        raise Withheld("evidence of another kind is cited")
    return _ground(kind, table, tuple(r for _, r in found[:n]), tuple(r for _, r in found[n:]), params)


def _ground(
    kind: t.Kind, table: str, option_rows: tuple[RowDict, ...], witness_rows: tuple[RowDict, ...], params: t.ToldParams
) -> Ground:
    place = {str(r["row_id"]): i for i, r in enumerate(option_rows)}
    told = sorted(t.options_of(table, option_rows, params), key=lambda x: min(place[r] for r in x.rows))
    if [r for x in told for r in x.rows] != list(place) or len(told) < 2:
        raise Withheld("the cited rows do not give the texts of the options")
    spoken = [r for r in (*option_rows, *witness_rows) if "text" in r]
    witnesses = t.witnesses_of("text_regions" if kind == "shown" else "speech", spoken)
    return Ground(kind, table, told[0], tuple(told[1:]), witnesses, option_rows, witness_rows)


def _cited(ground: Ground) -> Iterator[Evidence]:
    for row in ground.option_rows:
        yield cite(ground.table, row, t.COLUMNS[ground.table])
    table = "text_regions" if ground.kind == "shown" else "speech"
    for row in ground.witness_rows:
        yield cite(table, row, t.COLUMNS[table])


def listed(task: str, options: Sequence[Option], right: Option) -> tuple[tuple[Option, ...], int]:
    """Options in an order that hashing their texts gives, and the place of the right one. Raises `Withheld` when two
    have one text.
    """
    if len({o.text for o in options}) < len(options):
        raise Withheld("two options have the same text")
    ordered = sorted(options, key=lambda o: (derive_id("option", task, o.text), o.text))
    return tuple(ordered), ordered.index(right)


def difficulty(ground: Ground, window: Span, **more: Any) -> dict[str, float]:
    """Difficulty factors of these tasks; `option_rows` says how many cited rows the options are made of."""
    asked = ground.asked.span
    return {
        "evidence_ratio": round(asked.length_s / window.length_s, 6),
        "position": round((asked.centre_s - window.start_s) / window.length_s, 6),
        "option_rows": float(len(ground.option_rows)),
        "witnesses": float(len(ground.witnesses)),
        **more,
    }
