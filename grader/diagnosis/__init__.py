"""What kind of mistake a wrong value shows, in the field's words; never the answer.

`explain` tries what would explain a difference, the most specific first, and names the first that
does. Each explanation is a kind with one sentence: no number, shape or index of either value is in
it, so that a notebook which asks many times learns no more than the kind.
"""
