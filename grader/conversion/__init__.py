"""Assignments that were written for other systems become ours: read as data, never run."""
