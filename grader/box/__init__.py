"""Runs inside the sandbox: zygote, jail, shell, calls. Imports nothing of ours but `grader.wire`."""
