"""The house keeps its plan: floors import downwards only, importing is light, code changes raise versions, names are kept."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest
from chronotope.engine import code_lock
from chronotope.engine.annotator import Annotator
from chronotope.engine.code_lock import code_digest, differences
from chronotope.engine.registry import builtin_files, find

ROOT = Path(__file__).parents[1]
FLOORS = {"schemas": 1, "engine": 2, "annotators": 3, "outputs": 3, "pipelines": 4}
HEAVY = (
    "ray",
    "torch",
    "av",
    "cv2",
    "duckdb",
    "deltalake",
    "pyarrow",
    "onnxruntime",
    "faster_whisper",
    "rapidocr",
    "scenedetect",
)
HEAVY_TO_LIST = ("torch", "onnxruntime", "faster_whisper", "rapidocr", "ray", "open_clip", "whisper")


def modules() -> list[Path]:
    return [p for floor in FLOORS for p in sorted((ROOT / floor).rglob("*.py"))]


def imported_floors(file: Path) -> set[str]:
    package = file.parent.relative_to(ROOT).parts
    found = set()
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.ImportFrom) and node.level:
            base = (*package[: len(package) - node.level + 1], *((node.module or "").split(".")))
            targets = [base[0]] if base and base[0] else [alias.name for alias in node.names]
            found |= {t for t in targets if t in FLOORS}
        elif isinstance(node, (ast.Import, ast.ImportFrom)):
            names = [node.module or ""] if isinstance(node, ast.ImportFrom) else [a.name for a in node.names]
            found |= {n.split(".")[1] for n in names if n.startswith("chronotope.")}
    return found


def test_a_floor_imports_only_from_floors_below_it() -> None:
    wrong = []
    for file in modules():
        mine = file.relative_to(ROOT).parts[0]
        for other in imported_floors(file):
            if other != mine and FLOORS[other] >= FLOORS[mine]:
                wrong.append(f"{file.relative_to(ROOT)} imports {other}")
    assert not wrong


@pytest.mark.parametrize(
    ("module", "heavy"), [("chronotope", (*HEAVY, "numpy", "pydantic")), ("chronotope.pipelines.cli", HEAVY)]
)
def test_importing_is_light(module: str, heavy: tuple[str, ...]) -> None:
    code = f"import sys, {module}; print(*sorted(set(sys.modules) & set({heavy!r})))"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert not loaded


def test_no_annotator_loads_a_model_library_when_it_is_imported() -> None:
    code = (
        "import sys; from chronotope.engine.registry import find, names; "
        "[find('annotator', n) for n in names('annotator')]; [find('packager', n) for n in names('packager')]; "
        f"print(*sorted(set(sys.modules) & set({HEAVY_TO_LIST!r})))"
    )
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert not loaded


def test_the_lock_covers_what_decides_about_rows_in_the_engine(monkeypatch: pytest.MonkeyPatch) -> None:
    ladder, groups = code_digest("ladder"), code_digest("groups")
    stripped = code_lock._stripped
    changed = ROOT / "engine" / "ladder" / "climb.py"
    monkeypatch.setattr(code_lock, "_stripped", lambda f: stripped(f) + ("new rule" if f == changed else ""))
    assert code_digest("ladder") != ladder and code_digest("groups") == groups


def test_changed_code_raises_the_version() -> None:
    assert not differences()


@pytest.mark.parametrize("name", sorted(builtin_files("annotator")))
def test_every_annotator_says_what_it_is(name: str) -> None:
    annotator = find("annotator", name)
    assert issubclass(annotator, Annotator)
    assert annotator.name == name
    assert annotator.__doc__ and len(annotator.__doc__) > 20
    if "dynamic_reads" not in vars(annotator):
        assert set(annotator.optional_reads) <= set(annotator.reads)
    undocumented = [field for field, info in annotator.Params.model_fields.items() if not info.description]
    assert not undocumented


@pytest.mark.parametrize("name", sorted(builtin_files("packager")))
def test_every_packager_says_what_it_is(name: str) -> None:
    packager = find("packager", name)
    assert packager.name == name and packager.__doc__
    assert packager.spans in ("native", "none") and packager.clock in ("pts", "index")
    assert all(info.description for info in packager.Params.model_fields.values())


def test_every_package_folder_is_listed_for_the_wheel() -> None:
    import tomllib

    listed = set(tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]["packages"])
    folders = {f"chronotope.{'.'.join(p.parent.relative_to(ROOT).parts)}" for p in modules() if p.name == "__init__.py"}
    assert folders <= listed
    assert all((p.parent / "__init__.py").exists() for p in modules())
