"""Tokenizers of CLIP models without torch and without open_clip, built on the `tokenizers` library.

An exported model carries its vocabulary: either CLIP's own byte-pair merges (`bpe_simple_vocab_*.txt.gz`,
possibly cut) or a `tokenizer.json`. Texts are cleaned as open_clip cleans them (ftfy, HTML entities, white
space, case); plain ASCII needs no ftfy because ftfy leaves it alone. A test compares the numbers with
open_clip's.
"""

from __future__ import annotations

import gzip
import html
import string
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

if TYPE_CHECKING:
    from tokenizers import Tokenizer

_START, _END = "<start_of_text>", "<end_of_text>"
_MERGES_OF_CLIP = 49152 - 256 - 2
_WORDS = r"'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+"
_NO_PUNCTUATION = str.maketrans("", "", string.punctuation)

Clean = Literal["lower", "whitespace", "canonicalize"]


class TokenizerSpec(BaseModel):
    """What an export folder says about its tokenizer."""

    model_config = ConfigDict(frozen=True)

    kind: Literal["clip_bpe", "tokenizer_json"] = Field(description="CLIP's merges, or a file of `tokenizers`")
    file: str = Field(description="vocabulary file, relative to the folder")
    context_length: int = Field(gt=1, description="tokens per text; longer texts are cut")
    clean: Clean = Field(default="lower", description="how open_clip cleans the text first")
    pad_id: int = Field(default=0, description="number of the padding token (tokenizer_json)")
    zeroed_id: int | None = Field(
        default=None, description="token number replaced by 0 after encoding (open_clip's strip_sep_token)"
    )


class ClipTokenizer:
    """Texts to int64 token numbers `[n, context_length]`, equal to open_clip's for the same vocabulary."""

    def __init__(self, spec: TokenizerSpec, folder: Path) -> None:
        """Raises FileNotFoundError when the vocabulary file is missing."""
        path = folder / spec.file
        if not path.is_file():
            raise FileNotFoundError(f"{folder}: the vocabulary {spec.file} is missing; export the model again")
        self.spec = spec
        if spec.kind == "clip_bpe":
            self._tokenizer, self._start, self._end = _clip_bpe(path)
        else:
            from tokenizers import Tokenizer

            self._tokenizer = Tokenizer.from_file(str(path))
            self._tokenizer.enable_truncation(spec.context_length)
            self._tokenizer.enable_padding(length=spec.context_length, pad_id=spec.pad_id)

    def __call__(self, texts: list[str]) -> NDArray[np.int64]:
        """Token numbers `[n, context_length]`, padded; too long texts keep their end token."""
        cleaned = [clean_text(text, self.spec.clean) for text in texts]
        length = self.spec.context_length
        tokens = np.zeros((len(texts), length), np.int64)
        for row, encoding in enumerate(self._tokenizer.encode_batch(cleaned)):
            if self.spec.kind == "clip_bpe":
                ids = [self._start, *encoding.ids[: length - 2], self._end]
                tokens[row, : len(ids)] = ids
            else:
                tokens[row] = encoding.ids
        if self.spec.zeroed_id is not None:
            tokens[tokens == self.spec.zeroed_id] = 0
        return tokens


def _clip_bpe(path: Path) -> tuple[Tokenizer, int, int]:
    """CLIP's byte-level BPE from its merges file, with the numbers of its start and end tokens."""
    from tokenizers import Regex, Tokenizer, models, pre_tokenizers

    lines = gzip.decompress(path.read_bytes()).decode("utf-8").split("\n")
    merges = [(a, b) for a, b in (line.split() for line in lines[1 : 1 + _MERGES_OF_CLIP])]
    letters = _byte_letters()
    words = letters + [f"{x}</w>" for x in letters] + [a + b for a, b in merges]
    vocabulary = {word: number for number, word in enumerate([*words, _START, _END])}
    tokenizer = Tokenizer(models.BPE(vocab=vocabulary, merges=merges, end_of_word_suffix="</w>"))
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(f"(?i:{_WORDS})"), "removed", invert=True),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    return tokenizer, vocabulary[_START], vocabulary[_END]


def _byte_letters() -> list[str]:
    """One letter per byte in the order of CLIP's vocabulary: printable bytes first, then the others."""
    printable = [
        *range(ord("!"), ord("~") + 1),
        *range(ord("¡"), ord("¬") + 1),
        *range(ord("®"), ord("ÿ") + 1),
    ]
    others = [byte for byte in range(256) if byte not in printable]
    return [chr(byte) for byte in printable] + [chr(256 + n) for n in range(len(others))]


def clean_text(text: str, clean: Clean) -> str:
    """The text as open_clip's tokenizers see it.

    Raises ModuleNotFoundError when a text is not plain ASCII and ftfy is not installed.
    """
    if not (text.isascii() and "&" not in text and text.replace("\n", " ").replace("\t", " ").isprintable()):
        try:
            import ftfy
        except ModuleNotFoundError as error:
            raise ModuleNotFoundError(
                f"the text {text!r} is not plain ASCII and its cleaning needs ftfy: pip install ftfy"
            ) from error
        text = html.unescape(html.unescape(ftfy.fix_text(text)))
    if clean == "canonicalize":
        text = text.replace("_", " ").translate(_NO_PUNCTUATION).lower()
    elif clean == "lower":
        text = text.lower()
    return " ".join(text.split())
