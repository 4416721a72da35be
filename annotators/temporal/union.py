"""Connected components whose names depend only on the set: each is called by its smallest member."""

from __future__ import annotations

from collections.abc import Iterable


class Components:
    """Disjoint sets of strings; `name` of a member is the smallest member of its set, whatever the order
    of joins.
    """

    def __init__(self, members: Iterable[str] = ()) -> None:
        self._parent: dict[str, str] = {m: m for m in members}

    def name(self, member: str) -> str:
        """Smallest member of the set of `member`, which is added when it is new."""
        root = self._parent.setdefault(member, member)
        while root != self._parent[root]:
            root = self._parent[root]
        while self._parent[member] != root:
            self._parent[member], member = root, self._parent[member]
        return root

    def join(self, a: str, b: str) -> None:
        """Make `a` and `b` members of one set."""
        first, second = sorted((self.name(a), self.name(b)))
        self._parent[second] = first

    def sizes(self) -> dict[str, int]:
        """Number of members of each set, by its name."""
        counts: dict[str, int] = {}
        for member in self._parent:
            name = self.name(member)
            counts[name] = counts.get(name, 0) + 1
        return counts
