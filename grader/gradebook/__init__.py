"""The record: every verdict, committed when it is made."""
