"""Where verdicts of people are kept: at once in a journal file, now and then in table `reviews`.

A journal line is on disk before the page hears that it was kept, so a crash loses nothing; lines that are newer than the
table are committed by the next `chronotope audit`, whatever it was started for. The root's lock is held only while
committing: a build may run meanwhile, and then the verdicts wait in the journal.
"""

from __future__ import annotations

import csv
import json
import os
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from threading import Lock
from typing import Any

from ..engine.catalog import Catalog
from ..engine.committer import Committer
from ..engine.digest import RowDigest
from ..engine.files import write_rows
from ..engine.lock import RootLock
from ..engine.results import Outcome, UnitKey, UnitResult
from ..engine.runner import open_ledger
from ..engine.store import Store
from ..outputs.audit_server import VERDICTS
from ..schemas.ids import derive_id
from ..schemas.tables import TABLES
from .console import UsageError

PRODUCER = "audit"
COLUMNS = ("sample_id", "task", "reviewer", "verdict", "comment", "evidence_grade", "audit", "reviewed_at")
_REVIEWS = TABLES["reviews"]
Review = dict[str, Any]
"""A row of `reviews` as its columns, with media_id."""


def journal_dir(root: Path) -> Path:
    """Folder of the journals."""
    return root / "work" / "audit"


class Journal:
    """The verdicts of one reviewer, one line each; the last line about a sample counts."""

    def __init__(self, root: Path, reviewer: str) -> None:
        slug = re.sub(r"[^A-Za-z0-9_-]+", "_", reviewer)[:40]
        self.path = journal_dir(root) / f"{slug}-{derive_id('reviewer', reviewer)[:8]}.jsonl"
        self._lock = Lock()

    def add(self, review: Review) -> None:
        """Write a verdict to disk."""
        with self._lock:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with self.path.open("a+b") as file:
                line = json.dumps(review, ensure_ascii=False, sort_keys=True) + "\n"
                if file.tell() and not _ends_whole(file):
                    line = "\n" + line
                file.write(line.encode())
                file.flush()
                os.fsync(file.fileno())


def _ends_whole(file: Any) -> bool:
    """Whether the file ends with a line end; a crash may have cut its last line."""
    file.seek(-1, os.SEEK_END)
    return bool(file.read(1) == b"\n")


def journaled(root: Path) -> list[Review]:
    """The last verdict of each reviewer about each sample; a line that a crash cut off is left out."""
    last: dict[tuple[str, str], Review] = {}
    for path in sorted(journal_dir(root).glob("*.jsonl")):
        for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
            try:
                review = json.loads(line)
                last[(review["sample_id"], review["reviewer"])] = review
            except (ValueError, KeyError, TypeError):
                continue
    return [last[key] for key in sorted(last)]


def stored(catalog: Catalog) -> list[Review]:
    """Rows of `reviews`."""
    return catalog.rows(f"SELECT media_id, {', '.join(COLUMNS)} FROM reviews ORDER BY sample_id, reviewer")


def all_reviews(root: Path, catalog: Catalog) -> list[Review]:
    """Stored and journaled verdicts, the newer one where both have one."""
    return list(_newest([*stored(catalog), *journaled(root)]).values())


def _newest(reviews: Iterable[Review]) -> dict[tuple[str, str], Review]:
    found: dict[tuple[str, str], Review] = {}
    for review in reviews:
        key = (review["sample_id"], review["reviewer"])
        if key not in found or str(review["reviewed_at"]) > str(found[key]["reviewed_at"]):
            found[key] = review
    return dict(sorted(found.items()))


def commit_reviews(root: Path, extra: Iterable[Review] = (), wait_s: float = 0.0) -> int:
    """Commit what the journals (and `extra`) know better than table `reviews`; the number of new or changed verdicts.

    A sample's reviews are one unit: those of other reviewers stay. Raises `RootBusy` while another writer holds the root.
    """
    extra = list(extra)
    with Catalog(root) as catalog:
        if not _pending(stored(catalog), [*journaled(root), *extra]):
            return 0
    with RootLock(root, f"audit {os.getpid()}", wait_s) as lock:
        store = Store.open(root)
        with Catalog(store) as catalog:
            commit = store.begin(lock)
            catalog.refresh()
            before = stored(catalog)
            pending = _pending(before, [*journaled(root), *extra])
            touched = {r["sample_id"] for r in pending}
            units: dict[str, list[Review]] = defaultdict(list)
            for (sample_id, _), review in _newest([*before, *pending]).items():
                if sample_id in touched:
                    units[sample_id].append(review)
            committer = Committer(commit, open_ledger(catalog), datetime.now(UTC).strftime("%Y%m%dT%H%M%S%f"))
            results, rows = [], []
            for sample_id, reviews in sorted(units.items()):
                full = [
                    _REVIEWS.complete({c: r.get(c) for c in COLUMNS}, PRODUCER, sample_id, r["media_id"])
                    for r in reviews
                ]
                digest = RowDigest(_REVIEWS).add(full).hex()
                key = UnitKey(PRODUCER, sample_id, reviews[0]["media_id"], "clip", derive_id(PRODUCER, digest))
                results.append(UnitResult(key, Outcome(), rows=len(full), digest=digest))
                rows += full
            if rows:
                results[0].files.append(write_rows(root, _REVIEWS, PRODUCER, rows))
                committer.add(results)
                committer.flush()
    return len(pending)


def _pending(before: Iterable[Review], reviews: Iterable[Review]) -> list[Review]:
    known = _newest(before)
    newest = _newest([*known.values(), *reviews])
    return [review for key, review in newest.items() if known.get(key) is not review]


def now() -> str:
    """The time of a verdict."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")


# -- files ----------------------------------------------------------------------------------------------------------


def write_csv(path: Path, rows: Iterable[Mapping[str, Any]]) -> None:
    """Samples to be judged elsewhere, one a line, with empty columns `verdict` and `comment`."""
    listed = list(rows)
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.DictWriter(file, list(listed[0]))
        writer.writeheader()
        writer.writerows({k: _plain(v) for k, v in row.items()} for row in listed)


def _plain(value: Any) -> Any:
    """A text that a spreadsheet does not take for a formula."""
    text = str(value)
    return f"'{text}" if text.startswith(tuple("=+-@\t\r")) and not isinstance(value, int | float) else value


def read_csv(path: Path, catalog: Catalog, reviewer: str, label: str) -> list[Review]:
    """Verdicts from a file with columns sample_id and verdict (right, wrong, unclear, or empty), and if there are any: comment,
    reviewer, audit, reviewed_at. Raises `UsageError` naming the row that makes no sense.
    """
    known = {
        r["sample_id"]: r for r in catalog.rows("SELECT sample_id, task, media_id, evidence_grade FROM sample_view")
    }
    found: list[Review] = []
    with path.open(encoding="utf-8-sig", newline="") as file:
        reader = csv.DictReader(file)
        lacking = {"sample_id", "verdict"} - set(reader.fieldnames or ())
        if lacking:
            raise UsageError(f"{path.name} has no column {' and '.join(sorted(lacking))}; `audit --export` writes them")
        for number, row in enumerate(reader, start=2):
            verdict = (row["verdict"] or "").strip().lower()
            if not verdict:
                continue
            if verdict not in VERDICTS:
                raise UsageError(f"{path.name}, row {number}: verdict {verdict!r} is none of {', '.join(VERDICTS)}")
            sample = known.get((row["sample_id"] or "").strip())
            if sample is None:
                raise UsageError(f"{path.name}, row {number}: no sample {row['sample_id']!r} in this dataset")
            found.append(
                {
                    **sample,
                    "evidence_grade": sample["evidence_grade"] or "judge",
                    "reviewer": (row.get("reviewer") or reviewer).strip(),
                    "verdict": verdict,
                    "comment": (row.get("comment") or "").strip(),
                    "audit": row.get("audit") or label,
                    "reviewed_at": _time(row.get("reviewed_at")),
                }
            )
    return found


def _time(given: str | None) -> str:
    """A time of a file in the form of the table, or now."""
    try:
        return (
            datetime.fromisoformat(str(given).strip().replace("Z", "+00:00"))
            .astimezone(UTC)
            .isoformat(timespec="milliseconds")
        )
    except ValueError:
        return now()
