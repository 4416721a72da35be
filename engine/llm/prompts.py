"""Prompts as versioned files: `annotators/prompts/<name>.yaml`, or a file of your own that a recipe names instead.

A prompt has a system text (who you are, what to write, the rules of slots) and a user text with named places in braces
that code fills with evidence. Its digest is part of the producer's settings, so that a changed word asks anew, and of
nothing else.
"""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from ...schemas.ids import derive_id

FOLDER = Path(__file__).parents[2] / "annotators" / "prompts"
_PLACE = re.compile(r"<<([a-z_]+)>>")


class PromptError(ValueError):
    """A prompt file is missing or wrong; the message names the file and what to change."""


class Prompt(BaseModel):
    """One prompt. Places are written `<<evidence>>`, so that slots in braces can be shown to the model as they are."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(description="Its name; equal to the file's.")
    version: int = Field(ge=1, description="Raise it with every change.")
    about: str = Field("", description="What it is for, in a sentence.")
    system: str = Field(description="The system message.")
    user: str = Field(description="The user's message, with places such as <<evidence>>.")

    @property
    def title(self) -> str:
        """Name and version, as rows name it."""
        return f"{self.name}@{self.version}"

    @property
    def places(self) -> frozenset[str]:
        """Names of the places in the user's message."""
        return frozenset(_PLACE.findall(self.user))

    @property
    def digest(self) -> str:
        """Digest of the texts."""
        return derive_id("prompt", self.name, self.system, self.user)

    def fill(self, **values: str) -> str:
        """The user's message with every place filled. Raises `PromptError` for a place without a value."""
        missing = sorted(self.places - set(values))
        if missing:
            raise PromptError(
                f"prompt {self.name}: nothing to put into <<{missing[0]}>>; known: {', '.join(sorted(values))}"
            )
        return _PLACE.sub(lambda match: values[match[1]], self.user)


def read_prompt(name: str, override: str | None = None, folder: Path | str = ".") -> Prompt:
    """The prompt called `name`, or the file `override` (relative to the recipe's folder) instead of it.

    Raises `PromptError`.
    """
    if override is None:
        return _read(FOLDER / f"{name}.yaml")
    file = Path(folder) / override
    prompt = _read(file.resolve())
    own = read_prompt(name)
    lacking = sorted(own.places - prompt.places)
    if lacking:
        raise PromptError(f"{file}: the user's message lacks the place <<{lacking[0]}>>, which {name} is asked with")
    return prompt


@cache
def _read(file: Path) -> Prompt:
    try:
        data = yaml.safe_load(file.read_text(encoding="utf-8"))
    except OSError:
        known = ", ".join(sorted(p.stem for p in FOLDER.glob("*.yaml")))
        raise PromptError(f"no prompt file {file}; carried: {known}") from None
    except yaml.YAMLError as error:
        raise PromptError(f"{file}: not valid YAML: {' '.join(str(error).split())}") from None
    try:
        return Prompt.model_validate(data)
    except ValidationError as error:
        first = error.errors()[0]
        raise PromptError(f"{file}: {'.'.join(map(str, first['loc'])) or 'prompt'}: {first['msg']}") from None
