"""COCO: `instances_val2017.json` and its like, `{images, annotations, categories}`, about pictures that lie elsewhere.

Each annotation is a track of one box, with its mask; a box is left, top, width, height in pixels. Crowds (`iscrowd`) are several
things in one mask and are left out with a note, unless they are asked for.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path
from typing import Any, ClassVar, Literal

from pydantic import Field

from ...engine.importing import Imported, Importer, ImporterParams, ImportProblem
from ...schemas.ids import derive_id
from ..scans.masks2d import mask_values
from .reading import as_json, number, read_mapping, shown
from .run_lengths import mask_of


class CocoParams(ImporterParams):
    """Parameters of coco."""

    crowds: Literal["leave_out", "keep"] = Field("leave_out", description="annotations of several things in one")
    masks: bool = Field(True, description="whether masks are written beside boxes")
    mask_side_px: int = Field(640, ge=16, description="larger side of a stored mask")


class Coco(Importer[CocoParams]):
    """Reads COCO instances (Lin et al. 2014) and what is written like them into `tracks` and `boxes` of pictures."""

    name: ClassVar[str] = "coco"
    Params: ClassVar[type[ImporterParams]] = CocoParams
    licence: ClassVar[str | None] = "CC-BY-4.0"

    def read_file(self, path: Path) -> Iterable[Imported]:
        """One `Imported` per picture, also of those in which nothing was found."""
        found = read_mapping(path, "{images: [...], annotations: [...], categories: [...]}")
        if not isinstance(found.get("images"), list) or not isinstance(found.get("annotations"), list):
            raise ImportProblem(f"{path.name}: no lists `images` and `annotations`; is it a file of instances?")
        labels = {c["id"]: str(c["name"]) for c in found.get("categories", ())}
        by_image: dict[Any, list[dict[str, Any]]] = defaultdict(list)
        for about in found["annotations"]:
            by_image[about.get("image_id")].append(about)
        for image in found["images"]:
            width, height = number(image.get("width")), number(image.get("height"))
            if not width or not height:
                self.fault(path, f"image {image.get('id')}", f"no width and height in {shown(image)}")
                continue
            said = Imported(str(image["file_name"]), size=(width, height))
            for about in by_image.pop(image["id"], ()):
                self._thing(said, path, about, labels, int(width), int(height))
            yield said
        for image_id, lost in by_image.items():
            self.fault(path, f"image {image_id}", f"{len(lost)} annotations of a picture that `images` does not list")

    def _thing(
        self, said: Imported, path: Path, about: dict[str, Any], labels: dict[Any, str], width: int, height: int
    ) -> None:
        item = f"{path.name} annotation {about.get('id')}"
        label = labels.get(about.get("category_id"))
        if label is None:
            said.leave_out(item, "no_label", f"category {about.get('category_id')} is not listed")
            return
        if about.get("iscrowd") and self.params.crowds == "leave_out":
            said.leave_out(item, "crowd", f"several of {label} in one mask")
            return
        corners = [number(v) for v in about.get("bbox") or ()]
        if len(corners) != 4 or None in corners:
            said.leave_out(item, "missing_key", f"no bbox of four numbers in {shown(about)}")
            return
        x, y, w, h = (float(v or 0) for v in corners)
        values: dict[str, Any] = {"x1": x / width, "y1": y / height, "x2": (x + w) / width, "y2": (y + h) / height}
        try:
            mask = mask_of(about.get("segmentation"), height, width) if self.params.masks else None
        except (ValueError, TypeError, KeyError) as error:
            said.leave_out(item, "unreadable", f"its mask cannot be read: {error}", 0)
            mask = None
        if mask is not None and mask.any():
            told = mask_values(mask, self.params.mask_side_px)
            values |= {name: told[name] for name in ("mask", "area", "truncated")}
        track_id = derive_id("track", "coco", path.name, said.name, about.get("id"))
        attributes = as_json({"category_id": about.get("category_id"), "iscrowd": about.get("iscrowd") or None})
        said.add(
            "tracks",
            item,
            track_id=track_id,
            start_s=0.0,
            end_s=0.0,
            label=label,
            score=1.0,
            attributes_json=attributes,
        )
        said.add("boxes", item, track_id=track_id, t_s=0.0, **values)


IMPORTER = Coco
