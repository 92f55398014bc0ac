"""Runs inside the sandbox: zygote, jail, shell, calls. Of ours it imports `grader.wire` alone."""
