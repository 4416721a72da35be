"""Places that a composer fills: its drafts as files below the dataset root, each with its truth beside it.

Drafts are named by the digest of everything that their bytes depend on, so that what is there already is not rendered again.
Naming them is cheap and writes nothing (`plan` does it); the scan of a build renders what is missing, and a draft that cannot
be rendered is a failed place like a file that cannot be read.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from ..annotators.temporal.union import Components
from ..engine.composing import ComposeError, Draft, Material, MediaComposer
from ..engine.extras import missing, remedy
from ..engine.producer import RecipeError, explain
from ..engine.registry import UnknownName, find
from ..engine.scan import Place
from ..schemas.composed import ComposedFacts, written_row
from .material import material_of
from .recipe_sources import Source

COMPOSED = "composed"
"""Folder below the dataset root."""
TRUTH = ".truth.json"


def composed_places(
    source: Source, folder: Path, target: Path, work: Path, seed: int, root: Path | None = None
) -> Iterator[Place]:
    """One place per draft of the entry's composer, in `target`, and one per file of the material that cannot be read; relative
    names start from `folder`.

    `work` is a folder for what is remembered of the material; what lies below `root` is none. Raises `RecipeError` for unknown composers and parameters,
    `ComposeError` where the material does not do.
    """
    composer = composer_of(source, folder)
    material: list[Material] = []
    unread: list[Place] = []
    if source.material or source.dataset:
        material = material_of(source, folder, work, unread, root)
    elif composer.needs_material:
        raise ComposeError(f"compose {source.composer} needs footage: name it with `material:`, or a built `dataset:`")
    drafts = list(composer.compose(material, seed))
    if not drafts:
        raise ComposeError(f"compose {source.composer} makes nothing of {len(material)} media; see its parameters")
    doubled = len(drafts) - len({d.digest for d in drafts})
    if doubled:
        raise ComposeError(f"compose {source.composer} drafted {doubled} of {len(drafts)} media twice")
    groups = _groups(drafts)
    for draft in drafts:
        yield place_of(draft, composer, target, source, groups)
    yield from unread


def composer_of(source: Source, folder: Path) -> MediaComposer[Any]:
    """The composer of an entry, with its parameters. Raises `RecipeError`."""
    assert source.composer is not None
    try:
        kind: type[MediaComposer[Any]] = find("composer", source.composer, relative_to=folder)
        params = kind.Params.model_validate(source.settings)
    except UnknownName as error:
        raise RecipeError(f"sources: {error}") from None
    except ValidationError as error:
        raise RecipeError(
            f"sources: compose {source.composer}: {explain(error, kind.Params, source.settings)}"
        ) from None
    if kind.needs_extra and (lacking := missing(kind.needs_extra)):
        raise RecipeError(
            f"sources: compose {source.composer}: {', '.join(lacking)} is not installed; {remedy(kind.needs_extra)}"
        )
    return kind(params)


def place_of(
    draft: Draft, composer: MediaComposer[Any], target: Path, source: Source, groups: Components | None = None
) -> Place:
    """The place of a draft, with the licence, group and official split of what it is made of."""
    file = target / f"{draft.digest}{draft.suffix}"
    facts = facts_of(draft, composer)
    return Place(
        str(file),
        licence=source.licence or _one(draft.sources, "licence", "; "),
        group_id=source.group_id or _group(draft, groups),
        official_split=source.official_split or _split(draft.sources, file.name),
        origin="composed",
        make=lambda: make(draft, facts, file),
    )


def facts_of(draft: Draft, composer: MediaComposer[Any]) -> ComposedFacts:
    """What the truth file of a draft says, but for what is measured when it is written."""
    used = {m.media_id for m in draft.sources}
    rows = written_rows(draft.rows)
    for piece in rows.get("edits", ()):
        if piece.get("source_media_id") not in used:
            piece["source_media_id"] = None  # drawn by the composer: media that show the same drawing share no footage
    return ComposedFacts(
        composer=f"{type(composer).name}@{type(composer).version}",
        digest=draft.digest,
        duration_s=draft.duration_s,
        rows=rows,
        grades={table: grade for table, grade in sorted(draft.grades.items()) if grade != "exact"},
        sources=tuple(sorted(used)),
        parameters=dict(draft.parameters),
    )


def make(draft: Draft, facts: ComposedFacts, file: Path) -> None:
    """Write a draft and its truth, each under its name only when complete; what is there and current stays untouched."""
    file.parent.mkdir(parents=True, exist_ok=True)
    if not file.exists():
        part = file.with_name(f".{file.stem}.{os.getpid()}.part{file.suffix}")
        try:
            draft.write(part)
            part.replace(file)
        finally:
            part.unlink(missing_ok=True)
    truth = file.with_name(file.stem + TRUTH)
    if draft.measured is not None:
        if truth.exists():
            return
        facts = facts.model_copy(update={"rows": {**facts.rows, **written_rows(draft.measured())}})
    text = facts.model_dump_json(indent=None if draft.measured else 1)
    if not truth.exists() or truth.read_text(encoding="utf-8") != text:
        part = truth.with_name(f".{truth.name}.{os.getpid()}.part")
        part.write_text(text, encoding="utf-8")
        part.replace(truth)


def written_rows(rows: Mapping[str, Sequence[Mapping[str, Any]]]) -> dict[str, list[dict[str, Any]]]:
    """Rows by table as a truth file holds them; empty tables are left out."""
    return {table: [written_row(row) for row in found] for table, found in sorted(rows.items()) if found}


def sweep(places: Iterable[Place], root: Path, recipe: str) -> int:
    """Remove composed files of a recipe that no place of it names any more, and what an interrupted build left half-written; how
    many media went."""
    kept = {str(Path(p.uri).with_suffix("")) for p in places if p.make is not None}
    gone = 0
    for file in sorted((root / COMPOSED / recipe).glob("*/*")):
        half = file.name.startswith(".")
        if not file.is_file() or (not half and str(file.with_name(file.name.partition(".")[0])) in kept):
            continue
        gone += not half and file.suffix != ".json"  # its truth and its stamp go with it
        file.unlink()
    return gone


def _one(sources: Sequence[Material], column: str, joiner: str) -> str | None:
    found = sorted({str(m.media[column]) for m in sources if m.media.get(column)})
    return joiner.join(found) or None


def _groups(drafts: Sequence[Draft]) -> Components:
    """Groups of the material, joined wherever one draft mixes them: media that share any footage stay together."""
    groups = Components()
    for draft in drafts:
        own = [_group_of(m) for m in draft.sources]
        for other in own:
            groups.join(own[0], other)
    return groups


def _group(draft: Draft, groups: Components | None) -> str | None:
    if not draft.sources:
        return None
    first = _group_of(draft.sources[0])
    return first if groups is None else groups.name(first)


def _group_of(material: Material) -> str:
    return str(material.media.get("group_id") or material.media_id)


def _split(sources: Sequence[Material], name: str) -> str | None:
    found = sorted({str(m.media["official_split"]) for m in sources if m.media.get("official_split")})
    if len(found) > 1:
        raise ComposeError(
            f"{name} would mix footage of the official splits {' and '.join(found)}; compose each by itself"
        )
    return found[0] if found else None
