"""Learning management systems: one module for each, of functions over names, headers and cells.

A further one is a subclass of `system.System` in the entry point group `grader.lms`.
"""
