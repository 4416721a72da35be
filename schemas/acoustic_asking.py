"""Questions about a scene of sounds, written from templates and filled depth first, with answers kept in balance.

Each template is a way from the scene to an answer: count, exist, compare counts, query an attribute or a position; with no or
with one relation. Slots are filled one after the other in a drawn order and a branch is left as soon as its partial
program has no result (CLEVR, CLEAR). Rejected are questions without answer, degenerate ones (any relation that could be
the whole scene: whether something exists before or after something else can then only be denied, so that is not
asked), and answers that are over-represented among those of questions alike: by the published rule, and by a
stricter one of ours, under which knowing the template is worth nothing. Counters start anew every so many scenes.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache, lru_cache
from itertools import islice, pairwise, product
from math import gcd

from .acoustic_programs import ORDINALS, THIRDS, Impossible, Node, Program, Scene, degenerate, run
from .ids import seeded_fraction

OPTIONS: dict[str, tuple[str, ...]] = {
    "note": ("A", "A#", "B", "C", "C#", "D", "D#", "E", "F", "F#", "G", "G#"),
    "loudness": ("loud", "quiet"),
    "brightness": ("bright", "dark"),
    "third": THIRDS,
    "position": ORDINALS[:8],
    "position_of_kind": ORDINALS[:4],
    "count": ("0", "1", "2", "3", "4"),
    "yes_no": ("no", "yes"),
}
"""Answers of each type; instruments are those of the scenes."""
RELATIONS = ("before", "after")
_PICKS = ("first", "second", "third", "last")
_EXTREMES = ("longest", "shortest")


@dataclass(frozen=True)
class Phrase:
    """Which sounds are meant: values by attribute, and which one of them."""

    values: tuple[tuple[str, str], ...] = ()
    pick: str = ""
    """An ordinal, longest, shortest, or '' for all of them."""

    def noun(self, *, plural: bool) -> str:
        """Such as `loud bright violin sounds`."""
        told = dict(self.values)
        words = [
            self.pick,
            told.get("loudness", ""),
            told.get("brightness", ""),
            told.get("note", ""),
            told.get("instrument", ""),
        ]
        return " ".join([w for w in words if w] + ["sounds" if plural else "sound"])

    @property
    def kind(self) -> str:
        """What it names, without the values: questions alike share it."""
        pick = "extreme" if self.pick in _EXTREMES else self.pick
        return "+".join([name for name, _ in self.values] + ([pick] if pick else []))


@dataclass(frozen=True)
class Question:
    """A question with its program and answer; `key` says with which others it shares its balance."""

    template: str
    key: str
    text: str
    program: Program
    answer: str
    type: str
    options: tuple[str, ...]


@dataclass(frozen=True)
class Rules:
    """What is asked and when an answer is one too many."""

    per_scene: int = 4
    tries: int = 100
    reset_every: int = 400
    over_top: float = 1.1
    top_rank: float = 0.15
    over_median: float = 5.0
    slack: int | None = 2
    """Ours: by how many an answer may lead the rarest possible one of its template, and half as many (at least one) of
    questions alike; None: the published rule alone."""
    shift_s: float = 0.0
    """Answers must survive shifts of all boundaries by as much."""
    attributes: tuple[str, ...] = ("instrument", "loudness", "brightness", "note")
    labels: tuple[str, ...] = ()
    """Instruments (or labels) that may be asked for and are the options of `instrument`."""


@dataclass
class Asker:
    """Writes questions scene by scene; keeps the counters."""

    rules: Rules
    seed: object
    _scenes: int = 0
    _answers: dict[str, Counter[str]] = field(default_factory=dict)
    _used: Counter[str] = field(default_factory=Counter)

    def ask(self, scene: Scene) -> list[Question]:
        """At most `per_scene` questions of different templates, least used templates first."""
        if self._scenes % self.rules.reset_every == 0:
            self._answers, self._used = {}, Counter()
        self._scenes += 1
        made: list[Question] = []
        order = sorted(TEMPLATES, key=lambda t: (self._used[t], seeded_fraction(self.seed, self._scenes, t), t))
        for template in order:
            if len(made) == self.rules.per_scene:
                break
            question = self._one(template, scene)
            if question is not None:
                for key in (template, question.key):
                    self._answers.setdefault(key, Counter())[question.answer] += 1
                self._used[template] += 1
                made.append(question)
        return made

    def _one(self, template: str, scene: Scene) -> Question | None:
        tries = 0
        for filled in TEMPLATES[template](scene, self.rules, (self.seed, self._scenes, template)):
            tries += 1
            if tries > self.rules.tries:
                return None
            try:
                answer = run(filled.program, scene, self.rules.shift_s)
                options = OPTIONS.get(filled.type, self.rules.labels)
                if answer not in options or degenerate(filled.program, scene):
                    continue
            except Impossible:
                continue
            key = f"{template}/{filled.key}"
            if not self.too_many(template, key, answer, options):
                return Question(template, key, filled.text, filled.program, answer, filled.type, tuple(options))
        return None

    def too_many(self, template: str, key: str, answer: str, options: Sequence[str]) -> bool:
        """Whether one more of this answer would be over-represented in its template, or among questions alike."""
        rules, counts = self.rules, self._answers.get(template, Counter())
        ranked = sorted((counts[o] for o in options), reverse=True)
        top = ranked[int(rules.top_rank * len(ranked))]
        median = max(5, ranked[len(ranked) // 2])
        if counts[answer] > rules.over_top * top or counts[answer] > rules.over_median * median:
            return True
        if rules.slack is None:
            return False
        alike = self._answers.get(key, Counter())
        lead = alike[answer] - min(alike[o] for o in options)
        return counts[answer] - ranked[-1] >= rules.slack or lead >= max(1, rules.slack // 2)


@dataclass(frozen=True)
class Filled:
    """A filled template."""

    program: Program
    text: str
    key: str
    type: str


Fill = Callable[[Scene, Rules, object], Iterator[Filled]]
"""A template: filled questions about a scene, in a drawn order."""


# -- parts of programs ---------------------------------------------------------------------------------------------------


@cache
def _combinations(attributes: tuple[str, ...]) -> tuple[tuple[str, ...], ...]:
    """Sets of attributes that a phrase may name: one or two of them, and none."""
    pairs = [(a, b) for i, a in enumerate(attributes) for b in attributes[i + 1 :]]
    return ((), *((a,) for a in attributes), *pairs)


@lru_cache(maxsize=8)
def _rings(scene: Scene, rules: Rules, one: bool) -> tuple[tuple[Phrase, ...], ...]:
    """Phrases about one sound of the scene, kind by kind; or about several, with values that do not occur among them."""
    known = {a: sorted({getattr(s, a) for s in scene.sounds} - {""}) for a in rules.attributes}
    wider = {a: sorted({*known[a], *OPTIONS.get(a, rules.labels)}) if known[a] else [] for a in rules.attributes}
    rings: dict[str, list[Phrase]] = {}
    for names in _combinations(rules.attributes):
        for values in product(*((known if one else wider)[n] for n in names)):
            told = tuple(zip(names, values, strict=True))
            found = [Phrase(told, pick) for pick in (*_PICKS, *_EXTREMES)] if one and len(names) < 2 else []
            for phrase in (*found, *((Phrase(told),) if names else ())):
                rings.setdefault(phrase.kind, []).append(phrase)
    return tuple(tuple(ring) for _, ring in sorted(rings.items()))


def _phrases(scene: Scene, rules: Rules, seed: object, *, one: bool) -> Iterator[Phrase]:
    """All phrases in a drawn order: kinds in turn, each kind in steps around its ring from a drawn place."""
    rings = _rings(scene, rules, one)
    drawn = seeded_fraction(seed, "phrases", one)
    turned = [rings[(int(drawn * len(rings)) + n) % len(rings)] for n in range(len(rings))]
    starts = [int((drawn * (11 + 3 * n)) % 1 * len(ring)) for n, ring in enumerate(turned)]
    steps = [next(n for n in range(int(len(r) * 0.38) + 1, len(r) + 2) if gcd(n, len(r)) == 1) for r in turned]
    for turn in range(max(map(len, rings), default=0)):
        for ring, start, step in zip(turned, starts, steps, strict=True):
            if turn < len(ring):
                yield ring[(start + turn * step) % len(ring)]


def _meant(nodes: list[Node], phrase: Phrase, start: int, *, one: bool) -> int:
    """Add the steps from step `start` to what is meant; the number of the last."""
    at = start
    for name, value in phrase.values:
        nodes.append(Node(op="filter", args=(name, value), inputs=(at,)))
        at = len(nodes) - 1
    if phrase.pick:
        op = "extreme" if phrase.pick in _EXTREMES else "nth"
        nodes.append(Node(op=op, args=(phrase.pick,), inputs=(at,)))
        at = len(nodes) - 1
    if one:
        nodes.append(Node(op="unique", inputs=(at,)))
        at = len(nodes) - 1
    return at


def _anchors(scene: Scene, rules: Rules, seed: object) -> Iterator[tuple[Phrase, str, tuple[Node, ...]]]:
    """(anchor, relation, program to the related sounds) that have a result: the first levels of the search."""
    for phrase in _phrases(scene, rules, (seed, "anchor"), one=True):
        nodes = [Node(op="scene")]
        at = _meant(nodes, phrase, 0, one=True)
        for how in sorted(RELATIONS, key=lambda r: seeded_fraction(seed, phrase.values, phrase.pick, r)):
            program = (*nodes, Node(op="relate", args=(how,), inputs=(at,)))
            try:
                run((*program, Node(op="count", inputs=(len(program) - 1,))), scene, rules.shift_s)
            except Impossible:
                continue
            yield phrase, how, program


def _starts(scene: Scene, rules: Rules, seed: object, related: bool) -> Iterator[tuple[tuple[Node, ...], str, str]]:
    """(program, words after the noun, key) of what a question looks at: the whole scene, or what stands to an anchor."""
    if not related:
        yield (Node(op="scene"),), "", "scene"
        return
    for phrase, how, program in _anchors(scene, rules, seed):
        yield program, f" {how} the {phrase.noun(plural=False)}", f"{how}:{phrase.kind}"


# -- templates -----------------------------------------------------------------------------------------------------------


def _several(op: str, related: bool) -> Fill:
    def fill(scene: Scene, rules: Rules, seed: object) -> Iterator[Filled]:
        for begun, where, key in _starts(scene, rules, seed, related):
            for n, phrase in enumerate(_phrases(scene, rules, (seed, where), one=False)):
                if related and n == 4:
                    break
                nodes = list(begun)
                at = _meant(nodes, phrase, len(nodes) - 1, one=False)
                nodes.append(Node(op=op, inputs=(at,)))
                many, single = phrase.noun(plural=True), phrase.noun(plural=False)
                if op == "count":
                    text = _said(seed, where, f"How many {many} are there{where}?", f"Count the {many}{where}.")
                else:
                    text = _said(seed, where, f"Is there any {single}{where}?", f"Does any {single} occur{where}?")
                yield Filled(tuple(nodes), text, f"{key}|{phrase.kind}", "count" if op == "count" else "yes_no")

    return fill


def _compared(related: bool) -> Fill:
    words = {"more": "more {a} than {b}", "fewer": "fewer {a} than {b}", "equal": "as many {a} as {b}"}

    def fill(scene: Scene, rules: Rules, seed: object) -> Iterator[Filled]:
        for begun, where, key in _starts(scene, rules, seed, related):
            phrases = list(islice(_phrases(scene, rules, (seed, where), one=False), 10))
            pairs = [
                (a, b)
                for a, b in pairwise(phrases)
                if not {*a.values} <= {*b.values} and not {*b.values} <= {*a.values}
            ]
            for first, second in pairs[:6]:
                how = sorted(words, key=lambda w: seeded_fraction(seed, where, first.values, w))[0]
                nodes = list(begun)
                start, counts = len(nodes) - 1, []
                for phrase in (first, second):
                    at = _meant(nodes, phrase, start, one=False)
                    nodes.append(Node(op="count", inputs=(at,)))
                    counts.append(len(nodes) - 1)
                nodes.append(Node(op=how, inputs=tuple(counts)))
                said = words[how].format(a=first.noun(plural=True), b=second.noun(plural=True))
                text = _said(seed, where, f"Are there {said}{where}?", f"Do you hear {said}{where}?")
                yield Filled(tuple(nodes), text, f"{key}|{how}|{first.kind}|{second.kind}", "yes_no")

    return fill


_ASKED = {
    "instrument": ("What makes the {noun}?", "Which source does the {noun} come from?"),
    "note": ("Which note is the {noun}?", "What is the pitch name of the {noun}?"),
    "loudness": ("How loud is the {noun}?", "Is the {noun} loud or quiet?"),
    "brightness": ("How bright is the {noun}?", "Is the {noun} bright or dark?"),
    "third": ("In which part of the scene is the {noun}?", "Where in the scene does the {noun} lie?"),
    "position": ("Counting all sounds, at which place does the {noun} come?", "Which sound of the scene, in order, is the {noun}?"),
    "position_of_kind": (
        "Among the sounds of the same source, at which place does the {noun} come?",
        "Counting only sounds from its own source, which one is the {noun}?",
    ),
}  # fmt: skip


def _queried(what: str, related: bool) -> Fill:
    def fill(scene: Scene, rules: Rules, seed: object) -> Iterator[Filled]:
        if what in OPTIONS and what in ("note", "loudness", "brightness") and what not in rules.attributes:
            return
        for begun, where, key in _starts(scene, rules, seed, related):
            for n, phrase in enumerate(_phrases(scene, rules, (seed, where), one=True)):
                if related and n == 4:
                    break
                told = {name for name, _ in phrase.values}
                if what in told or (what == "position" and phrase.pick in (*_PICKS,) and not told):
                    continue
                if what == "position_of_kind" and phrase.pick in _PICKS and "instrument" in told:
                    continue
                nodes = list(begun)
                at = _meant(nodes, phrase, len(nodes) - 1, one=True)
                nodes.append(Node(op="query", args=(what,), inputs=(at,)))
                noun = phrase.noun(plural=False) + where
                text = _said(seed, where, *(t.format(noun=noun) for t in _ASKED[what]))
                # Where a sound lies follows from which one it is: its pick is part of the key.
                yield Filled(tuple(nodes), text, f"{key}|{phrase.kind}", what)

    return fill


def _said(seed: object, where: str, *ways: str) -> str:
    return ways[int(seeded_fraction(seed, "words", where) * len(ways))]


TEMPLATES: dict[str, Fill] = {
    "count": _several("count", related=False),
    "count_relation": _several("count", related=True),
    "exist": _several("exist", related=False),
    "compare_count": _compared(related=False),
    "compare_count_relation": _compared(related=True),
    **{f"query_{what}": _queried(what, related=False) for what in _ASKED},
    **{
        f"query_{what}_relation": _queried(what, related=True)
        for what in ("instrument", "note", "loudness", "brightness")
    },
}
