"""Verdicts to pages. The only room that turns what a box produced into HTML."""
