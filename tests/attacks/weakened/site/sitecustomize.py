"""Weakens a judge's process as it starts; on the path only where a weakening is tried."""

import os

if os.environ.get("GRADER_TEST_WEAKENING") and not os.environ.get("GRADER_TEST_WEAKENED"):
    os.environ["GRADER_TEST_WEAKENED"] = "1"  # what this process starts is left alone
    from tests.attacks.weakened.table import weaken_judge

    weaken_judge(os.environ["GRADER_TEST_WEAKENING"])
