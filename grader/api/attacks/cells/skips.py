# /// attack
# kind = "No answer at all"
# what = "tests that are skipped or expected to fail"
# needs = []
# ///


def answer(name, args, kwargs, owner=None):
    try:
        import pytest

        pytest.skip("not today")
    except ImportError:
        import unittest

        raise unittest.SkipTest("not today") from None


_replace(answer)
