"""One HTML page for drawn samples: cards, filters by task, evidence, check and origin, and a summary; nothing to fetch.

Frames and timelines are inside the page (WebP), so that it can be mailed, and link to the whole cards as PNG beside it.
Questions, answers, checks and evidence are text, for searching and for readers that do not see pictures. Works without
a script, which only filters; follows the reader's light or dark setting.
"""

from __future__ import annotations

import base64
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any

from PIL import Image

from ..schemas.sample import ChoiceAnswer, OrderAnswer, Sample
from .readable import answer_words, evidence_words, options_of_turn, readable
from .sample_card import Card

_FILTERS = (("task", "Task"), ("grade", "Evidence"), ("check", "Check"), ("origin", "Footage"))
_QUALITY = 88


@dataclass(frozen=True)
class PageCard:
    """A sample on the page."""

    sample_id: str
    sample: Sample
    verdict: Mapping[str, Any] | None
    picture: Path
    """The PNG file, beside the page."""
    card: Card
    footage: str
    """What it shows, in words."""

    @property
    def facts(self) -> dict[str, str]:
        """What the filters look at."""
        verdict = self.verdict
        check = "not checked" if verdict is None else "passed" if verdict["passed"] else "failed"
        grade = "unknown" if verdict is None else str(verdict["evidence_grade"])
        return {"task": self.sample.task, "grade": grade, "check": check, "origin": self.sample.origin}


def write_page(
    page: Path, name: str, cards: Sequence[PageCard], summary: Sequence[Mapping[str, Any]], troubles: Sequence[str] = ()
) -> None:
    """Write the page; `summary` has one row per task of the dataset, `troubles` are told above the cards."""
    facts = [card.facts for card in cards]
    real = sum(f["origin"] == "real" for f in facts)
    passed = sum(f["check"] == "passed" for f in facts)
    lead = (
        f"{len(cards)} sample{'s' * (len(cards) != 1)}, {real} from real footage. "
        f"{passed} passed the check: the answer was recomputed from stored evidence."
    )
    selects = "".join(_select(key, label, sorted({f[key] for f in facts})) for key, label in _FILTERS)
    notes = "".join(f"<li>{escape(t)}</li>" for t in troubles)
    body = "".join(_card(card) for card in cards)
    page.write_text(
        _PAGE.replace("{{title}}", escape(f"Samples of {name}"))
        .replace("{{name}}", escape(name))
        .replace("{{lead}}", escape(lead))
        .replace("{{summary}}", _table(summary))
        .replace("{{troubles}}", f'<ul class="troubles" role="alert">{notes}</ul>' if notes else "")
        .replace("{{filters}}", selects)
        .replace("{{number}}", str(len(cards)))
        .replace("{{cards}}", body),
        encoding="utf-8",
    )


def _select(key: str, label: str, values: Sequence[str]) -> str:
    options = "".join(f'<option value="{escape(v)}">{escape(_spoken(v))}</option>' for v in values)
    return (
        f'<div><label for="by-{key}">{label}</label>'
        f'<select id="by-{key}" data-filter="{key}"{" disabled" * (len(values) < 2)}>'
        f'<option value="">all</option>{options}</select></div>'
    )


def _spoken(name: str) -> str:
    return name.replace("_", " ")


def _table(summary: Sequence[Mapping[str, Any]]) -> str:
    rows = "".join(
        f'<tr><th scope="row">{escape(_spoken(r["task"]))}</th><td>{r["shown"]}</td><td>{r["samples"]}</td>'
        f"<td>{r['passed']}</td><td>{r['real']}</td><td>{escape(_spoken(r['grades'] or 'none'))}</td></tr>"
        for r in summary
    )
    total = {key: sum(r[key] for r in summary) for key in ("shown", "samples", "passed", "real")}
    cells = "".join(f"<td>{n}</td>" for n in total.values())
    return (
        '<table><thead><tr><th scope="col">Task</th><th scope="col">Shown here</th><th scope="col">In the dataset</th>'
        '<th scope="col">Passed</th><th scope="col">Real footage</th><th scope="col">Evidence</th></tr></thead>'
        f'<tbody>{rows}</tbody><tfoot><tr><th scope="row">All</th>{cells}<td></td></tr></tfoot></table>'
    )


def _card(card: PageCard) -> str:
    facts, sample = card.facts, card.sample
    data = "".join(f' data-{key}="{escape(value)}"' for key, value in facts.items())
    head = (
        f'<header><h2>{escape(_spoken(sample.task))}</h2><span class="pill {facts["check"].replace(" ", "-")}">'
        f'{escape(facts["check"])}</span><span class="pill">evidence: {escape(_spoken(facts["grade"]))}</span>'
        f'<span class="pill">{escape(facts["origin"])}</span><p>{escape(card.footage)}</p></header>'
    )
    strip, large = card_parts(card)
    shown = f'<a class="strip" href="{escape(card.picture.name)}">{_image(strip, _described(card))}</a>'
    if large is not None:
        shown_large = f"<figure>{_image(large, _large_words(card))}</figure>"
        words = f'<div class="beside"><div>{_words(card)}</div>{shown_large}</div>'
    else:
        words = _words(card)
    return (
        f'<article id="{card.sample_id}"{data}>{head}{shown}{words}'
        f"<details><summary>Why, evidence and check</summary>{_details(card)}</details></article>"
    )


def _large_words(card: PageCard) -> str:
    """What the large picture is of, for who does not see it."""
    if "feature" in card.card.places:
        return "The answer in the picture: " + answer_words(card.sample)
    return "The room from above, with what is asked about and the camera's way"


def card_parts(card: PageCard) -> tuple[Image.Image, Image.Image | None]:
    """From the picture: frames and timeline; the large frame, or the room from above, where there is one."""
    places = card.card.places
    first, last = places.get("strip", places["timeline"]), places["timeline"]
    box = (first[0] - 4, first[1] - 4, first[2] + 4, last[3])
    x1, y1, x2, y2 = (round(v) for v in box)
    top = card.card.picture.crop((x1, y1, x2, y2))
    large = places.get("feature", places.get("plan"))
    if large is None:
        return top, None
    x1, y1, x2, y2 = (round(v) for v in large)
    return top, card.card.picture.crop((x1, y1, x2, y2))


def _image(image: Image.Image, alt: str) -> str:
    """The picture inside the page."""
    buffer = io.BytesIO()
    image.save(buffer, "WEBP", quality=_QUALITY, method=4)
    data = base64.b64encode(buffer.getvalue()).decode()
    width, height = image.size
    return f'<img src="data:image/webp;base64,{data}" width="{width}" height="{height}" alt="{escape(alt)}" loading="lazy">'


def _described(card: PageCard) -> str:
    """What the frames and the timeline are of, for who does not see them."""
    sample = card.sample
    return (
        f"Frames and timeline of a {_spoken(sample.task)} sample on {card.footage}. "
        f"Answer: {answer_words(sample)}. Opens the whole picture."
    )


def _words(card: PageCard) -> str:
    """Question, options and answer."""
    sample = card.sample
    parts = []
    for i, turn in enumerate(sample.turns):
        asked = turn.role == "user"
        words = _lines([readable(turn.text, sample)])
        parts.append(f'<p class="{"question" if asked else "answer"}">{words}</p>')
        listed, part = options_of_turn(sample, i)
        if listed:
            parts.append(f'<ul class="options">{"".join(_option(part, k, w) for k, w in enumerate(listed))}</ul>')
    kind = escape(_spoken(sample.answer.kind))
    parts.append(f'<p class="typed"><b>{kind}</b> {escape(answer_words(sample))}</p>')
    return "".join(parts)


def _option(sample: Sample, index: int, words: str) -> str:
    option = sample.options[index]
    mark, spoken = "", ""
    if isinstance(sample.answer, ChoiceAnswer) and sample.answer.index == index:
        mark, spoken = "✓", "right: "
    elif isinstance(sample.answer, OrderAnswer) and index in sample.answer.order:
        mark = str(sample.answer.order.index(index) + 1)
        spoken = f"place {mark}: "
    why = option.distractor_kind or ""
    if option.margin is not None:
        why = f"{why}, margin {option.margin:.2g}".lstrip(", ")
    return (
        f'<li{" class=right" if mark else ""}><span class="mark" aria-hidden="true">{mark}</span>'
        f'<span><span class="spoken">{spoken}</span>{escape(words)}</span>'
        f"<small>{escape(why)}</small></li>"
    )


def _details(card: PageCard) -> str:
    sample, verdict = card.sample, card.verdict
    parts: list[tuple[str, str]] = []
    if sample.rationale:
        parts.append(("Why", _lines([f"{k}. {readable(step, sample)}" for k, step in enumerate(sample.rationale, 1)])))
    if verdict is None:
        parts.append(("Check", "not checked"))
    else:
        outcome = "passed" if verdict["passed"] else f"{verdict['problem']}: {verdict['reason']}"
        parts.append(("Check", escape(f"{verdict['check_status']}, {outcome} ({verdict['verifier']})")))
    parts.append(("Evidence", _lines(evidence_words(sample.evidence))))
    parts.append(("Needs", escape(", ".join(_spoken(need) for need in sample.needs))))
    parts.append(("Wording", escape(f"{sample.wording}, answer form {sample.answer_form}, by {sample.generator}")))
    parts.append(("Sample", f"<code>{card.sample_id}</code>"))
    return "<dl>" + "".join(f"<dt>{name}</dt><dd>{words}</dd>" for name, words in parts) + "</dl>"


def _lines(lines: Sequence[str]) -> str:
    return "<br>".join(escape(line).replace("\n", "<br>") for line in lines)


_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{{title}}</title>
<style>
:root { color-scheme: light dark; --ground: #eef1f5; --paper: #fff; --ink: #17202b; --muted: #566374; --line: #d5dbe3;
  --good: #12805c; --bad: #b3261e; --focus: #2563ab; --tint: #d3efe2; }
@media (prefers-color-scheme: dark) {
  :root { --ground: #12171e; --paper: #1c232d; --ink: #e8edf3; --muted: #a3b0c0; --line: #36414f; --good: #4cc79b;
    --bad: #ff8f86; --focus: #7fb2f0; --tint: #17392f; }
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--ground); color: var(--ink); font: 16px/1.5 system-ui, sans-serif; }
body > header, main { max-width: 1840px; margin: 0 auto; padding: 0 clamp(16px, 3vw, 48px); }
body > header { padding-top: 32px; }
h1 { margin: 0; font-size: clamp(26px, 4vw, 38px); line-height: 1.2; letter-spacing: -0.01em; }
.lead { margin: 8px 0 20px; color: var(--muted); max-width: 70ch; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; background: var(--paper); border-radius: 10px; overflow: hidden; font-size: 15px; }
th, td { padding: 7px 16px; text-align: right; border-bottom: 1px solid var(--line); white-space: nowrap; }
th:first-child, th:last-child, td:last-child { text-align: left; }
thead th { color: var(--muted); font-weight: 600; }
tbody th { font-weight: 500; }
tfoot th, tfoot td { border-bottom: 0; font-weight: 600; }
.troubles { border-left: 4px solid var(--bad); padding: 6px 16px 6px 32px; margin: 16px 0; background: var(--paper); }
.filters { display: flex; flex-wrap: wrap; gap: 12px 16px; align-items: end; margin: 20px 0; }
.filters div { display: grid; gap: 2px; }
.filters label { font-size: 13px; color: var(--muted); }
select { font: inherit; font-size: 15px; color: var(--ink); background: var(--paper); border: 1px solid var(--line);
  border-radius: 8px; padding: 6px 10px; min-width: 130px; }
select:disabled { color: var(--muted); }
:focus-visible { outline: 3px solid var(--focus); outline-offset: 2px; }
output { color: var(--muted); padding-bottom: 7px; }
main { display: grid; gap: 24px; padding-bottom: 48px; align-items: start;
  grid-template-columns: repeat(auto-fill, minmax(min(100%, 640px), 1fr)); }
article { background: var(--paper); border: 1px solid var(--line); border-radius: 14px; padding: 16px 18px 12px; min-width: 0; }
article[hidden] { display: none; }
article > header { display: flex; flex-wrap: wrap; gap: 4px 8px; align-items: center; padding: 0; max-width: none; }
h2 { font-size: 19px; margin: 0 6px 0 0; }
article > header p { flex-basis: 100%; margin: 0 0 10px; color: var(--muted); font-size: 14px; overflow-wrap: anywhere; }
.pill { font-size: 13px; padding: 1px 10px; border-radius: 99px; border: 1px solid var(--line); color: var(--muted); }
.pill.passed { color: var(--good); border-color: currentColor; font-weight: 600; }
.pill.failed { color: var(--bad); border-color: currentColor; font-weight: 600; }
img { display: block; width: 100%; height: auto; border-radius: 8px; background: #fff; }
.strip { display: block; overflow-x: auto; }
.beside { display: grid; grid-template-columns: 1fr minmax(180px, 40%); gap: 18px; align-items: start; }
figure { margin: 14px 0 0; }
.question { font-size: 18px; margin: 14px 0 8px; }
.answer { margin: 10px 0 8px; }
.options { list-style: none; margin: 0; padding: 0; }
.options li { display: grid; grid-template-columns: 22px 1fr auto; gap: 10px; padding: 2px 0; align-items: baseline; }
.options small { color: var(--muted); text-align: right; }
.beside .options small { grid-column: 2 / -1; text-align: left; line-height: 1.2; }
.mark { width: 22px; height: 22px; border: 2px solid var(--line); border-radius: 50%; font: 700 13px/18px system-ui, sans-serif;
  text-align: center; align-self: start; }
.right { font-weight: 600; }
.right .mark { background: var(--good); border-color: var(--good); color: var(--paper); }
.right small { font-weight: 400; }
.spoken { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
.typed { background: var(--tint); border-radius: 8px; padding: 6px 12px; margin: 8px 0; font-size: 15px; }
.typed b { color: var(--good); margin-right: 8px; }
summary { cursor: pointer; color: var(--muted); font-size: 14px; padding: 4px 0; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: 4px 14px; margin: 8px 0 0; font-size: 15px; }
dt { color: var(--muted); }
dd { margin: 0; overflow-wrap: anywhere; }
@media (max-width: 620px) {
  .strip img { width: 760px; max-width: none; }
  .beside { grid-template-columns: 1fr; gap: 0; }
  .options small { grid-column: 2 / -1; text-align: left; line-height: 1.2; }
  dl { grid-template-columns: 1fr; }
  dt { margin-top: 6px; }
}
</style>
</head>
<body>
<header>
<h1>Samples of {{name}}</h1>
<p class="lead">{{lead}}</p>
<div class="scroll" role="region" aria-label="Samples by task" tabindex="0">{{summary}}</div>
{{troubles}}
<form class="filters" aria-label="Filter the samples">{{filters}}<output aria-live="polite">{{number}} shown</output></form>
</header>
<main>{{cards}}</main>
<script>
const selects = [...document.querySelectorAll("select[data-filter]")];
const cards = [...document.querySelectorAll("article")];
function filter() {
  for (const card of cards) {
    card.hidden = selects.some(s => s.value && card.dataset[s.dataset.filter] !== s.value);
  }
  document.querySelector("output").value = cards.filter(c => !c.hidden).length + " shown";
}
for (const s of selects) s.addEventListener("change", filter);
filter();
</script>
</body>
</html>
"""
