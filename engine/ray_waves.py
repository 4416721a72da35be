"""Waves on Ray Data: one streaming chain per wave, from items to receipts.

Media wave: items -> decoding actors -> one stage of CPU batch annotators and one per GPU batch annotator -> receipts.
Unit wave: bundles -> tasks -> receipts. Rows are written to Parquet by the workers; only receipts and JPEG packets cross
the object store. Ray's own error tolerance stays at zero: every exception of an annotator is a receipt already.
"""

from __future__ import annotations

import logging
import os
import pickle
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ..schemas.ids import derive_id
from .batch_work import look_at
from .bundle import Bundle, run_bundle
from .media_work import Ended, Looked, MediaItem, Packet, Pictures, work_on
from .producer import Producer, ProducerSpec, RecipeError
from .results import Outcome, UnitResult

BLOCK_BYTES = 8 << 20
"""Small blocks, so that pictures of a long video reach the batch stage while it is still being decoded."""
OBJECT_STORE_BYTES = 768 << 20
THREADS = {"OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
"""Models set their own fixed thread counts; everything else stays at one, so that results do not depend on workers."""


def start_ray(log: Path, workers: int | None = None) -> int:
    """Connect to the cluster of `RAY_ADDRESS`, or start Ray here. Returns the number of CPUs.

    What Ray's own processes print while they start goes to the file `log`.
    """
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    os.environ.setdefault("RAY_DATA_DISABLE_PROGRESS_BARS", "1")
    os.environ.setdefault("RAY_BACKEND_LOG_LEVEL", "fatal")
    os.environ.setdefault("RAY_BACKEND_LOG_LEVEL", "fatal")
    os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
    import ray

    logging.getLogger("ray").setLevel(logging.ERROR)
    if not ray.is_initialized():
        address = os.environ.get("RAY_ADDRESS")
        options: dict[str, Any] = {"runtime_env": {"env_vars": THREADS}}
        if address is None:
            options |= {
                "num_cpus": max(workers or os.cpu_count() or 1, 1),
                "object_store_memory": OBJECT_STORE_BYTES,
                "include_dashboard": False,
            }
        with _chatter_aside(log):
            _init(ray, log, address=address, logging_level=logging.ERROR, log_to_driver=False, **options)
    context = ray.data.DataContext.get_current()
    context.enable_progress_bars = False
    context.target_max_block_size = BLOCK_BYTES
    context.max_errored_blocks = 0
    context.print_on_execution_start = False
    for name in ("ray.data", "ray.data._internal.execution.streaming_executor"):
        logging.getLogger(name).setLevel(logging.ERROR)
    return int(ray.cluster_resources().get("CPU", 1))


def _init(ray: Any, log: Path, **options: Any) -> None:
    """Start or join Ray; on a busy machine its parts may not find each other in time, so once more before giving up.

    Raises `RecipeError`.
    """
    for last in (False, True):
        try:
            ray.init(**options)
            return
        except Exception as error:  # Ray raises bare exceptions here
            ray.shutdown()
            if last:
                where = options["address"] or "here"
                raise RecipeError(
                    f"Ray did not start ({where}): {error}; what was committed stays. Is the machine too busy, short of "
                    f"memory, or RAY_ADDRESS wrong? {log} tells more"
                ) from error


@contextmanager
def _chatter_aside(log: Path) -> Iterator[None]:
    """Standard error goes to a file meanwhile, below Python: Ray's C++ core prints there whatever its level."""
    log.parent.mkdir(parents=True, exist_ok=True)
    sys.stderr.flush()
    kept = os.dup(2)
    try:
        with log.open("ab") as file:
            os.dup2(file.fileno(), 2)
        yield
    finally:
        sys.stderr.flush()
        os.dup2(kept, 2)
        os.close(kept)


def media_wave(
    root: str,
    pins: Mapping[str, int],
    items: Sequence[MediaItem],
    producers: Mapping[str, Producer],
    *,
    run_id: str,
    cpus: int,
    workers: int | None,
) -> Iterator[Packet]:
    """Receipts of a media wave, as they come."""
    import ray

    specs = {name: p.spec for name, p in producers.items()}
    batch = {name: p for name, p in producers.items() if p.shape == "batch"}
    on_gpu = {n: p for n, p in batch.items() if p.annotator.resources().gpus > 0}
    on_cpu = {n: p for n, p in batch.items() if n not in on_gpu}
    audio_gpus = max((p.annotator.resources().gpus for p in producers.values() if p.shape != "batch"), default=0.0)
    size = max(1, min(workers or cpus, cpus, len(items)))
    free = max(cpus - 0.5, 0.5)
    share = round(free / size * (0.6 if on_cpu else 1.0), 2)
    data: Any = ray.data.from_items([{"payload": pickle.dumps(item)} for item in items], override_num_blocks=len(items))
    data = data.map_batches(
        _Decoder,
        fn_constructor_args=(root, dict(pins), specs, run_id),
        batch_size=1,
        num_cpus=share,
        num_gpus=audio_gpus or None,
        compute=ray.data.ActorPoolStrategy(size=size),
    )
    if on_cpu:
        data = data.map_batches(
            _Looker,
            fn_constructor_args=(root, {n: specs[n] for n in on_cpu}, run_id),
            batch_size=None,
            num_cpus=round(free / size * 0.4, 2),
            compute=ray.data.ActorPoolStrategy(size=size),
        )
    for name, producer in on_gpu.items():
        data = data.map_batches(
            _Looker,
            fn_constructor_args=(root, {name: specs[name]}, run_id),
            batch_size=None,
            num_cpus=producer.annotator.resources().cpus,
            num_gpus=producer.annotator.resources().gpus,
            compute=ray.data.ActorPoolStrategy(min_size=1, max_size=max(1, int(ray.cluster_resources().get("GPU", 1)))),
        )
    for row in data.iter_rows():
        yield pickle.loads(row["payload"])


def unit_wave(bundles: Sequence[Bundle], *, run_id: str, gpus: float = 0.0) -> Iterator[list[UnitResult]]:
    """Results of a unit wave, one list per bundle; each bundle gets as much of a GPU as its neediest annotator wants."""
    import ray

    rows = [{"payload": pickle.dumps(bundle), "run_id": run_id} for bundle in bundles]
    items: Any = ray.data.from_items(rows, override_num_blocks=len(bundles))
    data = items.map_batches(_bundle_task, batch_size=1, num_cpus=1, num_gpus=gpus or None)
    for row in data.iter_rows():
        yield pickle.loads(row["payload"])


class Attempts:
    """Marks that a worker leaves before a piece of work, so that work which killed two workers is not tried a third time."""

    def __init__(self, root: str, run_id: str) -> None:
        self.folder = Path(root) / "work" / "attempts" / run_id
        self.folder.mkdir(parents=True, exist_ok=True)

    def begin(self, *identity: Any) -> Path | None:
        """A mark to remove after the work; None when two workers have died on it."""
        mark = self.folder / derive_id(*identity)
        for attempt in range(2):
            numbered = mark.with_suffix(f".{attempt}")
            try:
                numbered.touch(exist_ok=False)
            except FileExistsError:
                continue
            return numbered
        return None

    def end(self, mark: Path) -> None:
        """The work is done, in whatever way."""
        for attempt in range(2):
            mark.with_suffix(f".{attempt}").unlink(missing_ok=True)


DIED = Outcome(
    "failed",
    error="worker died twice on this unit (killed, out of memory or crashed)",
    error_kind="permanent",
)


class _Decoder:
    def __init__(self, root: str, pins: dict[str, int], specs: dict[str, ProducerSpec], run_id: str) -> None:
        self.root, self.pins, self.specs = root, pins, specs
        self.attempts = Attempts(root, run_id)

    def __call__(self, batch: dict[str, Any]) -> Iterator[dict[str, list[bytes]]]:
        for payload in batch["payload"]:
            item: MediaItem = pickle.loads(payload)
            mark = self.attempts.begin("media", item.medium.media_id)
            if mark is None:
                for name in item.producers:
                    yield _pack(Ended(item.keys[name], DIED))
                continue
            for packet in work_on(self.root, self.pins, item, self.specs):
                yield _pack(packet)
            self.attempts.end(mark)


class _Looker:
    def __init__(self, root: str, specs: dict[str, ProducerSpec], run_id: str) -> None:
        self.root, self.specs = root, specs
        self.attempts = Attempts(root, run_id)

    def __call__(self, batch: dict[str, Any]) -> Iterator[dict[str, list[bytes]]]:
        packets = [pickle.loads(p) for p in batch["payload"]]
        wanted = [p for p in packets if isinstance(p, Pictures)]
        mark = self.attempts.begin("look", sorted(self.specs), [(p.unit, p.pictures[0].t_s) for p in wanted])
        if mark is None:
            for packet in packets:
                if isinstance(packet, Pictures):
                    for name in packet.consumers:
                        yield _pack(Looked(name, packet.unit, len(packet.pictures), 0, 0.0, 0, DIED))
                else:
                    yield _pack(packet)
            return
        for packet in look_at(self.root, packets, self.specs):
            yield _pack(packet)
        self.attempts.end(mark)


def _bundle_task(batch: dict[str, Any]) -> dict[str, list[bytes]]:
    out = []
    for payload, run_id in zip(batch["payload"], batch["run_id"], strict=True):
        bundle: Bundle = pickle.loads(payload)
        attempts = Attempts(bundle.root, str(run_id))
        mark = attempts.begin("bundle", [(w.key.producer, w.key.unit) for w in bundle.work])
        if mark is None:
            results = [UnitResult(work.key, DIED) for work in bundle.work]
        else:
            results = run_bundle(bundle)
            attempts.end(mark)
        out.append(pickle.dumps(results))
    return {"payload": out}


def _pack(packet: Packet) -> dict[str, list[bytes]]:
    return {"payload": [pickle.dumps(packet)]}
