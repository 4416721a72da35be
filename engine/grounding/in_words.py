"""Localisers of words: what is said, what stands on the screen, and what descriptions of models tell.

Quoted words are runs of spoken words or appearances of writing, by edit distance. A description in other words is found by the
content words that it shares with sentences, the rare ones weighing more: people talk about what they show. Limits: spelling
only; synonyms are not known.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence

from ...schemas.matching import alike_descriptions, alike_lines, alike_runs, content_words
from ...schemas.metrics import normalise_words
from ...schemas.span import Span, overlap_s, tiou
from .asked import Asked
from .localising import Line
from .proposals import Proposal, best_apart

RUN_FLOOR = 0.7
WHOLE_SENTENCES = 0.6
"""Share of a sentence that a run must take for its sentence to be proposed as well."""
_OF_WRITING = frozenset(
    content_words("sign caption title text writing lettering word words label poster banner read reads written")
)


def in_speech(query: Asked, words: Sequence[Line], sentences: Sequence[Line], most: int = 5) -> list[Proposal]:
    """Where it is said: runs of words like the quoted ones, the sentences that hold them, and sentences about it."""
    found: list[Proposal] = []
    for quoted in query.quoted if query.in_speech else ():
        found += _runs(quoted, words or sentences, sentences)
    if query.plain and len(query.words) >= 2:
        if len(normalise_words(query.text)) >= 4:
            found += _runs(query.text, words or sentences, sentences)
        found += about(query.words, sentences)
    return best_apart(found, most)


def in_writing(query: Asked, appearances: Sequence[Line], most: int = 5) -> list[Proposal]:
    """Where it is written: appearances (and pages) like the quoted words, or that share the rare words of the description."""
    found: list[Proposal] = []
    for quoted in query.quoted if query.in_writing else ():
        joined = [(one, max(alike_lines(quoted, one.text), _run_in(quoted, one.text))) for one in appearances]
        found += [Proposal(one.span, score, one.rows) for one, score in joined if score >= RUN_FLOOR]
    words = [w for w in query.words if w not in _OF_WRITING]
    if query.plain and len(words) >= 2:
        trust = 1.0 if len(words) < len(query.words) else 0.8
        found += [Proposal(p.span, trust * p.score, p.rows) for p in about(words, appearances, least=0.5, gap_s=-1.0)]
    return best_apart(_chained(best_apart(found, len(found))), most)


def pages_of(appearances: Sequence[Line]) -> list[Line]:
    """Lines that come and go together, each group as one line in the order in which they come: what a card says as a whole."""
    pages: list[list[Line]] = []
    present: list[list[Line]] = []
    for one in sorted(appearances, key=lambda a: a.span.start_s):
        present = [page for page in present if page[0].span.end_s > one.span.start_s]
        page = next((p for p in present if tiou(p[0].span, one.span) >= 0.7), None)
        if page is None:
            pages.append([one])
            present.append(pages[-1])
        else:
            page.append(one)
    return [
        Line(
            Span(min(o.span.start_s for o in page), max(o.span.end_s for o in page)),
            " ".join(o.text for o in page),
            tuple(r for o in page for r in o.rows),
        )
        for page in pages
        if len(page) > 1
    ]


def in_descriptions(query: Asked, sentences: Sequence[Line], most: int = 5) -> list[Proposal]:
    """Descriptions like the query by content words; what contradicts it in a colour, a side or a shape is left out."""
    if not query.text:
        return []
    scored = [(one, alike_descriptions(query.text, one.text)) for one in sentences]
    found = [Proposal(one.span, score, one.rows) for one, score in scored if score >= 0.3]
    if query.plain:
        allowed = [one for one, score in scored if score > 0]
        found += [Proposal(p.span, 0.9 * p.score, p.rows) for p in about(query.words, allowed)]
    return best_apart(found, most)


def about(words: Sequence[str], lines: Sequence[Line], least: float = 0.35, gap_s: float = 2.0) -> list[Proposal]:
    """Lines that share content words with a description, neighbours joined; the score is the shared weight (rare words weigh
    more) times 0.9, since sharing words is weaker than saying the same.
    """
    said = [Counter(content_words(line.text)) for line in lines]
    weight = {w: math.log(1 + len(lines) / (1 + sum(w in s for s in said))) + 0.1 for w in set(words)}
    total = math.fsum(weight[w] for w in sorted(weight)) or 1.0
    scores = [math.fsum(weight[w] for w in sorted(weight) if w in s) / total for s in said]
    found: list[Proposal] = []
    chain: list[int] = []
    for i, score in enumerate(scores):
        if score < least:
            continue
        if chain and lines[i].span.start_s - lines[chain[-1]].span.end_s > gap_s:
            found.append(_joined(chain, lines, scores))
            chain = []
        chain.append(i)
    if chain:
        found.append(_joined(chain, lines, scores))
    return found


def _joined(chain: Sequence[int], lines: Sequence[Line], scores: Sequence[float]) -> Proposal:
    best = max(scores[i] for i in chain)
    held = [lines[i] for i in chain if scores[i] >= 0.6 * best]
    span = Span(min(one.span.start_s for one in held), max(one.span.end_s for one in held))
    return Proposal(span, 0.9 * min(1.0, best), tuple(r for one in held for r in one.rows))


def _runs(quoted: str, words: Sequence[Line], sentences: Sequence[Line]) -> list[Proposal]:
    tokens = [(token, i) for i, word in enumerate(words) for token in normalise_words(word.text)]
    found = []
    for run in alike_runs(normalise_words(quoted), [token for token, _ in tokens], RUN_FLOOR):
        if run.score < RUN_FLOOR:
            continue
        held = words[tokens[run.first][1] : tokens[run.last - 1][1] + 1]
        span = Span(held[0].span.start_s, max(one.span.end_s for one in held))
        rows = tuple(r for one in held for r in one.rows)
        found.append(Proposal(span, run.score, rows))
        for sentence in sentences:
            inside = overlap_s(sentence.span, span)
            if inside >= WHOLE_SENTENCES * sentence.span.length_s and inside >= 0.9 * span.length_s:
                found.append(Proposal(sentence.span, 0.95 * run.score, (*rows, *sentence.rows)))
    return found


def _run_in(quoted: str, text: str) -> float:
    words = normalise_words(quoted)
    return (
        max((run.score for run in alike_runs(words, normalise_words(text), RUN_FLOOR)), default=0.0) if words else 0.0
    )


def _chained(found: Sequence[Proposal], gap_s: float = 1.0) -> list[Proposal]:
    """Proposals joined over short gaps: a sign that was misread in between is one."""
    joined: list[Proposal] = []
    for one in sorted(found, key=lambda p: p.span):
        last = joined[-1] if joined else None
        if last and 0 <= one.span.start_s - last.span.end_s <= gap_s and abs(one.score - last.score) < 0.3:
            span = Span(last.span.start_s, one.span.end_s)
            joined[-1] = Proposal(span, max(last.score, one.score), (*last.rows, *one.rows))
        else:
            joined.append(one)
    return joined
