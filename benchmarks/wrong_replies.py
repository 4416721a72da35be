"""What the rules of slots, order and rewordings catch of wrong model output: twelve kinds, made from good replies on real rows.

    python benchmarks/wrong_replies.py ROOT [--cases 50] [--show]

ROOT is a dataset with speech, writing, captions, shots and template samples (a copy: nothing is written). Good replies are
sentences over the evidence of windows of its media, with slots and claims that hold, and rewordings of its questions; each
wrong one is a good one with a single thing made wrong. Printed is a Markdown table: of each kind how many wrong replies were
caught, how many of these by the rule that is meant for it, and how many of the good ones were rejected. `--show` lists what was
missed or falsely rejected. Wrong colours, actors and actions are measured by `wrong_claims.py`.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from chronotope.annotators.tasks.rephrase import Original, original_of
from chronotope.annotators.tasks.rewording_rules import answer_problem, question_problem
from chronotope.engine.annotator import Rows
from chronotope.engine.catalog import Catalog
from chronotope.engine.llm.evidence import facts_of
from chronotope.schemas.facts import Fact, Facts
from chronotope.schemas.ids import seeded_fraction
from chronotope.schemas.slots import TimeClaim, claim_problems, resolve
from chronotope.schemas.span import Span, seconds_text, to_us

T = TypeVar("T")
LENGTHS_S = (12.0, 20.0, 30.0)
APART_S = 0.6
TABLES = ("speech", "text_regions", "captions", "shots", "tracks", "boxes")


@dataclass(frozen=True)
class Scene:
    """A window with its evidence, and two facts of it of which the first ends well before the second starts."""

    window: Span
    facts: Facts
    first: Fact
    second: Fact
    wider: Facts
    """The evidence of a wider window, under the names that it has there."""


@dataclass(frozen=True)
class Case:
    """A reply and whether it is wrong."""

    text: str
    wrong: bool
    rules: tuple[str, ...]
    """What was found."""


def pick(options: Sequence[T], *key: object) -> T:
    """One of the options, by nothing but the key."""
    return options[int(seeded_fraction("wrong replies", *key) * len(options))]


# -- good replies ----------------------------------------------------------------------------------------------------

SAID = {
    "speech": (
        "somebody says {N.text}", "a voice says {N.text}", "we hear the words {N.text}", "the speaker tells us {N.text}",
        "one hears {N.text}", "the narrator remarks {N.text}", "no one but the narrator speaks: {N.text}",
    ),
    "text": (
        "the words {N.text} stand on the screen", "a sign reads {N.text}", "one can read {N.text}", "the lettering {N.text} is shown",
        "the first of the captions, {N.text}, is up", "each one can see {N.text} in the picture",
    ),
    "event": ("what happens is {N.text}", "PLAIN", "one sees that PLAIN", "PLAIN", "at once, PLAIN"),
    "shot": (
        "one and the same shot runs", "another shot is seen", "a second view of the place is shown", "one of the shots goes by",
        "the picture stays uncut",
    ),
    "object": ("{N.label} is seen", "a {N.label} is visible", "one notices the {N.label}"),
}  # fmt: skip
ORDERED = (
    "At {A}, SA, before SB at {B}.", "SA at {A}. Then SB at {B}.", "After SA at {A}, SB at {B}.", "SA ({A}), and later SB ({B}).",
    "Before SB at {B}, SA at {A}.", "SB at {B} after SA at {A}.", "First SA at {A}; next SB at {B}.", "SA during {A}. Afterwards, at {B}, SB.",
    "SA until {A.end}, then SB from {B.start} on.", "SA in {A}, which is before SB in {B}.", "From {A.start} on, SA. Finally, during {B}, SB.",
    "SA at {A}, and after that SB at {B}.", "SB at {B}; earlier, at {A}, SA.", "SA in {A}. After that, SB in {B}.",
    "SA ({A}) shortly before SB ({B}).", "When SA at {A}, SB has not begun; it begins at {B.start}.",
)  # fmt: skip
LONE = (
    "At {A}, SA.", "SA during {A}, once and for all.", "Between {A.start} and {A.end}, SA.", "SA: that is {A}.", "It is at {A} that SA.",
    "During {A} the footage shows how SA.", "Look at {A}: SA.", "SA at {A}, one after another as it were.", "All at once, in {A}, SA.",
    "The answer is {A}, since SA.", "For the first time, at {A}, SA.", "In {A} SA, and in the left half of the picture nothing moves.",
)  # fmt: skip


def clause(fact: Fact, *key: object) -> str:
    """What a fact says, as part of a sentence."""
    said = pick(SAID.get(fact.kind, SAID["shot"]), fact.name, *key)
    return said.replace("PLAIN", (fact.text or "").rstrip(".")).replace("{N", f"{{{fact.name}")


def sentence(form: str, a: Fact, b: Fact, *key: object) -> str:
    """A form with two facts put in."""
    text = form.replace("SA", clause(a, "a", *key)).replace("SB", clause(b, "b", *key))
    text = text.replace("{A", f"{{{a.name}").replace("{B", f"{{{b.name}")
    return text[0].upper() + text[1:]


# -- wrong replies ---------------------------------------------------------------------------------------------------


def digits(start_s: float, end_s: float, k: int) -> str:
    """A time in digits, in one of many notations."""
    s, e = seconds_text(round(start_s, 1)), seconds_text(round(end_s, 1))
    whole = max(2, int(start_s))
    forms = (
        f"{s} s", f"{s} seconds", f"{whole}s", f"from {s} to {e} seconds", f"00:{whole % 60:02d}", f"0:{whole % 60:02d}", f"{s}-{e}",
        f"t={s}", f"second {whole}", f"the {whole}-second mark", f"timestamp {s}", f"frame {whole * 25}", f"{s} to {e} s",
        f"{whole} sec", f"around {whole}.", f"00:00:{whole % 60:02d},500", f"{whole},5 seconds", f"t: {s}", f"[{s}, {e}]", f"({s} - {e})",
        f"{whole} seconds into the clip", f"{whole * 3 % 100}% of the way through", f"{whole * 1000} ms", f"1:0{whole % 10}:{whole % 60:02d}",
        f"second #{whole}", f"**{whole}** seconds", f"{whole}.0", f"between {s} and {e}", f"the {whole}th second", f"{whole} frames later",
        f"{whole}\u00a0s", f"{whole}″", f"sec. {whole}", f"0{whole}:{whole % 60:02d}.25", f"about {whole} secs", f"{whole}½ seconds",
    )  # fmt: skip
    return forms[k % len(forms)]


IN_WORDS = (
    "second five", "five seconds in", "ten seconds", "half a minute", "a minute into the clip", "twenty-five seconds", "the third second",
    "two or three seconds", "two point five", "a quarter of a minute", "the five-second mark", "three quarters of the way through",
    "the twelfth frame", "one and a half seconds", "thirty seconds from the start", "a third of the way through the video", "one second later",
    "fifteen more seconds", "a minute and a half", "seconds three to seven", "forty percent of the clip", "the tenth second",
    "two full minutes", "six secs", "an hour later", "frame twelve", "minute two", "half a second", "four and a half seconds",
    "between three and seven seconds", "a second or two", "eleven seconds after the start", "one fifth of the video", "nine-second mark",
    "three seconds before that", "one minute", "the second minute",
)  # fmt: skip
BOXES = (
    "[0.12, 0.3, 0.45, 0.7]", "(120, 40)", "(120, 40, 300, 200)", "x=0.35, y=0.2", "120 px from the left", "0.35 of the width", "35% of the width",
    "35% from the left", "pixel 120", "the point 120, 40", "a third of the width", "one quarter from the top", "x: 120", "coordinates 120 and 40",
    "12 pixels from the edge", "two thirds of the height", "[120, 40]", "(0.5, 0.25)", "y = 0.8", "the box 0.1,0.2,0.3,0.4", "40 percent of the frame",
    "<0.1, 0.2>", "bbox [12, 30, 45, 70]", "x-coordinate 40", "width 0.35", "a 200x300 region", "ten pixels above the edge", "three quarters of the picture's height",
    "20 % down the screen", "(12%, 30%)",
)  # fmt: skip
SMUGGLED = (
    "<t:4.2>", "<span:1,5>", "<box:0.1,0.1,0.2,0.2>", "<video>", "<image>", "<image@2>", "<answer>", "<options>", "<boxat:3,0.1,0.1,0.2,0.2>", "</s>",
    "<|im_end|>", "<|vision_start|>", "<b>now</b>", "&lt;t:4.2&gt;", "<audio>", "<t@2:3>", "[INST]", "<span:3,9> “", "<s>", "<time 4>",
)  # fmt: skip
FIELDS = ("speaker", "start_s", "time", "span", "duration", "colour", "middle", "length", "where", "words")
NUMBERS = (
    "nineteen people", "17 birds", "forty-three steps", "three hundred dots", "23 of them", "fourteen times", "twice", "a dozen of those", "thirteen lines",
    "1999", "88 letters", "eighty-one marks", "two thousand sheep", "61%", "half of them",
)  # fmt: skip

Wrong = Callable[[Scene, int], tuple[str, str] | None]


def put(text: str, scene: Scene, value: str) -> str:
    """The text with one time slot replaced by a value."""
    for slot in (f"{{{scene.first.name}}}", f"{{{scene.first.name}.start}}"):
        if slot in text:
            return text.replace(slot, value, 1)
    return text.rstrip(".") + f", at {value}."


def good(scene: Scene, k: int) -> str:
    """An honest sentence about one fact of the scene, or about two."""
    forms = LONE if k % 2 else ORDERED
    return sentence(forms[k // 2 % len(forms)], scene.first, scene.second, k)


def wrong_field(scene: Scene, k: int) -> str:
    text = good(scene, k)
    silent = [f.name for f in scene.facts.values() if f.kind == "shot"]
    slots = [
        f"{{{scene.first.name}.{FIELDS[k % len(FIELDS)]}}}",
        f"{{{pick(silent, k)}.text}}" if silent else "{e1.when}",
    ]
    placeless = [f.name for f in scene.facts.values() if f.box is None]
    return put(text, scene, [*slots, f"{{{pick(placeless, k)}.box}}"][k % 3] if placeless else slots[k % 2])


KINDS: dict[str, tuple[tuple[str, ...], Callable[[Scene, int], str]]] = {
    "literal time, digits": (
        ("literal_time", "literal_place"),
        lambda s, k: put(good(s, k), s, digits(*(s.first.times or (1.0, 2.0)), k)),
    ),
    "literal time, words": (("literal_time",), lambda s, k: put(good(s, k), s, IN_WORDS[k % len(IN_WORDS)])),
    "literal box": (
        ("literal_place", "literal_time"),
        lambda s, k: good(s, k).rstrip(".") + f", at {BOXES[k % len(BOXES)]}.",
    ),
    "unknown evidence": (
        ("unknown_evidence",),
        lambda s, k: put(good(s, k), s, ("{e%d}", "{f%d}", "{obj%d}", "{s%d.text}")[k % 4] % (len(s.facts) + 3 + k)),
    ),
    "wrong field": (("no_such_field",), wrong_field),
    "contradiction in the text": (
        ("contradiction",),
        lambda s, k: sentence(ORDERED[:15][k % 15], s.second, s.first, k),
    ),
    "span outside the window": (("outside_window",), lambda s, k: put(good(s, k), s, _outside(s, k))),
    "markup smuggled in": (
        ("malformed_slot",),
        lambda s, k: put(good(s, k), s, SMUGGLED[k % len(SMUGGLED)]) if k % 2 else good(s, k) + f" {SMUGGLED[k % len(SMUGGLED)]}",
    ),
    "number that no evidence says": (
        ("unchecked number",),
        lambda s, k: good(s, k).rstrip(".") + f", {('there are ', 'with ', 'I count ')[k % 3]}{NUMBERS[k % len(NUMBERS)]}.",
    ),
}  # fmt: skip


def _outside(scene: Scene, k: int) -> str:
    beyond = [f.name for f in scene.wider.values() if f.span is not None and not scene.window.contains_span(f.span)]
    name = pick(beyond, k)
    return (f"{{{name}}}", f"{{{name}.start}}", f"{{{name}.end}}")[
        0 if k % 3 == 0 else 1 if _starts_out(scene, name) else 2
    ]


def _starts_out(scene: Scene, name: str) -> bool:
    span = scene.wider[name].span
    return span is not None and not scene.window.start_s <= span.start_s <= scene.window.end_s


def found(text: str, facts: Facts, window: Span) -> tuple[str, ...]:
    """The rules that a text breaks."""
    resolved = resolve(text, facts, window)
    numbers = ("unchecked number",) if resolved.numbers else ()
    return (*dict.fromkeys(p.rule for p in resolved.problems), *numbers)


def claims(scene: Scene, k: int, wrong: bool) -> tuple[str, tuple[str, ...]]:
    """A reply's claim list with one claim, and what is found."""
    a, b = scene.first.name, scene.second.name
    middle = (to_us(scene.first.span.start_s) + to_us(scene.first.span.end_s)) / 2 if scene.first.span else 0
    share = (middle - to_us(scene.window.start_s)) / to_us(scene.window.length_s)
    place = "beginning" if share < 1 / 3 else "middle" if share < 2 / 3 else "end"
    true = [
        TimeClaim(rel="before", a=a, b=b), TimeClaim(rel="after", a=b, b=a), TimeClaim(rel="starts_first", a=a, b=b),
        TimeClaim(rel=place, a=a, b=None), TimeClaim(rel="before", a=a, b=b),
    ]  # fmt: skip
    false = [
        TimeClaim(rel="before", a=b, b=a), TimeClaim(rel="after", a=a, b=b), TimeClaim(rel="starts_first", a=b, b=a),
        TimeClaim(rel=pick([p for p in ("beginning", "middle", "end") if p != place], k), a=a, b=None),
        TimeClaim(rel=pick(["during", "overlaps"], k), a=a, b=b),
    ]  # fmt: skip
    claim = (false if wrong else true)[k % 5]
    problems = claim_problems([claim], "", scene.facts, scene.window)
    return f"{claim.rel} {claim.a} {claim.b}", tuple(dict.fromkeys(p.rule for p in problems))


# -- rewordings ------------------------------------------------------------------------------------------------------

ASKED = (
    "If you have a minute to spare: {}", "Here is one I keep coming back to. {}", "Tell me, going by what you see and hear: {}",
    "Let me put it like this: {}", "I wonder, and maybe you know: {}", "For my records, kindly: {}",
)  # fmt: skip


def _two_times(original: Original) -> bool:
    """Whether the answer holds a start and an end, and nothing else."""
    slots = original.answer.slots if original.answer is not None else {}
    return len(slots) == 2 and all(value.startswith("<t:") for value in slots.values())


def reworded(original: Original, k: int, wrong: str) -> tuple[str, tuple[str, ...]]:
    """A rewording of a question or an answer, and what is found."""
    answer = original.answer
    if wrong == "swapped" or (not wrong and k % 2 and answer is not None and _two_times(original)):
        assert answer is not None
        a, b = list(answer.slots)[:2]
        forms = (
            "I would say from {%s} until {%s}.", "That starts at {%s} and ends at {%s}.", "Somewhere between {%s} and {%s}, as I see it.",
            "It lasts from {%s} up to {%s}.", "{%s} is the start, {%s} the end.",
        )  # fmt: skip
        turned = (
            forms[k % len(forms)] % ((b, a) if wrong else (a, b))
            if k % 7
            else f"It ends at {{{a}}} and starts at {{{b}}}."
        )
        if not wrong and not k % 7:
            turned = forms[0] % (a, b)
        problem = answer_problem(answer, turned)
        return turned, (problem.rule,) if problem else ()
    text = ASKED[k % len(ASKED)].format(original.question.words)
    if wrong == "dropped":
        name = pick(list(original.question.slots), k)
        text = text.replace(f"{{{name}}}", ("it", "that", "{" + name[0] + "9}", "{" + name, "this bit")[k % 5], 1)
    problem = question_problem(original.question, text, original.meant, 0.1)
    return text, (problem.rule,) if problem else ()


# -- measuring -------------------------------------------------------------------------------------------------------


def scenes(root: Path, count: int) -> Iterator[Scene]:
    """Windows of the media in turn, each with two facts in order."""
    with Catalog(root) as catalog:
        media = catalog.rows(
            "SELECT media_id, duration_s FROM media WHERE kind = 'video' AND origin <> 'edited' ORDER BY media_id"
        )
        stored = {
            t: catalog.rows(f"SELECT * FROM {t}")
            if catalog.rows("SELECT 1 FROM information_schema.tables WHERE table_name = ?", [t])
            else []
            for t in TABLES
        }
    made = 0
    for turn in range(200):
        for medium in media:
            if made == count:
                return
            key = (medium["media_id"], turn)
            length_s = min(pick(LENGTHS_S, *key), medium["duration_s"] / 2)
            start_s = seeded_fraction("wrong replies", *key, "start") * (medium["duration_s"] - length_s)
            window = Span(start_s, start_s + length_s).quantised()
            rows = Rows({t: [r for r in found if r["media_id"] == medium["media_id"]] for t, found in stored.items()})
            kinds = ("speech", "text", "event", "shot")
            facts = facts_of(rows, window, kinds)
            wider = facts_of(rows, Span(0.0, medium["duration_s"]), kinds, most=400)
            pairs = [
                (a, b)
                for a in facts.values()
                for b in facts.values()
                if a.span and b.span and a.span.end_s + APART_S < b.span.start_s
            ]
            beyond = [f for f in wider.values() if f.span and not window.contains_span(f.span)]
            if pairs and beyond:
                made += 1
                yield Scene(window, facts, *pick(pairs, *key, "pair"), wider)


def originals(root: Path) -> list[Original]:
    """Template samples of a dataset that can be reworded."""
    with Catalog(root) as catalog:
        rows = catalog.rows("SELECT * FROM samples WHERE task NOT IN ('conversation', 'rephrase') ORDER BY sample_id")
    return [o for row in rows if (o := original_of(row)) is not None]


def measure(root: Path, cases: int) -> Iterator[tuple[str, tuple[str, ...], list[Case]]]:
    """Every kind with the rules meant for it and its wrong and good replies."""
    seen = list(scenes(root, cases))
    for i, (kind, (rules, make)) in enumerate(KINDS.items()):
        outside = kind == "span outside the window"
        wrong = [make(s, k) for k, s in enumerate(seen)]
        facts = [s.wider if outside else s.facts for s in seen]
        controls = [good(s, k + 7 * i) for k, s in enumerate(seen)]
        yield (
            kind,
            rules,
            [
                *(Case(t, True, found(t, f, s.window)) for t, f, s in zip(wrong, facts, seen, strict=True)),
                *(Case(t, False, found(t, s.facts, s.window)) for t, s in zip(controls, seen, strict=True)),
            ],
        )
    yield (
        "reversed order claim",
        ("contradiction",),
        [Case(*_flip(claims(s, k, wrong), wrong)) for wrong in (True, False) for k, s in enumerate(seen)],
    )
    samples = originals(root)
    slotted = [o for o in samples if o.question.slots]
    timed = [o for o in samples if _two_times(o)]
    for kind, wrong, pool, rules in (
        ("dropped slot in a rewording", "dropped", slotted, ("dropped_slot", "unknown_evidence", "malformed_slot")),
        ("swapped slots in a rewording", "swapped", timed, ("swapped_slots",)),
    ):
        chosen = [pool[i * len(pool) // cases] for i in range(cases)]
        yield kind, rules, [Case(*_flip(reworded(o, k, w), bool(w))) for w in (wrong, "") for k, o in enumerate(chosen)]


def _flip(told: tuple[str, tuple[str, ...]], wrong: bool) -> tuple[str, bool, tuple[str, ...]]:
    return told[0], wrong, told[1]


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("root", type=Path)
    parser.add_argument("--cases", type=int, default=50)
    parser.add_argument("--show", action="store_true", help="list what was missed or falsely rejected")
    given = parser.parse_args()
    print("| kind | cases | caught | by its own rule | falsely rejected |")
    print("|---|---|---|---|---|")
    sums = [0, 0, 0, 0, 0]
    missed: list[str] = []
    for kind, rules, all_cases in measure(given.root, given.cases):
        wrong, controls = [c for c in all_cases if c.wrong], [c for c in all_cases if not c.wrong]
        caught = sum(bool(c.rules) for c in wrong)
        own = sum(bool(set(rules) & set(c.rules)) for c in wrong)
        false = sum(bool(c.rules) for c in controls)
        print(f"| {kind} | {len(wrong)} | {caught} ({caught / len(wrong):.0%}) | {own} | {false} of {len(controls)} |")
        sums = [a + b for a, b in zip(sums, (len(wrong), caught, own, false, len(controls)), strict=True)]
        missed += [f"missed, {kind}: {c.text}" for c in wrong if not set(rules) & set(c.rules)]
        missed += [f"falsely rejected, {kind}: {c.text} {c.rules}" for c in controls if c.rules]
    share, false_share = sums[1] / sums[0], sums[3] / sums[4]
    print(f"| all | {sums[0]} | {sums[1]} ({share:.1%}) | {sums[2]} | {sums[3]} of {sums[4]} ({false_share:.1%}) |")
    if given.show:
        print("\n".join(dict.fromkeys(missed)))


if __name__ == "__main__":
    main()
