"""Pictures of samples: the named ones, or a contact sheet that spreads over tasks and media, as PNG and one HTML page.

Choosing is deterministic: samples are ranked by their identifiers (which are hashes), and the next one is always of the
task, then of the medium, that was shown least; at least half of a sheet is real footage where there is enough. Each
medium is decoded once for all samples that show it. A medium that cannot be read leaves grey tiles, a
malformed sample is left out, and the page says so.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..engine.catalog import Catalog
from ..engine.local_media import local_media
from ..engine.media.container import MediaError
from ..schemas.sample import Sample
from .contact_page import PageCard, write_page
from .frame_plan import FramePlan, frame_plan
from .frames_at import FramePicture, FrameWish, frames_at
from .sample_card import draw_card, footage_words
from .surroundings import around_of
from .timeline import Around

_CHECKED = """SELECT s.*, v.check_status, v.passed, v.problem, v.reason, v.evidence_grade, v.verifier
FROM (SELECT * FROM samples QUALIFY row_number() OVER (PARTITION BY sample_id ORDER BY recipe, producer, row_id) = 1) s
LEFT JOIN (SELECT * FROM verdicts QUALIFY row_number() OVER (PARTITION BY sample_id ORDER BY producer, row_id) = 1) v
USING (sample_id)"""
"""Samples with their verdict, one row each; NULL where none was given."""


class ShowError(ValueError):
    """Samples that cannot be shown; the message says why and what there is."""


@dataclass(frozen=True)
class Shown:
    """What was drawn."""

    page: Path
    pictures: list[Path]


@dataclass(frozen=True)
class Candidate:
    """What choosing needs to know about a sample."""

    sample_id: str
    task: str
    media_id: str
    real: bool


@dataclass
class _Sheet:
    """A sample on its way to paper."""

    row: Mapping[str, Any]
    sample: Sample
    around: Around
    plan: FramePlan


def show_samples(
    root: Path,
    *,
    ids: Sequence[str] = (),
    task: str | None = None,
    where: str | None = None,
    number: int = 12,
    folder: Path | None = None,
) -> Shown:
    """Draw the samples with these identifiers (or beginnings of them), or `number` samples of all kinds.

    `task` and `where` (SQL over samples joined with their verdicts) narrow both. Pictures and page go to `folder`,
    `<root>/pictures` by default. Raises `ShowError` when nothing fits or an identifier is unknown, not unique or malformed, and
    `QueryError` for a condition that is not SQL.
    """
    folder = Path(root) / "pictures" if folder is None else Path(folder)
    with Catalog(root) as catalog:
        condition, values = _condition(task, where)
        chosen = _named(catalog, ids, condition, values) if ids else _spread(catalog, number, condition, values, task)
        cards, malformed, unread = draw_samples(catalog, chosen, folder)
        if (ids and malformed) or not cards:
            raise ShowError("; ".join(malformed))
        page = folder / ("samples.html" if ids else "contact_sheet.html")
        write_page(
            page, Path(root).name.removesuffix(".chronotope"), cards, _summary(catalog, cards), [*malformed, *unread]
        )
    return Shown(page, [card.picture for card in cards])


def draw_samples(
    catalog: Catalog, sample_ids: Sequence[str], folder: Path
) -> tuple[list[PageCard], list[str], list[str]]:
    """Draw these samples into `folder`: the cards, a line for each sample that is malformed, and one for each medium that cannot be read."""
    sheets, malformed = _sheets(catalog, sample_ids)
    frames, unread = _decoded(catalog, catalog.store.root, sheets)
    folder.mkdir(parents=True, exist_ok=True)
    return [_draw(sheet, frames, folder) for sheet in sheets], malformed, unread


# -- choosing -------------------------------------------------------------------------------------------------------


def choose(candidates: Iterable[Candidate], number: int) -> list[str]:
    """At most `number` identifiers, evenly over tasks, then media; at least half of real footage where there is enough."""
    left = sorted(candidates, key=lambda c: c.sample_id)
    tasks: Counter[str] = Counter()
    media: Counter[str] = Counter()
    chosen: list[Candidate] = []

    def take(pool: list[Candidate]) -> None:
        best = min(pool, key=lambda c: (tasks[c.task], media[c.media_id], c.sample_id))
        tasks[best.task] += 1
        media[best.media_id] += 1
        chosen.append(best)
        left.remove(best)

    while len(chosen) < (number + 1) // 2 and any(c.real for c in left):
        take([c for c in left if c.real])
    while len(chosen) < number and left:
        take(left)
    return [c.sample_id for c in sorted(chosen, key=lambda c: (c.task, not c.real, c.sample_id))]


def _condition(task: str | None, where: str | None) -> tuple[str, list[Any]]:
    parts = [*(["task = ?"] if task is not None else []), *([f"({where}\n)"] if where else [])]
    return " AND ".join(parts) or "true", [task] if task is not None else []


def _spread(catalog: Catalog, number: int, condition: str, values: list[Any], task: str | None) -> list[str]:
    rows = catalog.rows(
        f"""WITH fitting AS (SELECT sample_id, task, media_id, origin = 'real' AS real FROM ({_CHECKED}) WHERE {condition}),
        ranked AS (SELECT *, row_number() OVER (PARTITION BY task, real, media_id ORDER BY sample_id) AS turn FROM fitting)
        SELECT sample_id, task, media_id, real FROM ranked
        QUALIFY row_number() OVER (PARTITION BY task, real ORDER BY turn, sample_id) <= ? ORDER BY sample_id""",
        [*values, number],
    )
    if not rows:
        raise ShowError(_nothing(catalog, task))
    return choose((Candidate(r["sample_id"], r["task"], r["media_id"], bool(r["real"])) for r in rows), number)


def _nothing(catalog: Catalog, task: str | None) -> str:
    found = catalog.rows("SELECT task, count(DISTINCT sample_id) AS n FROM samples GROUP BY task ORDER BY task")
    if not found:
        return "no samples in this dataset; build a recipe with a `tasks:` section"
    tasks = ", ".join(f"{r['task']} ({r['n']})" for r in found)
    known = task is None or any(r["task"] == task for r in found)
    return f"no sample {'fits' if known else f'of task {task!r}'}; the samples of this dataset are of the tasks {tasks}"


def _named(catalog: Catalog, ids: Sequence[str], condition: str, values: list[Any]) -> list[str]:
    chosen: list[str] = []
    for wanted in ids:
        rows = catalog.rows(
            f"SELECT sample_id FROM ({_CHECKED}) WHERE starts_with(sample_id, ?) AND {condition} ORDER BY sample_id LIMIT 6",
            [wanted, *values],
        )
        found = [r["sample_id"] for r in rows]
        if not found:
            raise ShowError(_unknown(catalog, wanted, condition, values))
        if len(found) > 1 and wanted not in found:
            several = ", ".join(found[:5]) + (" ..." if len(found) > 5 else "")
            raise ShowError(f"several samples begin with {wanted!r}: {several}; write more of the identifier")
        sample_id = wanted if wanted in found else found[0]
        if sample_id not in chosen:
            chosen.append(sample_id)
    return chosen


def _unknown(catalog: Catalog, wanted: str, condition: str, values: list[Any]) -> str:
    close = catalog.rows(
        f"SELECT sample_id, task FROM ({_CHECKED}) WHERE {condition} "
        "ORDER BY jaro_winkler_similarity(sample_id, ?) DESC, sample_id LIMIT 3",
        [*values, wanted],
    )
    if not close:
        return _nothing(catalog, None)
    return f"no sample {wanted!r}; close ones: " + ", ".join(f"{r['sample_id']} ({r['task']})" for r in close)


# -- drawing --------------------------------------------------------------------------------------------------------


def _sheets(catalog: Catalog, chosen: Sequence[str]) -> tuple[list[_Sheet], list[str]]:
    """The samples with what lies around them, and a line for each that cannot be read."""
    sheets: list[_Sheet] = []
    malformed: list[str] = []
    for sample_id in chosen:
        row = catalog.rows(f"SELECT * FROM ({_CHECKED}) WHERE sample_id = ?", [sample_id])[0]
        try:
            sample = Sample.from_row(row)
        except ValueError as error:
            reason = " ".join(str(error).split())
            malformed.append(f"sample {sample_id} ({row['task']}) is malformed, see `chronotope verify`: {reason}")
            continue
        around = around_of(catalog, sample)
        sheets.append(_Sheet(row, sample, around, frame_plan(sample, around)))
    return sheets, malformed


def _decoded(
    catalog: Catalog, root: Path, sheets: Sequence[_Sheet]
) -> tuple[dict[tuple[str, FrameWish], FramePicture], list[str]]:
    """All pictures that the sheets want, medium by medium, and what went wrong."""
    wishes: defaultdict[str, set[FrameWish]] = defaultdict(set)
    for sheet in sheets:
        for wanted in sheet.plan.all:
            wishes[wanted.media_id].add(wanted.wish)
    places = catalog.rows(
        "SELECT media_id, min(uri) AS uri FROM sources WHERE list_contains(?, media_id) GROUP BY media_id",
        [sorted(wishes)],
    )
    uris = {r["media_id"]: r["uri"] for r in places}
    frames: dict[tuple[str, FrameWish], FramePicture] = {}
    troubles: list[str] = []
    for media_id in sorted(wishes):
        if media_id not in uris:
            troubles.append(f"medium {media_id}: its file is not among the sources any more")
            continue
        try:
            with local_media(uris[media_id], root) as path:
                found = frames_at(path, wishes[media_id])
        except (MediaError, OSError) as error:
            troubles.append(f"medium {media_id}: {error}")
            continue
        frames |= {(media_id, wish): picture for wish, picture in found.items()}
    return frames, troubles


def _draw(sheet: _Sheet, frames: Mapping[tuple[str, FrameWish], FramePicture], folder: Path) -> PageCard:
    row, sample = sheet.row, sheet.sample
    verdict = row if row["check_status"] is not None else None
    card = draw_card(sample, sheet.plan, frames, sheet.around, verdict)
    picture = folder / f"{sample.task}-{row['sample_id']}.png"
    card.picture.save(picture, "PNG", compress_level=6)
    return PageCard(row["sample_id"], sample, verdict, picture, card, footage_words(sample, sheet.around))


def _summary(catalog: Catalog, cards: Sequence[PageCard]) -> list[dict[str, Any]]:
    """A row per task: samples here, in the dataset, passed, and how true their evidence is."""
    shown = Counter(card.sample.task for card in cards)
    return [
        {"task": r["task"], "shown": shown[r["task"]], **{k: r[k] for k in ("samples", "passed", "real", "grades")}}
        for r in catalog.rows(
            f"""SELECT task, count(*) AS samples, count(*) FILTER (WHERE passed) AS passed,
            count(*) FILTER (WHERE origin = 'real') AS real,
            string_agg(DISTINCT evidence_grade, ', ' ORDER BY evidence_grade) AS grades
            FROM ({_CHECKED}) GROUP BY task ORDER BY task"""
        )
    ]
