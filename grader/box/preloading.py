"""What a zygote loads once, so that no session has to."""

from __future__ import annotations

import gc
import sys
from collections.abc import Sequence
from importlib.metadata import version

from grader.box.child import Serve

PRELOADS = ("training", "pictures", "errors")
"""What not every notebook needs, and is slow the first time: for who waits for one alone."""


def warm_up(preloads: Sequence[str] = PRELOADS) -> tuple[Serve, dict[str, str]]:
    """Import what notebooks commonly need and build the shell; return what a child runs."""
    gc.disable()  # a sixth of the time of these imports is the collector's, which finds nothing
    import IPython
    import numpy as np
    import torch

    torch.set_num_threads(1)  # no thread pool may exist before a fork
    if "training" in preloads:
        import torch._dynamo  # the first optimizer step would import it, at 1.5 s
    if "pictures" in preloads:
        _draw()
    from grader.box import serve, shell, warmup

    ready = shell.build(pictures="pictures" in preloads)
    warmup.warm_up(ready, preloads)
    versions = {
        "python": sys.version.split()[0],
        "torch": str(torch.__version__),
        "numpy": np.__version__,
        "matplotlib": version("matplotlib"),
        "ipython": IPython.__version__,
    }
    found = serve.server(ready), versions
    if torch.cuda.is_initialized():  # type: ignore[no-untyped-call]
        raise RuntimeError("CUDA was initialised before the fork; a child could not use it")
    # A child's collector would go through all of this, for a third of a second, and copy the pages.
    gc.freeze()
    gc.enable()
    return found


def _draw() -> None:
    """Draw a figure before the inline backend is there, which would show it."""
    import matplotlib.pyplot as plt

    figure = plt.figure()
    figure.add_subplot().plot([0, 1])
    figure.canvas.draw()
    plt.close(figure)
