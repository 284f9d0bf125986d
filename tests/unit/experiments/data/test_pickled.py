"""Pickles of arrays are read, others rejected."""

import pickle
from pathlib import Path

import numpy as np
import pytest

from experiments.data.pickled import unpickle_arrays

PYTHON_2_PICKLE = (
    b"(lp0\n(cnumpy.core.multiarray\n_reconstruct\n(cnumpy\nndarray\n(I0\ntS'b'\ntR(I1\n(I2\ntcnumpy\ndtype\n"
    b"(S'i8'\nI0\nI1\ntR(I3\nS'<'\nNNNI-1\nI-1\nI0\ntbI00\nS'\\x07\\x00\\x00\\x00\\x00\\x00\\x00\\x00"
    b"\\xff\\x00\\x00\\x00\\x00\\x00\\x00\\x00'\ntbI5\nta."
)


def test_arrays_by_python_2_are_unpickled() -> None:
    [(array, number)] = unpickle_arrays(PYTHON_2_PICKLE)
    np.testing.assert_array_equal(array, np.array([7, 255], np.int64), strict=True)
    assert number == 5


@pytest.mark.parametrize("harm", [b"cos\nsystem\n(S'false'\ntR.", pickle.dumps(print), pickle.dumps(Path("x"))])
def test_a_pickle_that_asks_for_more_than_arrays_is_refused(harm: bytes) -> None:
    with pytest.raises(pickle.UnpicklingError, match="not part of an array"):
        unpickle_arrays(harm)
