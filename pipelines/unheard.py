"""What the sources of a recipe know and no producer of it reads: annotations that were imported, truth of composed media.

A recipe may do without on purpose, so this is told and is no error.
"""

from __future__ import annotations

from collections.abc import Iterator

from .recipe import Recipe

READERS = {"people": "imported", "model": "imported_from_models"}
"""Who wrote what an importer reads -> the annotator that writes it to the tables."""


def unheard(recipe: Recipe) -> Iterator[str]:
    """A line per entry of sources whose rows no producer writes: what is lost, and what to add."""
    names = {spec.annotator for spec in recipe.specs}
    for number, source in enumerate(recipe.model.sources, start=1):
        if source.importer is not None:
            reader = READERS.get(str(source.settings.get("written_by", "people")), "imported")
            if reader not in names:
                yield (
                    f"sources, entry {number}: what import {source.importer} reads goes nowhere; add `- {reader}` to annotate"
                )
        elif source.composer is not None and not names & {"composed_truth", "carried_truth"}:
            yield (
                f"sources, entry {number}: what compose {source.composer} knows of its media goes nowhere; add "
                "`- composed_truth` to annotate"
            )
