"""A folder that `datasets.load_dataset` reads: one Parquet file per split with typed columns, media beside it, a card.

Columns hold the conversation, the typed answer and where it comes from; media are paths relative to the folder. A row
names the shown part of each file (`start_s`, `end_s`), so whole files may be packaged instead of cuts (`media: copy`).
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import groupby, islice
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from pydantic import Field

from ..packager import Contents, Modality, PackagedSample, PackageParams, Packager, card, dumps

ROWS_AT_ONCE = 1000
_TEXT, _TEXTS = pa.string(), pa.list_(pa.string())
MESSAGE = pa.struct([("role", _TEXT), ("content", _TEXT), ("loss", pa.bool_())])
FILE = pa.struct(
    [
        ("kind", _TEXT),
        ("file", _TEXT),
        ("start_s", pa.float64()),
        ("end_s", pa.float64()),
        ("media_id", _TEXT),
        ("source_start_s", pa.float64()),
        ("source_end_s", pa.float64()),
    ]
)
SCHEMA = pa.schema(
    [
        ("sample_id", _TEXT),
        ("task", _TEXT),
        ("messages", pa.list_(MESSAGE)),
        ("question", _TEXT),
        ("answer", _TEXT),
        ("answer_json", _TEXT),
        ("reward_facts", _TEXT),
        ("options", _TEXTS),
        ("videos", _TEXTS),
        ("images", _TEXTS),
        ("audios", _TEXTS),
        ("media", pa.list_(FILE)),
        ("needs", _TEXTS),
        ("origin", _TEXT),
        ("check_status", _TEXT),
        ("evidence_grade", _TEXT),
        ("pair_id", _TEXT),
    ]
)


class Params(PackageParams):
    """Parameters of huggingface."""

    modalities: tuple[Modality, ...] = Field(
        ("vision", "audio"), min_length=1, description="What the trainer shows a model."
    )
    licence: str | None = Field(None, description="Licence of the card, as the hub spells it.")


class HuggingFace(Packager[Params]):
    """Parquet per split with typed columns and a media folder, read by `datasets.load_dataset(folder)`."""

    name = "huggingface"
    Params = Params
    spans = "native"
    clock = "pts"

    def write(self, samples: Iterator[PackagedSample], folder: Path, contents: Contents) -> None:
        (folder / "data").mkdir()
        for split, group in groupby(samples, key=lambda s: s.split):
            with pq.ParquetWriter(folder / _file(split), SCHEMA, compression="zstd") as writer:
                while rows := [_row(sample) for sample in islice(group, ROWS_AT_ONCE)]:
                    writer.write_table(pa.Table.from_pylist(rows, SCHEMA))
        if contents.splits:
            (folder / "README.md").write_text(self._card(contents), encoding="utf-8", newline="\n")

    def usage(self, contents: Contents) -> str:
        return (
            "```python\n"
            "from pathlib import Path\nfrom datasets import load_dataset\n\n"
            'folder = Path("this-folder")\n'
            "data = load_dataset(str(folder))\n"
            'row = data["train"][0]\n'
            'row["question"], row["answer"], [folder / v for v in row["videos"]]\n'
            "```\n\n"
            "`messages` hold placeholders in the order of `videos`, `images` and `audios`; `loss` is false for an answer that is "
            "only context. `media` says which part of "
            "each file is shown (`start_s` to `end_s` on the file's clock); times in the text count from that start. "
            "`answer_json` is the typed answer; `reward_facts` is what `chronotope.outputs.rewards` scores replies by."
        )

    def _card(self, contents: Contents) -> str:
        lines = ["---"]
        if self.params.licence:
            lines.append(f"license: {json.dumps(self.params.licence)}")
        lines += ["configs:", "- config_name: default", "  data_files:"]
        for split in contents.splits:
            lines += [f"  - split: {split}", f"    path: {_file(split)}"]
        return "\n".join([*lines, "---", "", "# Chronotope samples", "", self.usage(contents), "", card(contents)])


def _file(split: str) -> str:
    return f"data/{split}-00000-of-00001.parquet"


def _row(sample: PackagedSample) -> dict[str, Any]:
    facts = sample.facts
    said: dict[str, list[str]] = {"user": [], "assistant": []}
    for role, text in sample.turns:
        said[role].append(text)
    kinds = {part.file: part.kind for part in sample.parts}
    media = [
        {
            "kind": kinds[file],
            "file": file,
            "start_s": medium["shown_start_s"],
            "end_s": medium["shown_end_s"],
            "media_id": medium["media_id"],
            "source_start_s": medium["source_start_s"],
            "source_end_s": medium["source_end_s"],
        }
        for medium in facts["media"]
        for file in medium["files"]
    ]
    return {
        "sample_id": sample.sample_id,
        "messages": sample.messages(("loss", False)),
        "question": said["user"][0] if said["user"] else None,
        "answer": said["assistant"][-1] if said["assistant"] else None,
        "answer_json": dumps(facts["answer"]),
        "reward_facts": dumps(facts["reward"]),
        "videos": sample.files("video"),
        "images": sample.files("image"),
        "audios": sample.files("audio"),
        "media": media,
        **{
            name: facts[name]
            for name in ("task", "options", "needs", "origin", "check_status", "evidence_grade", "pair_id")
        },
    }


PACKAGER = HuggingFace
