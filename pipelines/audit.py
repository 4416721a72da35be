"""`audit`: people judge a stratified draw of samples in a local page, and the dataset learns what they said.

The draw follows from its arguments and the dataset, verdicts are kept as they come (`audit_rows.py`), and starting the same
audit again goes on where it stopped. For people elsewhere the same samples are exported as a page with its footage, or
as a table.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..engine.catalog import Catalog
from ..engine.lock import RootBusy
from ..outputs.audit_items import AuditItems
from ..outputs.audit_page import audit_page
from ..outputs.audit_server import AuditServer
from .audit_draw import Drawn, audit_label, candidates, columns_of, draw, spoken
from .audit_rows import Journal, all_reviews, commit_reviews, now, write_csv
from .audit_summary import summary
from .console import UsageError

COMMIT_EVERY = 20
"""Verdicts after which the journal is committed to the dataset."""
WAIT_S = 15.0
"""How long the last commit of an audit waits for another writer."""


@dataclass(frozen=True)
class Asked:
    """What the command line asks for."""

    root: Path
    number: int = 200
    by: str = "task,evidence_grade"
    seed: int = 0
    task: str | None = None
    where: str | None = None
    reviewer: str = "me"
    blind: bool = True


class Audit:
    """A drawn audit of one reviewer. A context manager: its catalog stays open for the page."""

    def __init__(self, asked: Asked) -> None:
        """Raises `UsageError` for columns that are not there and when nothing can be drawn."""
        self.asked = asked
        self.catalog = Catalog(asked.root)
        by = columns_of(self.catalog, asked.by)
        self.label = audit_label(asked.number, by, asked.seed, asked.task, asked.where)
        self.strata = candidates(self.catalog, by, asked.task, asked.where)
        self.drawn = draw(self.strata, asked.number, asked.seed)
        self._by_id = {d.sample_id: d for d in self.drawn}
        self._journal = Journal(asked.root, asked.reviewer)
        self._since_commit = 0
        self._beside = ThreadPoolExecutor(1)
        self.items = AuditItems(self.catalog, asked.root / "pictures" / "audit")

    def __enter__(self) -> Audit:
        return self

    def __exit__(self, *_: object) -> None:
        self._beside.shutdown()
        self.catalog.close()

    def strata_rows(self) -> list[dict[str, Any]]:
        """How many samples each stratum has, and how many of them are drawn."""
        return [
            {"stratum": spoken(s), "samples": len(members), "drawn": sum(d.stratum == s for d in self.drawn)}
            for s, members in self.strata.items()
        ]

    def done(self) -> dict[str, dict[str, str]]:
        """Verdicts of this reviewer about drawn samples."""
        with Catalog(self.asked.root) as now_stored:  # the page may be using the other one
            reviews = all_reviews(self.asked.root, now_stored)
        return {
            r["sample_id"]: {"verdict": r["verdict"], "comment": r["comment"] or ""}
            for r in reviews
            if r["reviewer"] == self.asked.reviewer and r["sample_id"] in self._by_id
        }

    # -- the page ---------------------------------------------------------------------------------------------------

    def page(self, inside: Sequence[dict[str, Any]] | None = None, files: str = "file/") -> str:
        """The page, served or (with all items `inside`) exported."""
        items = [{"sample_id": d.sample_id, "stratum": spoken(d.stratum)} for d in self.drawn]
        name = self.asked.root.name.removesuffix(".chronotope")
        done = {} if inside is not None else self.done()
        return audit_page(
            name, self.asked.reviewer, self.label, items, done, blind=self.asked.blind, inside=inside, files=files
        )

    def serve(self, port: int, ready: Callable[[str], None]) -> None:
        """Serve the page until the reviewer finishes; `ready` gets its address. Stopping by Ctrl-C keeps everything."""
        try:
            server = AuditServer(self.page(), [d.sample_id for d in self.drawn], self.items, self.record, port=port)
        except OSError as error:
            raise UsageError(
                f"port {port} cannot be used ({error.strerror}); leave --port out to take a free one"
            ) from None
        with server:
            ready(server.url)
            while not server.finished.wait(0.5):
                pass

    def record(self, sample_id: str, verdict: str, comment: str) -> None:
        """Keep a verdict: on disk before this returns, in the dataset after some more."""
        drawn: Drawn = self._by_id[sample_id]
        self._journal.add(
            {
                "sample_id": sample_id,
                "task": drawn.task,
                "media_id": drawn.media_id,
                "reviewer": self.asked.reviewer,
                "verdict": verdict,
                "comment": comment,
                "evidence_grade": drawn.grade,
                "audit": self.label,
                "reviewed_at": now(),
            }
        )
        self._since_commit += 1
        if self._since_commit >= COMMIT_EVERY:
            self._since_commit = 0
            self._beside.submit(self._commit)

    def _commit(self) -> None:
        """A commit beside the page; while a build holds the root, the verdicts wait in the journal."""
        with suppress(RootBusy):
            commit_reviews(self.asked.root)

    # -- for people elsewhere ---------------------------------------------------------------------------------------

    def export(self, path: Path, told: Callable[[int, int], None]) -> list[Path]:
        """Write the audit as a table (`.csv`) or as a page with a folder of footage (`.html`); what was written."""
        if path.suffix not in (".csv", ".html") or not path.parent.is_dir():
            raise UsageError(f"--export {path}: name a .html or .csv file in a folder that is there")
        folder = path.with_name(f"{path.stem}_files")
        items = AuditItems(self.catalog, folder)
        found = []
        for k, drawn in enumerate(self.drawn):
            found.append(items.item(drawn.sample_id))
            told(k + 1, len(self.drawn))
        if path.suffix == ".html":
            path.write_text(self.page(found, f"{folder.name}/"), encoding="utf-8")
        else:
            write_csv(path, [self._line(d, item, folder) for d, item in zip(self.drawn, found, strict=True)])
        return [path, folder]

    def _line(self, drawn: Drawn, item: dict[str, Any], folder: Path) -> dict[str, Any]:
        asked = [
            t["text"] + "".join(f"\n- {o['text']}" for o in t["options"]) for t in item["turns"] if t["role"] == "user"
        ]
        return {
            "sample_id": drawn.sample_id,
            "verdict": "",
            "comment": "",
            "task": drawn.task,
            "stratum": spoken(drawn.stratum),
            "footage": item.get("footage", ""),
            "question": "\n\n".join(asked),
            "answer": item.get("answer", ""),
            "files": " ".join(f"{folder.name}/{m['file']}" for m in item["media"]),
            "reviewer": self.asked.reviewer,
            "audit": self.label,
        }


def summarise(asked: Asked) -> dict[str, Any]:
    """Precision and agreement from all verdicts about the samples that the arguments name."""
    with Catalog(asked.root) as catalog:
        strata = candidates(catalog, columns_of(catalog, asked.by), asked.task, asked.where)
        return summary(strata, all_reviews(asked.root, catalog))
