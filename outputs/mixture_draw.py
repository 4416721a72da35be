"""Applies a mixture to the samples that a package can carry: conditions, repeated questions, pairs, then the quotas.

What a sample is comes from `sample_view` in one query. Each split is mixed by itself. Whatever is not taken gets a
stated reason that begins with "mixture:". Limits: a repeated question is one in the same words (options included) about windows
of one medium that overlap by half of the shorter one; paraphrases are not looked for.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ..engine.catalog import Catalog, QueryError
from ..schemas.ids import seeded_fraction
from ..schemas.metrics import normalise_words
from .mixture import REST, Mixture, Quota, Share
from .mixture_solver import Item, Problem, Rule
from .package_rules import GRADES
from .packager import PackageError

MADE = ("composed", "rendered", "edited")
OVERLAP = 0.5
"""Share of the shorter window from which two windows show the same."""
REAL = "real footage"


class MixtureError(PackageError):
    """A mixture that cannot be had; the message says what is short, by how many, and what would help."""


@dataclass
class Mixed:
    """What became of the samples of the mixed splits."""

    left_out: dict[str, tuple[str, str]] = field(default_factory=dict)
    """Sample -> (rule, detail)."""
    report: list[dict[str, Any]] = field(default_factory=list)
    """Asked and given: rows with split, part, asked (share), samples, share."""


class MixtureDraw:
    """The mixture of one package over the samples of a dataset."""

    def __init__(
        self, catalog: Catalog, mixture: Mixture, recipe: str | None, only: Sequence[str] | None = None
    ) -> None:
        """`only`: splits that the package has at all (None: every one)."""
        self.catalog, self.mixture = catalog, mixture
        self.splits = [s for s in mixture.splits if only is None or s in only]
        self.quotas = mixture.parsed()
        self._values = {"recipe": recipe, "splits": self.splits}

    # -- reading ----------------------------------------------------------------------------------------------------

    def _query(self) -> str:
        asked = "".join(f", ({q.column}\n) AS q{k}" for k, q in enumerate(self.quotas))
        fits = f"coalesce(CAST(({self.mixture.where}\n) AS BOOLEAN), false)" if self.mixture.where else "true"
        return f"""WITH e AS (SELECT media_id, min_by(source_media_id, step) AS made_from FROM edits GROUP BY media_id),
        s AS (SELECT sample_id, list_transform(options, lambda o: o.text) AS options,
              list_transform(list_filter(turns, lambda t: t.role = 'user'), lambda t: t.text) AS asked FROM samples
              WHERE $recipe IS NULL OR recipe = $recipe
              QUALIFY row_number() OVER (PARTITION BY sample_id ORDER BY producer) = 1),
        q AS (SELECT sample_id, {fits} AS fits{asked} FROM sample_view)
        SELECT v.sample_id, v.split, v.media_id, coalesce(e.made_from, v.media_id) AS footage, v.pair_id, v.origin, v.grade,
               v.window_start_s, v.window_end_s, s.asked, s.options, q.* EXCLUDE (sample_id)
        FROM sample_view v JOIN s USING (sample_id) JOIN q USING (sample_id) LEFT JOIN e ON e.media_id = v.media_id
        WHERE list_contains($splits, v.split) ORDER BY v.sample_id"""

    def _rows(self, what: str = "*") -> list[dict[str, Any]]:
        """Rows of the query. Raises `MixtureError` naming the expression that is wrong."""
        query = f"WITH facts AS ({self._query()}) SELECT {what} FROM facts"
        try:
            return self.catalog.rows(query, self._values)
        except QueryError as error:
            self._blame()
            raise MixtureError(f"mixture: {error}") from None

    def _blame(self) -> None:
        named = [(f"the quota of {q.column}", q.column) for q in self.quotas]
        for name, expression in [*named, ("where", self.mixture.where or "true")]:
            try:
                self.catalog.rows(f"SELECT ({expression}\n) AS x FROM sample_view LIMIT 0")
            except QueryError as error:
                raise MixtureError(f"mixture: {name}: {error}") from None

    def state(self) -> str:
        """Digest of everything that the draw looks at, for the package's fingerprint."""
        return str(self._rows("md5(string_agg(facts::VARCHAR, chr(10) ORDER BY sample_id)) AS state")[0]["state"])

    def excluded(self) -> dict[str, tuple[str, str]]:
        """Samples that `where` leaves out, known before anything is cut."""
        if self.mixture.where is None:
            return {}
        rule = ("mixture: condition not met", self.mixture.where)
        return {r["sample_id"]: rule for r in self._rows("sample_id, fits") if not r["fits"]}

    # -- deciding ---------------------------------------------------------------------------------------------------

    def draw(self, carried: Iterable[str]) -> Mixed:
        """Decide about the samples that the package can carry. Raises `MixtureError` when the mixture cannot be had."""
        able = set(carried)
        rows = self._rows()
        mixed = Mixed()
        for split in self.splits:
            of_split = [r for r in rows if r["split"] == split]
            there = [r for r in of_split if r["sample_id"] in able]
            there = self._without_repeats(there, mixed)
            self._draw_split(split, self._items(of_split, there, mixed), mixed)
        return mixed

    def _rank(self, row: Mapping[str, Any]) -> tuple[int, float, str]:
        """Truer ones first, then by chance."""
        grade = GRADES.index(row["grade"]) if row["grade"] in GRADES else len(GRADES)
        return grade, seeded_fraction(self.mixture.seed, "mixture", row["sample_id"]), row["sample_id"]

    def _without_repeats(self, rows: list[dict[str, Any]], mixed: Mixed) -> list[dict[str, Any]]:
        p = self.mixture
        if p.near_duplicate_questions == "keep" and p.same_question_max is None:
            return rows
        asked: dict[str, int] = Counter()
        shown: dict[tuple[str, str], list[dict[str, Any]]] = defaultdict(list)
        kept = []
        for row in sorted(rows, key=self._rank):
            words = " ".join(normalise_words(" ".join([*(row["asked"] or ()), *sorted(row["options"] or ())])))
            others = shown[(row["media_id"], words)]
            twice = next((o for o in others if _overlap(o, row) and not _paired(o, row)), None)
            if p.near_duplicate_questions == "drop" and twice is not None:
                mixed.left_out[row["sample_id"]] = ("mixture: near-duplicate question", f"as {twice['sample_id']}")
            elif p.same_question_max is not None and asked[words] >= p.same_question_max:
                rule = f"mixture: question asked {p.same_question_max} times already"
                mixed.left_out[row["sample_id"]] = (rule, words[:80])
            else:
                asked[words] += 1
                others.append(row)
                kept.append(row)
        return kept

    def _items(
        self, everything: Sequence[Mapping[str, Any]], rows: Sequence[dict[str, Any]], mixed: Mixed
    ) -> list[tuple[Item, list[str]]]:
        """Samples, or whole pairs, as items with their identifiers."""
        whole = Counter(r["pair_id"] for r in everything if r["pair_id"])
        together: dict[str, list[dict[str, Any]]] = defaultdict(list)
        for row in rows:
            paired = self.mixture.pairs == "together" and row["pair_id"]
            together[f"pair {row['pair_id']}" if paired else row["sample_id"]].append(row)
        items = []
        for name, members in together.items():
            if name.startswith("pair ") and len(members) < whole[members[0]["pair_id"]]:
                detail = f"{len(members)} of {whole[members[0]['pair_id']]} can be taken"
                mixed.left_out |= {
                    m["sample_id"]: ("mixture: the rest of its pair is left out", detail) for m in members
                }
                continue
            rank = seeded_fraction(self.mixture.seed, "mixture", name)
            belongs = [self._belongs(m) for m in members]
            parts = tuple(sum(column) for column in zip(*belongs, strict=True))
            item = Item(name, rank, tuple(sorted(m["footage"] for m in members)), parts)
            items.append((item, [m["sample_id"] for m in members]))
        return items

    def _belongs(self, row: Mapping[str, Any]) -> tuple[int, ...]:
        hits = [hit for k, quota in enumerate(self.quotas) for hit in quota.belongs(row[f"q{k}"])]
        return (int(row["origin"] not in MADE), *map(int, hits))

    def _rules(self) -> list[Rule]:
        real = Rule(REAL, Share(round(1 - self.mixture.composed_share_max, 9), 1.0))
        return [real, *(Rule(_named(q, name), share, q.column) for q in self.quotas for name, share in q.parts)]

    def _draw_split(self, split: str, items: list[tuple[Item, list[str]]], mixed: Mixed) -> None:
        rules = self._rules()
        problem = Problem([item for item, _ in items], rules, self.mixture.per_medium_max)
        size, names = self._take(split, problem, items)
        taken = [item for item, _ in items if item.name in names]
        used = Counter(m for item in taken for m in item.media)
        for item, members in items:
            if item.name not in names:
                full = self.mixture.per_medium_max is not None and any(
                    used[m] + n > self.mixture.per_medium_max for m, n in Counter(item.media).items()
                )
                rule = "mixture: its medium is used up" if full else "mixture: not drawn"
                mixed.left_out |= dict.fromkeys(members, (rule, f"{size} samples drawn"))
        mixed.report += self._report(split, problem, taken, size)

    def _take(self, split: str, problem: Problem, items: Sequence[tuple[Item, Any]]) -> tuple[int, set[str]]:
        """How many samples, and which items."""
        p = self.mixture
        there = [sum(item.parts[k] for item, _ in items) for k in range(len(problem.rules))]
        empty = [r.name for r, n in zip(problem.rules, there, strict=True) if r.share.low > 0 and not n]
        if not problem.size:
            raise MixtureError(
                f"mixture: no sample of split {split} can be taken; `left_out` of the package without mixture says why"
            )
        if empty:
            raise MixtureError(
                f"mixture: split {split} has no samples of {_list(empty)}, of which the quotas ask for a share; {self._seen()}"
            )
        if p.size is not None and problem.size >= p.size and (names := problem.take(p.size)) is not None:
            return p.size, set(names)
        best = problem.largest(p.size)
        if best and (p.size is None or p.short == "shrink"):
            return best, set(problem.take(best) or ())
        wanted = p.size or problem.size
        reasons = "; ".join(problem.lacks(wanted))
        remedy = (
            f"use size: {best} or short: shrink, lower these shares, or add footage"
            if best
            else "lower these shares, or add footage"
        )
        raise MixtureError(
            f"mixture: {wanted} samples of split {split} cannot be had, at most {best} can: {reasons}. What helps: {remedy}"
        )

    def _seen(self) -> str:
        values = []
        for k, quota in enumerate(self.quotas):
            counts = Counter(
                str(v) for r in self._rows(f"q{k} AS q") for v in (r["q"] if isinstance(r["q"], list) else [r["q"]])
            )
            values.append(f"{quota.column} has {', '.join(f'{v} ({n})' for v, n in counts.most_common(8))}")
        return (
            "; ".join(values)
            or f"composed_share_max is {self.mixture.composed_share_max:g}, everything here is made footage"
        )

    def _report(self, split: str, problem: Problem, taken: Sequence[Item], size: int) -> list[dict[str, Any]]:
        asked = self.mixture.size
        rows = [
            {
                "split": split,
                "part": "all",
                "asked": "as many as possible" if asked is None else str(asked),
                "samples": size,
            }
        ]
        for k, rule in enumerate(problem.rules):
            n = sum(item.parts[k] for item in taken)
            given = {"split": split, "part": rule.name, "asked": str(rule.share), "samples": n}
            rows.append({**given, "share": round(n / size, 4) if size else 0.0})
        if size < problem.size and size != asked and (reasons := problem.lacks(size + 1)):
            rows.append(
                {"split": split, "part": "what stops a larger one", "asked": "; ".join(reasons[1:]), "samples": 0}
            )
        return rows


def _named(quota: Quota, part: str) -> str:
    return f"{quota.column}: {'the rest' if part == REST else part}"


def _list(names: Sequence[str]) -> str:
    return ", ".join(names)


def _paired(a: Mapping[str, Any], b: Mapping[str, Any]) -> bool:
    return a["pair_id"] is not None and a["pair_id"] == b["pair_id"]


def _overlap(a: Mapping[str, Any], b: Mapping[str, Any]) -> bool:
    common = min(a["window_end_s"], b["window_end_s"]) - max(a["window_start_s"], b["window_start_s"])
    shorter = min(r["window_end_s"] - r["window_start_s"] for r in (a, b))
    return common >= OVERLAP * shorter and common >= 0
