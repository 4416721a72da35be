"""The tables of a dataset, by name. `TABLES` is the only list: the store, the views and the documentation read it."""

from __future__ import annotations

import pyarrow as pa

from .table import Column, Table
from .tables_annotation import ANNOTATION_TABLES
from .tables_chains import CHAIN_TABLES
from .tables_detections import DETECTION_TABLES
from .tables_marks import MARK_TABLES
from .tables_memory_features import FEATURE_TABLES
from .tables_models import MODEL_TABLES
from .tables_objects import OBJECT_TABLES
from .tables_places import PLACE_TABLES
from .tables_sample import SAMPLE_TABLES
from .tables_signals import SIGNAL_TABLES
from .tables_source import SOURCE_TABLES
from .tables_spatial import SPATIAL_TABLES
from .tables_tags import TAG_TABLES
from .tables_temporal import TEMPORAL_TABLES
from .tables_trust import TRUST_TABLES

LEDGER = Table(
    name="ledger",
    doc="What was done: one producer, one unit.",
    columns=(
        Column("producer", pa.string(), "the producer"),
        Column("unit", pa.string(), "the unit: a medium, clip, source or 'corpus'"),
        Column("media_id", pa.string(), "the medium that the unit belongs to"),
        Column("grain", pa.string(), "source, medium, clip or corpus"),
        Column("fingerprint", pa.string(), "hash of everything that the result depends on"),
        Column("output_digest", pa.string(), "hash of the unit's rows, independent of their order"),
        Column("status", pa.string(), "done, skipped, filtered, undecided, failed or blocked"),
        Column("rule", pa.string(), "the rule behind skipped, filtered, undecided or blocked"),
        Column("error", pa.string(), "the error behind failed"),
        Column("error_kind", pa.string(), "transient (retried by the next build) or permanent"),
        Column("traceback", pa.string(), "where the error was raised", volatile=True),
        Column("row_count", pa.int64(), "rows written"),
        Column("seconds", pa.float64(), "work on this unit", "s", volatile=True),
        Column("attempt", pa.int64(), "how many times this fingerprint was tried", volatile=True),
        Column("run_id", pa.string(), "the run that did it", volatile=True),
    ),
    key=("producer", "unit"),
    annotation=False,
)

RUNS = Table(
    name="runs",
    doc="One command that changed the dataset.",
    columns=(
        Column("run_id", pa.string(), "identifier of the run", volatile=True),
        Column("command", pa.string(), "build, verify, package ..."),
        Column("recipe", pa.string(), "name of the recipe"),
        Column("recipe_text", pa.string(), "the recipe as it was run, environment variables unexpanded"),
        Column("producers_json", pa.string(), "producer name -> annotator, version, settings digest"),
        Column("versions_json", pa.string(), "versions of Chronotope and the libraries that results depend on"),
        Column("machine_json", pa.string(), "platform, cores, memory, accelerators", volatile=True),
        Column("models_json", pa.string(), "models used, where they came from and their digests"),
        Column("counts_json", pa.string(), "units by producer and status", volatile=True),
        Column("stages_json", pa.string(), "seconds per stage", volatile=True),
        Column("source_s", pa.float64(), "footage whose frames had to be seen", "s", volatile=True),
        Column("decoded_s", pa.float64(), "footage that was decoded for it", "s", volatile=True),
        Column("model_calls", pa.int64(), "batches or pieces given to models", volatile=True),
        Column("started_at", pa.string(), "UTC", volatile=True),
        Column("finished_at", pa.string(), "UTC", volatile=True),
        Column("seconds", pa.float64(), "wall-clock time", "s", volatile=True),
        Column("status", pa.string(), "done or interrupted"),
    ),
    key=("run_id",),
    annotation=False,
)

HEAD = Table(
    name="head",
    doc="The dataset's version: one row that pins the version of every other table.",
    columns=(
        Column("dataset_version", pa.int64(), "increases by one with each commit"),
        Column("pins_json", pa.string(), "table name -> Delta version"),
        Column("run_id", pa.string(), "the run that committed", volatile=True),
        Column("committed_at", pa.string(), "UTC", volatile=True),
    ),
    key=("dataset_version",),
    annotation=False,
)

TABLES: dict[str, Table] = {
    table.name: table
    for table in (
        *SOURCE_TABLES,
        *ANNOTATION_TABLES,
        *TEMPORAL_TABLES,
        *OBJECT_TABLES,
        *DETECTION_TABLES,
        *SPATIAL_TABLES,
        *FEATURE_TABLES,
        *PLACE_TABLES,
        *MARK_TABLES,
        *TAG_TABLES,
        *SIGNAL_TABLES,
        *SAMPLE_TABLES,
        *TRUST_TABLES,
        *MODEL_TABLES,
        *CHAIN_TABLES,
        LEDGER,
        RUNS,
        HEAD,
    )
}
