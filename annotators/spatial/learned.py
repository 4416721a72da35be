"""What annotators by a learned geometry model have in common: finding its weights, loading it once, and where it runs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Generic, TypeVar

from ...engine.annotator import Grade, Resources, UnitAnnotator
from ...engine.models import ModelRef
from .geometry_models import GeometryModel, GeometryParams, code_of, find_model, load_model

G = TypeVar("G", bound=GeometryParams)


class Learned(UnitAnnotator[G], Generic[G]):
    """Base of `cameras_learned` and `depth`."""

    grade: ClassVar[Grade] = "model"
    reads_media: ClassVar[bool] = True
    quick_units: ClassVar[int] = 2

    def __init__(self, params: G) -> None:
        super().__init__(params)
        self.folder = "."
        self._model: GeometryModel | None = None

    @property
    def model(self) -> GeometryModel:
        """The model, loaded."""
        if self._model is None:
            self._model = load_model(self.params, self.folder)
        return self._model

    @property
    def model_name(self) -> str:
        """What rows call the model."""
        weights = self.models()
        return weights[0].name if weights else self.params.backend

    def models(self) -> Sequence[ModelRef]:
        """The weights."""
        return find_model(self.params)

    def code_digest(self) -> str:
        """Digest of a file of the user's, or the version of the service."""
        return code_of(self.params, self.folder)

    def resources(self) -> Resources:
        """A GPU where it computes on one."""
        return Resources(cpus=1.0, gpus=float(self.params.device == "cuda" and bool(self.models())))

    def setup(self) -> None:
        """Load the model."""
        self._model = load_model(self.params, self.folder)
