"""Pairs of submissions that are closer than their class: a signal for a person, never a mark."""
