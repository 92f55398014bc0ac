"""What a zygote loads once, so that no session has to."""

from __future__ import annotations

import gc
import sys

from grader.box.child import Serve


def warm_up() -> tuple[Serve, dict[str, str]]:
    """Import all that notebooks commonly need and build the shell; return what a child runs."""
    gc.disable()  # a sixth of the time of these imports is the collector's, which finds nothing
    import IPython
    import matplotlib
    import matplotlib.pyplot as plt
    import numpy as np
    import torch
    import torch._dynamo  # the first optimizer step would import it, at 1.5 s

    torch.set_num_threads(1)  # no thread pool may exist before a fork
    figure = plt.figure()  # before the inline backend is there, which would show it
    figure.add_subplot().plot([0, 1])
    figure.canvas.draw()
    plt.close(figure)
    from grader.box import serve, shell, warmup

    ready = shell.build()
    warmup.warm_up(ready)
    versions = {
        "python": sys.version.split()[0],
        "torch": str(torch.__version__),
        "numpy": np.__version__,
        "matplotlib": matplotlib.__version__,
        "ipython": IPython.__version__,
    }
    found = serve.server(ready), versions
    if torch.cuda.is_initialized():  # type: ignore[no-untyped-call]
        raise RuntimeError("CUDA was initialised before the fork; a child could not use it")
    # A child's collector would go through all of this, for a third of a second, and copy the pages.
    gc.freeze()
    gc.enable()
    return found
