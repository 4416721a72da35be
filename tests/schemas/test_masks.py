"""Masks survive their run-length encoding, which is COCO's."""

import json

import numpy as np
import pytest
from chronotope.schemas.masks import box_of, decode_mask, encode_mask, mask_iou
from hypothesis import given
from hypothesis.extra.numpy import array_shapes, arrays


@given(arrays(bool, array_shapes(min_dims=2, max_dims=2, max_side=12)))
def test_every_mask_comes_back(mask):
    assert np.array_equal(decode_mask(encode_mask(mask)), mask)


def test_runs_go_down_columns_and_begin_with_zeros():
    mask = np.array([[1, 0, 0], [1, 1, 0]], bool)
    assert json.loads(encode_mask(mask)) == {"counts": [0, 2, 1, 1, 2], "size": [2, 3]}


def test_runs_that_do_not_fill_the_size_are_refused():
    with pytest.raises(ValueError, match="do not fill"):
        decode_mask('{"counts":[3,2],"size":[2,3]}')


def test_boxes_enclose_what_is_set_and_iou_is_shared_over_united():
    mask = np.zeros((4, 8), bool)
    mask[1:3, 2:6] = True
    assert box_of(mask) == (0.25, 0.25, 0.75, 0.75)
    assert mask_iou(mask, np.roll(mask, 2, axis=1)) == pytest.approx(1 / 3)
    with pytest.raises(ValueError, match="no box"):
        box_of(np.zeros((2, 2), bool))
