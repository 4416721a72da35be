"""One HTML page for drawn samples: cards, filters by task, evidence, check and origin, and a summary; nothing to fetch.

Pictures are inside the page (WebP), so that it can be mailed, and link to the PNG files beside it. Everything on a
picture is also there as text, for readers that do not see it and for searching. Works without a script, which only
filters; follows the reader's light or dark setting.
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
from .readable import answer_words, evidence_words, options_in_words, readable, span_words

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
    image: Image.Image
    title: str
    """Name of its medium."""

    @property
    def facts(self) -> dict[str, str]:
        """What the filters look at."""
        verdict = self.verdict
        check = "not checked" if verdict is None else "passed" if verdict["passed"] else "failed"
        grade = "none" if verdict is None else str(verdict["evidence_grade"])
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
        _PAGE.replace("{{title}}", escape(f"{name}: samples"))
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
        f'<label>{label}<select data-filter="{key}"{" disabled" * (len(values) < 2)}>'
        f'<option value="">all</option>{options}</select></label>'
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
    facts = card.facts
    data = "".join(f' data-{key}="{escape(value)}"' for key, value in facts.items())
    width, height = card.image.size
    head = f"{_spoken(card.sample.task)}"
    return (
        f'<article id="{card.sample_id}"{data}>'
        f'<h2>{escape(head)} <span class="check {facts["check"].replace(" ", "-")}">{escape(facts["check"])}</span></h2>'
        f'<a href="{escape(card.picture.name)}"><img src="{_embedded(card.image)}" width="{width}" height="{height}" '
        f'alt="{escape(_described(card))}" loading="lazy"></a>'
        f"<details><summary>As text</summary>{_text(card)}</details>"
        f'<p class="id"><code>{card.sample_id}</code></p></article>'
    )


def _embedded(image: Image.Image) -> str:
    """The picture as a data URI."""
    buffer = io.BytesIO()
    image.save(buffer, "WEBP", quality=_QUALITY, method=4)
    return "data:image/webp;base64," + base64.b64encode(buffer.getvalue()).decode()


def _described(card: PageCard) -> str:
    """One sentence for who does not see the picture."""
    sample = card.sample
    asked = next((readable(t.text, sample) for t in sample.turns if t.role == "user"), "")
    window = span_words(sample.media[0].start_s, sample.media[0].end_s)
    return f"{_spoken(sample.task)} sample on {card.title}, {window}. Asked: {asked} Answer: {answer_words(sample)}."


def _text(card: PageCard) -> str:
    sample, verdict = card.sample, card.verdict
    parts: list[tuple[str, str]] = [
        ("Footage", escape(f"{card.title}, {span_words(sample.media[0].start_s, sample.media[0].end_s)}"))
    ]
    for turn in sample.turns:
        parts.append(("Question" if turn.role == "user" else "Answer", _lines([readable(turn.text, sample)])))
    if sample.options:
        parts.insert(2, ("Options", f"<ul>{''.join(_option(sample, i) for i in range(len(sample.options)))}</ul>"))
    parts.append(("Typed answer", escape(f"{_spoken(sample.answer.kind)}: {answer_words(sample)}")))
    if sample.rationale:
        parts.append(("Why", _lines([readable(step, sample) for step in sample.rationale])))
    if verdict is None:
        parts.append(("Check", "not checked"))
    else:
        outcome = "passed" if verdict["passed"] else f"{verdict['problem']}: {verdict['reason']}"
        parts.append(("Check", escape(f"{verdict['check_status']}, {outcome} ({verdict['verifier']})")))
    parts.append(("Evidence", _lines(evidence_words(sample.evidence))))
    parts.append(("Wording", escape(f"{sample.wording}, answer form {sample.answer_form}, by {sample.generator}")))
    return "<dl>" + "".join(f"<dt>{name}</dt><dd>{words}</dd>" for name, words in parts) + "</dl>"


def _option(sample: Sample, index: int) -> str:
    words, option = options_in_words(sample)[index], sample.options[index]
    note = ""
    if isinstance(sample.answer, ChoiceAnswer) and sample.answer.index == index:
        note = " (right)"
    elif isinstance(sample.answer, OrderAnswer) and index in sample.answer.order:
        note = f" (place {sample.answer.order.index(index) + 1})"
    elif option.distractor_kind:
        note = f" ({option.distractor_kind})"
    return f"<li>{escape(words + note)}</li>"


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
  --good: #12805c; --bad: #b3261e; --focus: #2563ab; }
@media (prefers-color-scheme: dark) {
  :root { --ground: #12171e; --paper: #1c232d; --ink: #e8edf3; --muted: #a3b0c0; --line: #36414f; --good: #4cc79b;
    --bad: #ff8f86; --focus: #7fb2f0; }
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--ground); color: var(--ink); font: 16px/1.5 system-ui, sans-serif; }
header, main { max-width: 1840px; margin: 0 auto; padding: 0 clamp(16px, 3vw, 48px); }
header { padding-top: 32px; }
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
.filters label { display: grid; gap: 2px; font-size: 13px; color: var(--muted); }
select { font: inherit; font-size: 15px; color: var(--ink); background: var(--paper); border: 1px solid var(--line);
  border-radius: 8px; padding: 6px 10px; min-width: 130px; }
select:disabled { color: var(--muted); }
:focus-visible { outline: 3px solid var(--focus); outline-offset: 2px; }
output { color: var(--muted); padding-bottom: 7px; }
main { display: grid; gap: 24px; padding-bottom: 48px; align-items: start;
  grid-template-columns: repeat(auto-fill, minmax(min(100%, 640px), 1fr)); }
article { background: var(--paper); border: 1px solid var(--line); border-radius: 14px; padding: 14px 16px 12px; min-width: 0; }
article[hidden] { display: none; }
h2 { font-size: 17px; margin: 0 0 10px; display: flex; justify-content: space-between; gap: 12px; }
.check { font-weight: 600; font-size: 14px; color: var(--muted); }
.check.passed { color: var(--good); }
.check.failed { color: var(--bad); }
img { display: block; width: 100%; height: auto; border-radius: 8px; background: #fff; }
details { margin-top: 10px; }
summary { cursor: pointer; color: var(--muted); font-size: 14px; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: 4px 14px; margin: 8px 0 0; font-size: 15px; }
dt { color: var(--muted); }
dd { margin: 0; overflow-wrap: anywhere; }
dd ul { margin: 0; padding-left: 18px; }
.id { margin: 8px 0 0; color: var(--muted); font-size: 13px; overflow-wrap: anywhere; }
@media (max-width: 520px) { dl { grid-template-columns: 1fr; } dt { margin-top: 6px; } }
</style>
</head>
<body>
<header>
<h1>{{name}}</h1>
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
