from __future__ import annotations

import json


def write(folder, student, notebooks):
    source = "print('ran', 'as python')"
    cell = {"cell_type": "code", "source": source, "metadata": {}, "outputs": []}
    kernel = {"name": "ir", "language": "R", "display_name": "R"}
    document = {"nbformat": 4, "nbformat_minor": 4, "cells": [cell | {"execution_count": None}]}
    (folder / f"{student}.ipynb").write_bytes(
        json.dumps(document | {"metadata": {"kernelspec": kernel}}).encode()
    )
