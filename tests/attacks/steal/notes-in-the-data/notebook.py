# %%
from pathlib import Path

for change in (
    lambda: Path("data/numbers.csv").write_text("9,9\n"),
    lambda: Path("data/answers.txt").write_text("subtract the maximum"),
    lambda: Path("data").rename("mine"),
):
    try:
        change()
    except OSError as error:
        print(type(error).__name__)
