"""The `grader` command as a module, for processes that a test keeps running."""

from grader.cli import main

if __name__ == "__main__":
    main()
