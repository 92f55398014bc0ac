"""What pages are made of is loaded when it is needed, or while there is time."""

from __future__ import annotations

import subprocess
import sys


def test_what_pages_need_is_loaded_once_and_ahead_of_the_first() -> None:
    script = (
        "import sys\n"
        "from grader.report.markdown import load_renderer, markdown_html\n"
        "print('mistune' in sys.modules, load_renderer(), 'mistune' in sys.modules,"
        " load_renderer(), markdown_html('*a*'))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.stdout == "False True True False <p><em>a</em></p>\n\n", done.stderr
