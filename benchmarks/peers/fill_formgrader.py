"""Runs in nbgrader's environment: a class whose every notebook is graded, but for one cell by hand.

    python fill_formgrader.py STUDENTS ASSIGNMENT…

In a course of which the first assignment was generated; the others get its cells. What nbgrader's
`autograde` would record is written through its own models, without a kernel for each.
"""

import datetime
import shutil
import sys
from pathlib import Path

from nbgrader.api import Comment, Grade, Gradebook, Student, SubmittedAssignment, SubmittedNotebook

students, assignments = int(sys.argv[1]), sys.argv[2:]
first = assignments[0]
names = [f"s{number:05}" for number in range(students)]
now = datetime.datetime.now(datetime.UTC)
with Gradebook("sqlite:///gradebook.db") as book:
    made = book.find_notebook("ps1", first)
    for name in assignments[1:]:
        book.add_assignment(name)
        book.add_notebook("ps1", name)
        for cell in made.grade_cells:
            kind = {"max_score": cell.max_score, "cell_type": cell.cell_type}
            book.add_grade_cell(cell.name, "ps1", name, **kind)
        for cell in made.solution_cells:
            book.add_solution_cell(cell.name, "ps1", name)
    book.db.add_all(Student(id=one, first_name=one, last_name="Student") for one in names)
    book.db.commit()
    everybody = [book.find_student(one) for one in names]
    for name in assignments:
        assignment = book.find_assignment(name)
        (notebook,) = assignment.notebooks
        for student in everybody:
            handed = SubmittedAssignment(assignment=assignment, student=student, timestamp=now)
            own = SubmittedNotebook(notebook=notebook, assignment=handed)
            for number, cell in enumerate(notebook.grade_cells):
                by_hand = number == 0
                Grade(
                    cell_id=cell.id,
                    notebook=own,
                    auto_score=None if by_hand else cell.max_score,
                    needs_manual_grade=by_hand,
                )
            for cell in notebook.solution_cells:
                Comment(cell_id=cell.id, notebook=own)
            book.db.add(handed)
        book.db.commit()
for name in assignments:
    for one in names:
        for step in ("submitted", "autograded"):
            place = Path(step) / one / name
            place.mkdir(parents=True)
            shutil.copy(Path("release") / first / "ps1.ipynb", place / "ps1.ipynb")
