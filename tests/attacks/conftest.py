"""What lies here for the attacks is no test of ours."""

collect_ignore_glob = ["assignment/*", "*/*/notebook.py", "*/*/make.py", "*/*/beside"]
