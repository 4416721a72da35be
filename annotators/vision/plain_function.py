"""A user's own function as an annotator: a frame in, rows out.

    def brightness(frame, floor=0.0):
        return {"value": max(floor, float(frame.luma(64).mean()))}

In a recipe it is `my_file.py:brightness: {fps: 2, floor: 10}`. It shares the decode pass with all other
annotators and goes stale when the code of its file changes (docstrings and formatting aside); files that
it imports are not watched.
"""

from __future__ import annotations

import ast
import hashlib
import inspect
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from pydantic import Field

from ...engine.annotator import FrameAnnotator, FrameSession, Medium, Params, Row, Sampling
from ...engine.registry import UnknownName, load_file
from ..foreign_rows import checked_row, row_model

if TYPE_CHECKING:
    from ...engine.media.frame import Frame

Function = Callable[..., Any]


class PlainFunctionParams(Params):
    """Parameters of a plain function; its own keyword arguments stand beside them in a recipe."""

    function: str = Field(description="the file and the function: my_file.py:thing, relative to the recipe")
    folder: str = Field(default=".", exclude=True, description="folder of the recipe")
    fps: float | None = Field(default=1.0, gt=0, description="frames per second that it sees; null: every frame")
    table: str = Field(default="measurements", description="table that its rows go to")
    arguments: dict[str, Any] = Field(default_factory=dict, description="keyword arguments of the function")


class PlainFunction(FrameAnnotator[PlainFunctionParams]):
    """Calls the function for each frame. It returns a dictionary of columns, a list of them, or None for
    nothing.

    `t_s` (the frame's time) and, for `measurements`, `name` (the function's) may be left out.
    """

    name: ClassVar[str] = "plain_function"
    version: ClassVar[int] = 1
    Params: ClassVar[type[Params]] = PlainFunctionParams
    writes: ClassVar[tuple[str, ...]] = ("measurements",)

    def __init__(self, params: PlainFunctionParams) -> None:
        super().__init__(params)
        row_model(params.table)
        self._file, self._function = _load(params)

    @classmethod
    def from_path(cls, path: str, params: Mapping[str, Any] | None = None, folder: Path = Path()) -> PlainFunction:
        """The annotator for `my_file.py:thing`. Own parameters are taken out of `params`, the rest are
        arguments.

        Raises `UnknownName` when file or function is missing or an argument is unknown.
        """
        own = set(PlainFunctionParams.model_fields) - {"function", "folder", "arguments"}
        given = dict(params or {})
        arguments = dict(given.pop("arguments", {})) | {k: v for k, v in given.items() if k not in own}
        settings = {k: v for k, v in given.items() if k in own}
        return cls(PlainFunctionParams(function=path, folder=str(folder), arguments=arguments, **settings))

    def dynamic_writes(self) -> tuple[str, ...]:
        """The table that was chosen."""
        return (self.params.table,)

    def code_digest(self) -> str:
        """Digest of the file's syntax tree without docstrings."""
        return code_digest(self._file.read_text(encoding="utf-8"))

    def sampling(self, medium: Medium) -> Sampling:
        """The frames that it sees."""
        return Sampling(self.params.fps)

    def open(self, medium: Medium) -> FrameSession:
        """A session; the function keeps no state of ours."""
        return PlainFunctionSession(self.params, self._function, str(medium))


class PlainFunctionSession(FrameSession):
    """Calls the function and checks what it returns."""

    def __init__(self, params: PlainFunctionParams, function: Function, medium: str) -> None:
        self._params, self._function, self._medium = params, function, medium
        self._name = params.function.rpartition(":")[2]

    def see(self, frame: Frame) -> Iterable[Row]:
        """Rows of one frame. Raises `ForeignRowError` for a return value that is no row."""
        returned = self._function(frame, **self._params.arguments)
        if returned is None:
            return []
        where = f"{self._params.function} on {self._medium} at {frame.t_s:g} s"
        defaults = {"t_s": frame.t_s, "name": self._name}
        many = returned if isinstance(returned, list) else [returned]
        return [(self._params.table, checked_row(self._params.table, row, defaults, where)) for row in many]


def code_digest(source: str) -> str:
    """Digest of Python source that comments, formatting and docstrings do not change."""
    tree = ast.parse(source)
    for node in ast.walk(tree):
        if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)):
            first = node.body[0] if node.body else None
            if (
                isinstance(first, ast.Expr)
                and isinstance(first.value, ast.Constant)
                and isinstance(first.value.value, str)
            ):
                node.body = node.body[1:] or [ast.Pass()]
    return hashlib.blake2b(ast.dump(tree).encode(), digest_size=16).hexdigest()


def _load(params: PlainFunctionParams) -> tuple[Path, Function]:
    file_text, _, name = params.function.rpartition(":")
    if not file_text.endswith(".py") or not name:
        raise UnknownName(f"{params.function!r} names no function; write my_file.py:thing")
    file = (Path(params.folder) / file_text).resolve()
    if not file.is_file():
        raise UnknownName(f"{params.function}: there is no file {file_text} in {Path(params.folder).resolve()}")
    function = getattr(load_file(file), name, None)
    if function is None:
        raise UnknownName(f"{params.function}: {file.name} defines no {name!r}")
    if not callable(function):
        raise UnknownName(f"{params.function}: {name} is a {type(function).__name__}, not a function")
    try:
        inspect.signature(function).bind(None, **params.arguments)
    except TypeError as error:
        raise UnknownName(
            f"{params.function} cannot be called with a frame and "
            f"{params.arguments or 'no arguments'}: {error}; its "
            f"signature is {name}{inspect.signature(function)}"
        ) from None
    return file, function


ANNOTATOR = PlainFunction
