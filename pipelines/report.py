"""`report`: the figures of a dataset, written as a page, as JSON and as Markdown. Nothing is computed that is not stored."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..engine.catalog import Catalog
from ..outputs.reporting.figures import report_figures
from ..outputs.reporting.markdown import report_markdown
from ..outputs.reporting.page import report_page


@dataclass(frozen=True)
class Report:
    """What was written."""

    figures: dict[str, Any]
    page: Path


def write_report(root: Path, folder: Path, *, task: str | None = None, tolerance: float = 0.05) -> Report:
    """Write `index.html`, `report.json` and `report.md` into `folder`.

    The files depend on nothing but the dataset version and the arguments. Raises `StoreError` when there is no dataset and
    `ReportError` when it has no samples.
    """
    with Catalog(root) as catalog:
        figures = report_figures(catalog, task, tolerance)
    folder.mkdir(parents=True, exist_ok=True)
    texts = {
        "index.html": report_page(figures),
        "report.json": json.dumps(figures, indent=1, sort_keys=True, ensure_ascii=False) + "\n",
        "report.md": report_markdown(figures),
    }
    for name, text in texts.items():
        (folder / name).write_text(text, encoding="utf-8", newline="\n")
    return Report(figures, folder / "index.html")
