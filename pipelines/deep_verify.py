"""`verify --deep`: a second method looks for the answers of packaged samples in the packaged media, and may be asked again
with the evidence, the sound or the picture taken away.

Samples are drawn by task and evidence grade (`deep_draw.py`) and put together by file, so that a file is decoded once for
all samples that show it. Each sample is judged by the method that its task names (`Task.second`), windows that claim to be
one shot by the other shot detector, and every file against its source. Cannot say is counted apart from agreement.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

from ..annotators.second.footage import Footage
from ..annotators.second.method import Opinion, Removed, SecondParams, Shown
from ..annotators.second.methods import Methods
from ..annotators.second.speech import SpeechAgain
from ..annotators.second.text import TextAgain
from ..engine.catalog import Catalog
from ..engine.media.container import MediaError
from ..engine.producer import ProducerSpec
from ..engine.task import Task
from ..schemas.sample import Sample
from .console import UsageError
from .deep_draw import Drawn, draw, nothing_packaged, out_of_reach, packages_of, samples_of
from .deep_media import METHOD as MEDIA_METHOD
from .deep_media import MediaCheck, media_check
from .run_record import latest_runs, of_annotator

ONE_SHOT = ("motion", "statistics", "stills")
"""Second methods of tasks whose windows lie inside one shot."""
Told = Callable[[int, int], None]


@dataclass(frozen=True)
class DeepCheck:
    """One opinion about one sample, as table `deep_checks` keeps it."""

    drawn: Drawn
    media_id: str
    removed: Removed
    opinion: Opinion


@dataclass
class DeepReport:
    """All opinions of a run, and what could not be looked at."""

    packages: list[str] = field(default_factory=list)
    drawn: int = 0
    gone: int = 0
    no_method: dict[str, int] = field(default_factory=dict)
    out_of_reach: dict[str, int] = field(default_factory=dict)
    """Samples of the dataset by task, of tasks of which no sample is in a package that can be opened."""
    checks: list[DeepCheck] = field(default_factory=list)


@dataclass(frozen=True)
class _Settings:
    """What the recipes of a root say: second method by task, and what the first methods were."""

    second: dict[str, str | None]
    built_with: dict[str, str]


def look_deep(
    root: Path,
    *,
    params: SecondParams | None = None,
    share: float = 0.01,
    least: int = 5,
    package: str | None = None,
    task: str | None = None,
    seed: int = 0,
    everything: bool = False,
    ablate: bool = False,
    only: frozenset[str] | None = None,
    told: Told | None = None,
) -> DeepReport:
    """Look at packaged samples. Writes nothing. Raises `UsageError` when there is no package, or no packaged sample, to look
    at.
    """
    folders = packages_of(root, package)
    with Catalog(root) as catalog, media_check(catalog) as media:
        drawn, gone = draw(
            catalog, folders, share=share, least=least, seed=seed, task=task, everything=everything, only=only
        )
        report = DeepReport([f.name for f in folders], len(drawn), gone)
        if only is None:
            report.out_of_reach = out_of_reach(catalog, drawn, task)
        if not drawn:
            raise UsageError(nothing_packaged(report.packages, task))
        samples = samples_of(catalog, (d.sample_id for d in drawn))
        settings = _settings(catalog)
        known = [d for d in drawn if d.sample_id in samples]
        for d in known:
            if settings.second.get(d.task) is None:
                report.no_method[d.task] = report.no_method.get(d.task, 0) + 1
        run = _Run(Methods(params or SecondParams()), settings, samples, media, ablate)
        done = 0
        for group in _groups(known, samples):
            report.checks += run.look(group)
            done += len(group)
            if told:
                told(done, len(known))
    report.checks.sort(key=lambda c: (c.drawn.task, c.drawn.sample_id, c.removed, c.opinion.method))
    return report


class _Run:
    """One run's methods and sources."""

    def __init__(
        self, methods: Methods, settings: _Settings, samples: dict[str, Sample], media: MediaCheck, ablate: bool
    ) -> None:
        self.methods, self.settings, self.samples, self.media, self.ablate = methods, settings, samples, media, ablate

    def look(self, group: Sequence[Drawn]) -> Iterator[DeepCheck]:
        """Opinions about samples that show the same file (or stills of the same medium)."""
        files: dict[str, Footage] = {}
        source: Footage | None = None
        shown: list[tuple[Drawn, Shown]] = []
        for d in group:
            stills = d.files("image")
            if stills and source is None:
                opened = self.media.source(d.first["media_id"])
                source = Footage(opened.path) if opened else None
            films = [_footage(d, path, files) for kind in ("video", "audio") for path in d.files(kind)]
            sample, own = self.samples[d.sample_id], d.stills_by_medium()
            shown.append((d, Shown(sample, films, stills, own, source, self.settings.built_with)))
        checks: list[DeepCheck] = []
        try:
            for d, it in shown:
                self._prepare(d, it)
            for d, it in shown:
                checks += self._judge(d, it)
        except (MediaError, OSError) as error:
            broken = Opinion(MEDIA_METHOD, False, 0.0, f"cannot be read: {getattr(error, 'cause', None) or error}")
            return iter([DeepCheck(d, it.sample.media[0].media_id, "nothing", broken) for d, it in shown])
        return iter(checks)

    def _method(self, d: Drawn, it: Shown) -> str | None:
        """The second method of a sample: where a task asks about what is said or shown, the sample's needs tell which."""
        name = self.settings.second.get(d.task)
        needs = it.sample.needs
        if name in ("speech", "text"):
            return "text" if "on_screen_text" in needs else "speech"
        return "text" if name == "captions" and "on_screen_text" in needs else name

    def _prepare(self, d: Drawn, it: Shown) -> None:
        name = self._method(d, it)
        if name is None:
            return
        method = self.methods[name]
        method.prepare(it, method.removes if self.ablate else ())
        if name in ONE_SHOT and it.film is not None:
            self.methods["shots"].prepare(it, ())
        if name == "speech" and self.ablate and d.files("video"):
            self.methods["text"].prepare(it, ())

    def _judge(self, d: Drawn, it: Shown) -> Iterator[DeepCheck]:
        media_id = it.sample.media[0].media_id

        def check(opinion: Opinion, removed: Removed = "nothing") -> DeepCheck:
            return DeepCheck(d, media_id, removed, opinion)

        for file in it.files:
            yield check(self.media.judge(d.part(file.path), file))
        name = self._method(d, it)
        if name is None:
            return
        method = self.methods[name]
        yield check(_asked(lambda: method.judge(it)))
        if name in ONE_SHOT and it.film is not None:
            yield check(_asked(lambda: self.methods["shots"].judge(it)))
        if not self.ablate:
            return
        for removed in method.removes:
            yield check(_asked(lambda r=removed: method.judge(it, r)), removed)  # type: ignore[misc]
        yield from (check(opinion, removed) for opinion, removed in self._elsewhere(name, d, it))

    def _elsewhere(self, name: str, d: Drawn, it: Shown) -> Iterator[tuple[Opinion, Removed]]:
        """Another sense: may words that should be heard be read instead, and the other way round?"""
        if name == "speech" and d.files("video"):
            yield _asked(lambda: cast(TextAgain, self.methods["text"]).anywhere(it)), "sound"
        if name == "text" and it.heard is not None:
            yield _asked(lambda: cast(SpeechAgain, self.methods["speech"]).anywhere(it)), "picture"


def _asked(judge: Callable[[], Opinion]) -> Opinion:
    """A sample that a method cannot even read is a disagreement, not a crash; unreadable files are told by the caller."""
    try:
        return judge()
    except (ValueError, IndexError, KeyError) as error:
        if isinstance(error, MediaError):
            raise
        return Opinion("reading the sample", False, 0.0, f"{type(error).__name__}: {error}")


def _footage(d: Drawn, path: Path, files: dict[str, Footage]) -> Footage:
    if not path.is_file():
        raise FileNotFoundError(f"{path.name} is not in package {d.package}; package again")
    if str(path) not in files:
        files[str(path)] = Footage(path, float(d.part(path)["zero_s"]))
    return files[str(path)]


def _groups(drawn: Sequence[Drawn], samples: dict[str, Sample]) -> list[list[Drawn]]:
    """Samples that show the same files together; stills by medium; neighbours have the same medium."""
    groups: dict[tuple[str, ...], list[Drawn]] = defaultdict(list)
    for d in drawn:
        media_id = samples[d.sample_id].media[0].media_id
        stills = bool(d.files("image"))
        groups[(media_id, d.package, *(() if stills else d.first["files"]))].append(d)
    return [groups[key] for key in sorted(groups)]


def _settings(catalog: Catalog) -> _Settings:
    """Second methods and first methods as the newest builds configured them."""
    second: dict[str, str | None] = {}
    built: dict[str, str] = {}
    for run in latest_runs(catalog):
        producers = json.loads(run["producers_json"])
        for made in producers.values():
            if made["annotator"] == "shots":
                built["shots"] = str(made["params"].get("detector"))
            if made["annotator"] == "speech":
                built["speech"] = str(made["params"].get("model"))
        tasks: dict[str, Any] = (of_annotator(producers, "verdicts") or {}).get("params", {}).get("tasks", {})
        for name, s in tasks.items():
            task = cast(Task[Any], ProducerSpec(name, s["annotator"], s["params"], folder=s["folder"]).build())
            second[type(task).name] = type(task).second
    return _Settings(second, built)
