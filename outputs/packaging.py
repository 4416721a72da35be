"""Writing a package: is there anything to do, into which folder, and what the manifest says.

A package appears under its name only when it is complete; the same dataset and parameters give the same bytes, and a
package whose fingerprint has not changed is left alone. What happens to the samples is in `package_flow.py`.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from ..engine.catalog import Catalog
from ..engine.media import MEDIA_VERSION
from ..engine.registry import find
from .mixture_draw import MixtureDraw
from .package_flow import ROWS, Flow, Progress
from .package_media import INDEX
from .package_plans import PlannedFrames
from .packager import PackageError, PackageParams, Packager, PackageReport, dumps, write_text
from .reporting.card_section import trust_state

FLOW_VERSION = 3
"""Raise it when the shared part of packaging would give other bytes."""
MANIFEST = "package.json"

_STATE = (
    "sample_id, task, recipe, clip_id, pair_id, origin, wording, answer_form, generator, difficulty_json, needs, rationale, "
    "passed, problem, check_status, evidence_grade, grade, contaminated_by, shortcut, also_answered_by, split"
)


def package(
    catalog: Catalog,
    name: str,
    params: Mapping[str, Any] | PackageParams | None,
    out_dir: Path | str,
    *,
    recipe: str | None = None,
    workers: int | None = None,
    force: bool = False,
    progress: Progress | None = None,
    relative_to: Path | None = None,
    variables: Mapping[str, str] | None = None,
) -> PackageReport:
    """Write the package `name` (a packager) with `params` to the folder `out_dir`, replacing what is there.

    Samples are those of `recipe` (all when None). A package whose fingerprint has not changed is left alone unless
    `force`. `workers` media are cut at a time; values of `variables` (of the environment) are not written down. Raises `PackageError` for parameters that make no sense, and
    `UnknownName` for an unknown packager.
    """
    kind: type[Packager[Any]] = find("packager", name, relative_to=relative_to)
    packager = kind(_params(kind, name, params))
    out = Path(out_dir)
    mark = fingerprint(catalog, packager, recipe)
    if not force:
        before = _unchanged(out, mark)
        if before is not None:
            return before
    part = out.with_name(f".{out.name}.part")
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir(parents=True)
    neighbours = [n for n in sorted(out.parent.iterdir()) if (n / INDEX).is_file() and n != part]
    try:
        flow = Flow(catalog, packager, part, recipe, neighbours, progress, variables)
        report = flow.run(out, workers or min(4, os.cpu_count() or 1))
        manifest = {
            "packager": packager.name,
            "fingerprint": mark,
            "params": flow.shown_params,
            "spans": packager.spans,
            "clock": packager.clock,
            **report.counts(),
        }
        write_text(part / MANIFEST, json.dumps(manifest, indent=2, sort_keys=True, ensure_ascii=False) + "\n")
        _put(part, out)
    finally:
        shutil.rmtree(part, ignore_errors=True)
    report.files = sum(1 for p in out.rglob("*") if not p.is_dir())
    return report


def fingerprint(catalog: Catalog, packager: Packager[Any], recipe: str | None = None) -> str:
    """Hash of everything that the package depends on: code versions, parameters, samples with verdicts and splits,
    and where the media that they show lie. One query over narrow columns.
    """
    state = catalog.rows(
        f"WITH r AS ({ROWS}) SELECT md5(string_agg(row({_STATE})::VARCHAR, chr(10) ORDER BY sample_id)) AS state, "
        "(SELECT md5(string_agg(concat_ws(chr(9), media_id, uri, size), chr(10) ORDER BY media_id, uri)) FROM "
        " (SELECT DISTINCT media_id, uri, size FROM sources WHERE media_id IN "
        "  (SELECT DISTINCT x.media_id FROM (SELECT unnest(media) AS x FROM r)))) AS sources FROM r",
        {"recipe": recipe},
    )[0]
    said = [
        FLOW_VERSION,
        MEDIA_VERSION,
        packager.name,
        packager.version,
        packager.params.model_dump(mode="json"),
        recipe,
        state,
        trust_state(catalog),
    ]
    if packager.profile is not None:
        said.append(packager.profile.digest)
    if packager.params.frames is not None:
        said.append(PlannedFrames(catalog, packager.params).state())
    if packager.params.mixture is not None:
        said.append(MixtureDraw(catalog, packager.params.mixture, recipe, packager.params.splits).state())
    return hashlib.blake2b(dumps(said).encode(), digest_size=16).hexdigest()


def _params(kind: type[Packager[Any]], name: str, params: Mapping[str, Any] | PackageParams | None) -> PackageParams:
    if isinstance(params, PackageParams):
        return params
    try:
        return kind.Params.model_validate(params or {})
    except ValidationError as error:
        first = error.errors()[0]
        known = ", ".join(kind.Params.model_fields)
        where = ".".join(map(str, first["loc"]))
        raise PackageError(f"package {name}: {where}: {first['msg']}; parameters are {known}") from None


def _unchanged(out: Path, mark: str) -> PackageReport | None:
    try:
        manifest = json.loads((out / MANIFEST).read_text(encoding="utf-8"))
        if manifest["fingerprint"] != mark:
            return None
        names = ("inputs", "packaged", "left_out", "splits", "tasks", "media_files")
        return PackageReport(
            out.name, out, **{n: manifest[n] for n in names}, unchanged=True, mixture=manifest.get("mixture", []),
            frame_plan=manifest.get("frame_plan", {}),
        )  # fmt: skip
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _put(part: Path, out: Path) -> None:
    """Rename the finished folder into place; what was there before goes away after that."""
    old = out.with_name(f".{out.name}.old")
    shutil.rmtree(old, ignore_errors=True)
    if out.exists():
        out.rename(old)
    part.rename(out)
    shutil.rmtree(old, ignore_errors=True)
