"""Picture preparation of CLIP models without torch: resize, crop and normalise as open_clip does for
evaluation.

Both CLIP backends share this code, so they see the same numbers; a test compares it with the transform that
open_clip builds. Limits: uint8 RGB in, float32 planes out, bicubic or bilinear filters of Pillow.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from pydantic import BaseModel, ConfigDict, Field

_FILTERS = {"bicubic": Image.Resampling.BICUBIC, "bilinear": Image.Resampling.BILINEAR}


class ClipPreprocess(BaseModel):
    """How a picture becomes the input of a CLIP model; the fields of open_clip's `PreprocessCfg`."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    height_px: int = Field(gt=0, description="height of the model's input")
    width_px: int = Field(gt=0, description="width of the model's input")
    mean: tuple[float, float, float] = Field(description="mean per channel, of values in 0..1")
    std: tuple[float, float, float] = Field(description="standard deviation per channel, of values in 0..1")
    interpolation: Literal["bicubic", "bilinear"] = Field(default="bicubic", description="resize filter")
    resize_mode: Literal["shortest", "longest", "squash"] = Field(
        default="shortest",
        description="shortest: fill, crop the middle; longest: fit and pad; squash: ignore the aspect",
    )
    fill_color: int = Field(default=0, ge=0, le=255, description="grey of the padding in mode 'longest'")

    @classmethod
    def from_open_clip(cls, cfg: dict[str, object]) -> ClipPreprocess:
        """From the dictionary that open_clip attaches to a model (`model.visual.preprocess_cfg`)."""
        size = cfg["size"]
        height, width = (size, size) if isinstance(size, int) else tuple(size)  # type: ignore[arg-type]
        interpolation = "bilinear" if cfg.get("interpolation") == "bilinear" else "bicubic"
        fields = {**cfg, "height_px": height, "width_px": width, "interpolation": interpolation}
        return cls.model_validate({k: v for k, v in fields.items() if v is not None})

    def __call__(self, rgb: NDArray[np.uint8]) -> NDArray[np.float32]:
        """One uint8 picture `[h, w, 3]` (RGB) to float32 `[3, height_px, width_px]`.

        Raises ValueError when the array is not a uint8 RGB picture.
        """
        if rgb.ndim != 3 or rgb.shape[2] != 3 or rgb.dtype != np.uint8 or 0 in rgb.shape:
            raise ValueError(
                f"a picture must be a uint8 array [height, width, 3], got {rgb.dtype} {list(rgb.shape)}; "
                "convert it to RGB first"
            )
        image = self._fit(Image.fromarray(rgb))
        shares = np.asarray(image, dtype=np.float32) / np.float32(255)
        values = (shares - np.asarray(self.mean, np.float32)) / np.asarray(self.std, np.float32)
        return np.ascontiguousarray(values.transpose(2, 0, 1), dtype=np.float32)

    def _fit(self, image: Image.Image) -> Image.Image:
        target_w, target_h = self.width_px, self.height_px
        width, height = image.size
        resample = _FILTERS[self.interpolation]
        if self.resize_mode == "squash":
            return image.resize((target_w, target_h), resample)
        if self.resize_mode == "shortest" and target_w == target_h:
            short, long = min(width, height), max(width, height)
            other = int(target_w * long / short)
            size = (target_w, other) if width <= height else (other, target_w)
            return _crop_or_pad(image.resize(size, resample), target_w, target_h, 0)
        ratios = (height / target_h, width / target_w)
        if self.resize_mode == "longest":
            ratio, fill = max(ratios), self.fill_color
        else:  # for a rectangular input open_clip always takes the bicubic filter
            ratio, fill, resample = min(ratios), 0, Image.Resampling.BICUBIC
        image = image.resize((round(width / ratio), round(height / ratio)), resample)
        return _crop_or_pad(image, target_w, target_h, fill)


def _crop_or_pad(image: Image.Image, width: int, height: int, fill: int) -> Image.Image:
    """The middle of the picture, padded where it is too small; margins round as torchvision's do."""
    if image.width < width or image.height < height:
        wide, high = max(width, image.width), max(height, image.height)
        canvas = Image.new("RGB", (wide, high), (fill, fill, fill))
        canvas.paste(image, ((wide - image.width) // 2, (high - image.height) // 2))
        image = canvas
    left, top = round((image.width - width) / 2), round((image.height - height) / 2)
    return image.crop((left, top, left + width, top + height))
