"""Imported rows that a model wrote (`written_by: model` under `with:`), as conversations of instruction data often are.

Beside `imported`, which writes what people wrote. Checked against the medium in the same way, but graded `model`, so that samples
that rest on them are told from those that rest on what people saw.
"""

from __future__ import annotations

from typing import ClassVar

from ...engine.annotator import Grade
from .imported import ImportedAnnotator


class ImportedFromModels(ImportedAnnotator):
    """Writes what the recipe's `import:` sources say of a medium in the words of models, and notes about what was not taken."""

    name: ClassVar[str] = "imported_from_models"
    grade: ClassVar[Grade] = "model"
    written_by: ClassVar[str] = "model"


ANNOTATOR = ImportedFromModels
