"""Otter's marks on single lines, written as solution regions of ours."""

from __future__ import annotations

import re
from collections.abc import Sequence

from grader.conversion.solutions import BEGIN, END, STARTER, with_starters
from grader.release.regions import inline_statements
from grader.source.cells import parse_cell

_BEGIN = re.compile(r"^(?P<indent>\s*)# BEGIN SOLUTION(?P<bare> NO PROMPT)?\s*$")
_END = re.compile(r"# END SOLUTION\s*$")
_LINE = re.compile(r"#\s?SOLUTION\s*$")
_GONE = re.compile(r"# SOLUTION NO PROMPT\s*$|# SEED\s*$")
_PROMPT_BEGIN = re.compile(r'^(?P<indent>\s*)(?:\w+\s*=\s*)?"""\s*# BEGIN PROMPT\s*$')
_PROMPT_END = re.compile(r'^\s*"""\s*;?\s*# END PROMPT\s*$')
_IGNORED = re.compile(r"# IGNORE\s*$")
_IGNORE_BEGIN = re.compile(r"^\s*#\s*BEGIN\s*IGNORE\s*", re.IGNORECASE)
_IGNORE_END = re.compile(r"# END IGNORE\s*$")


def solution_cell(source: str) -> str:
    """Write a code cell of a solution block with regions of ours."""
    return with_starters("\n".join(_regions(_inline(without_ignored(source).split("\n")))))


def without_ignored(source: str) -> str:
    """Leave out what Otter's `# IGNORE` keeps from every notebook that it makes."""
    kept: list[str] = []
    ignoring = False
    for line in source.split("\n"):
        if _IGNORE_END.search(line):
            ignoring = False
        elif _IGNORE_BEGIN.match(line):
            ignoring = True
        elif not ignoring and not _IGNORED.search(line):
            kept.append(line)
    return "\n".join(kept)


def _inline(lines: Sequence[str]) -> list[str]:
    """Make regions of marked lines that our `# SOLUTION` does not fit, and of those that vanish."""
    tree = parse_cell("\n".join(lines))
    fitting = inline_statements(tree) if tree else {}
    result: list[str] = []
    for index, line in enumerate(lines):
        indent = line[: len(line) - len(line.lstrip())]
        code = _LINE.sub("", _GONE.sub("", line)).rstrip()
        gone = bool(_GONE.search(line))
        if not gone and not _LINE.search(line):
            result.append(line)
        elif not gone and index in fitting:
            result.append(f"{code}  # SOLUTION")
        else:
            stub = [] if gone else [f"{indent}# ...  # YOUR CODE HERE"]
            result += [f"{indent}{BEGIN}", code, f"{indent}{STARTER}", *stub, f"{indent}{END}"]
    return result


def _regions(lines: Sequence[str]) -> list[str]:
    """Join a solution block with the prompt that follows it: that is its starter."""
    result: list[str] = []
    index = 0
    while index < len(lines):
        line = lines[index]
        begin, prompt = _BEGIN.match(line), _PROMPT_BEGIN.match(line)
        if begin and begin["bare"]:
            result.append(f"{begin['indent']}{BEGIN}")
        elif prompt:
            index, starter = _prompt(lines, index + 1, prompt["indent"])
            if result and _END.search(result[-1]):
                # `# SOLUTION NO PROMPT` has said already that nothing else stands there.
                begun = len(result) > 1 and result[-2].strip() == STARTER
                head = [] if begun else [f"{prompt['indent']}{STARTER}"]
                result[-1:] = [*head, *starter, result[-1]]
            continue
        elif _END.search(line):
            result.append(line)
            following = lines[index + 1] if index + 1 < len(lines) else ""
            if _opened_bare(lines, index) and not _PROMPT_BEGIN.match(following):
                indent = line[: len(line) - len(line.lstrip())]
                result.insert(len(result) - 1, f"{indent}{STARTER}")
        else:
            result.append(line)
        index += 1
    return result


def _opened_bare(lines: Sequence[str], end: int) -> bool:
    for line in reversed(lines[:end]):
        begin = _BEGIN.match(line)
        if begin:
            return bool(begin["bare"])
    return False


def _prompt(lines: Sequence[str], index: int, indent: str) -> tuple[int, list[str]]:
    """Read a prompt; the index of the line behind it, and its lines as comments."""
    starter: list[str] = []
    while index < len(lines) and not _PROMPT_END.match(lines[index]):
        line = lines[index]
        body = line[len(indent) :] if line.startswith(indent) else line.lstrip()
        starter.append(f"{indent}# {body}".rstrip())
        index += 1
    return index + 1, starter
