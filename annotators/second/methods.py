"""Second methods by name: one file each, found by `Task.second`."""

from __future__ import annotations

from importlib import import_module

from .method import SecondMethod, SecondParams

NAMES = ("speech", "text", "motion", "statistics", "stills", "captions", "shots")


class Methods:
    """The methods of one run, each made when first asked for."""

    def __init__(self, params: SecondParams) -> None:
        self.params = params
        self._made: dict[str, SecondMethod] = {}

    def __getitem__(self, name: str) -> SecondMethod:
        """Raises `KeyError` for an unknown name."""
        if name not in NAMES:
            raise KeyError(f"no second method is called {name!r}; there are {', '.join(NAMES)}")
        if name not in self._made:
            self._made[name] = import_module(f".{name}", __package__).METHOD(self.params)
        return self._made[name]
