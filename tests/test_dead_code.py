"""Nothing in the package is there for nobody: what neither code nor a template uses is listed."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

from vulture import Vulture

ROOT = Path(__file__).parents[1]

CALLED_BY_OTHERS = {
    # click, and modules that load a command or an attribute when it is asked for
    *("__getattr__", "format_commands", "get_command", "list_commands"),
    # Python: files, imports
    *("create_module", "writable"),
    # IPython's shell and display hook
    *("_is_active", "_showtraceback", "ask_exit", "autoindent", "clear_output", "compiler_class"),
    *("display_pub_class", "displayhook_class", "enable_gui", "finish_displayhook", "gui"),
    *("init_virtualenv", "tqdm", "write_format_data", "write_output_prompt"),
    # torch, of which a box without a GPU has stand-ins
    *("current_device", "get_device_name", "reset_peak_memory_stats", "set_device", "synchronize"),
    # pytest, and a plugin of it that looks at what another has set
    *("funcargs", "global_force_seed"),
    # SQLAlchemy, its drivers, and alembic
    *("autocommit", "cache_ok", "down_revision", "impl", "isolation_level", "revision"),
    *("process_bind_param", "process_result_value"),
    # rich
    *("no_wrap", "overflow"),
    # jinja2
    *("dump_bytecode", "load_bytecode"),
    # mistune's parsers and renderer
    *("block_code", "block_math", "inline_math", "latex_environment", "parse_brackets"),
    *("parse_display_brackets", "parse_display_dollars", "parse_displayed", "parse_dollars"),
    *("parse_environment",),
    # the storage of `limits`
    *("STORAGE_SCHEME", "base_exceptions", "get_expiry", "incr"),
    # dask's plugins
    *("setup", "teardown"),
}
"""Names that a library calls or reads."""
WRITTEN_FOR_PEOPLE = {
    # in the spec, in a receipt, beside a hand-in's time and in what a suite's test measured
    *("summary", "proves", "learnt_at", "right_answers"),
    # said by a box to whoever looks at its stream
    *("jail_ms", "warm_s"),
    # the words of a suite
    "share_shown",
}
KEPT = {
    # until its container is gone: else the socket would be closed
    "_keep_alive",
    # one call for what commands ask in two steps; benchmarks and tests of the rules use it
    "class_totals",
    # what the record says of each run; there is no command for it yet
    "batches",
}


def _template_names() -> set[str]:
    texts = (path.read_text() for path in (ROOT / "templates").rglob("*.j2"))
    return {name for text in texts for name in re.findall(r"\w+", text)}


@cache
def _unused() -> dict[str, str]:
    vulture = Vulture(ignore_names=["pytest_*"], ignore_decorators=["@command.command"])
    vulture.scavenge([ROOT / "grader"], exclude=["*/attacks/cells/*"])  # students write those
    return {
        item.name: f"{item.filename.relative_to(ROOT)}:{item.first_lineno}: {item.typ} {item.name}"
        for item in vulture.get_unused_code(min_confidence=60)
    }


def test_what_nobody_uses_is_not_there() -> None:
    used = CALLED_BY_OTHERS | WRITTEN_FOR_PEOPLE | KEPT | _template_names()
    assert [place for name, place in _unused().items() if name not in used] == []


def test_the_list_of_exceptions_names_nothing_that_is_used_after_all() -> None:
    listed = CALLED_BY_OTHERS | WRITTEN_FOR_PEOPLE | KEPT
    assert sorted(listed - _unused().keys()) == []
