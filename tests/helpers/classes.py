"""A made-up class with marks of all kinds, the same every time."""

from __future__ import annotations

import datetime as dt
import random
from decimal import Decimal

from grader.course.course_file import CourseFile
from grader.gradebook.marks import ItemMark

NAMES = (
    "Ada Lovelace", "Alan Turing", "Ayşe Öztürk", "Barbara Liskov", "Cahit Arf", "Chen Jingrun",
    "Dorothy Vaughan", "Edsger Dijkstra", "Emmy Noether", "Évariste Galois", "Fei Xiaotong",
    "Grace Hopper", "Hedy Lamarr", "Ivan Petrovsky", "Jean Bartik", "John O'Neill",
    "Katherine Johnson", "Karen Jones", "Leonhard Euler", "Lise Meitner", "Maryam Mirzakhani",
    "Mary Jackson", "Niels Abel", "Nilüfer Göle", "Olga Ladyzhenskaya", "Pelin Şahin",
    "Quentin Blake", "Radia Perlman", "Ramanujan S", "Sofia Kovalevskaya", "Søren Nielsen",
    "Tara Devi", "Ursula Franklin", "Vera Rubin", "Wang Zhenyi", "Xu Guangqi", "Yutaka Taniyama",
    "Zeynep Ak", "Ömer Kaya", "Łukasz Nowak",
)  # fmt: skip


def class_marks(
    course: CourseFile, *, students: int = 40, seed: int = 0, marked: float = 1.0
) -> list[ItemMark]:
    """Make marks for a class; only the first `marked` share of the items has any."""
    chance = random.Random(seed)
    items = course.items[: round(len(course.items) * marked)]
    made = []
    for student in NAMES[:students]:
        ability = chance.betavariate(5, 2)
        for item in items:
            kind = chance.random()
            if kind < 0.02 and item.due is not None:
                continue
            share = min(1.0, max(0.0, chance.gauss(ability, 0.12)))
            points = (item.max_points * Decimal(round(share * 40))) / 40
            late = dt.timedelta(hours=chance.expovariate(1 / 40)) if kind > 0.85 else dt.timedelta()
            made.append(
                ItemMark(
                    student=student,
                    item=item.id,
                    points=round(points, 2),
                    max_points=item.max_points,
                    handed_in=item.due + late if item.due else None,
                    excused=0.02 < kind < 0.03,
                )
            )
    return made
