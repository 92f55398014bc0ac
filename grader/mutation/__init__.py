"""Mutants of a reference solution: its code with one mistake in it."""
