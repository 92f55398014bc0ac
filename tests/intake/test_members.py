"""What an archive may hold is counted as it comes, to the byte."""

from __future__ import annotations

import io

import pytest

from grader.intake.members import (
    ArchiveEndedError,
    ArchiveLimits,
    Budget,
    MemberRefusedError,
    RefusedMember,
)
from grader.intake.zip_names import Naming

MB = 2**20


def budget(**limits: int) -> Budget:
    return Budget(ArchiveLimits(**limits))


def read(spent: Budget, size: int, packed_bytes: int | None = None) -> bytes:
    return spent.read(io.BytesIO(bytes(size)), packed_bytes=packed_bytes)


def test_as_many_members_as_allowed_are_counted_and_none_more() -> None:
    spent = budget(members=1000)
    for _ in range(1000):
        spent.count_member()
    with pytest.raises(ArchiveEndedError) as ended:
        spent.count_member()
    assert str(ended.value) == "it has more than 1,000 members; the rest was not read"


@pytest.mark.parametrize("size", [0, 1, 64 * 1024, 64 * 1024 + 1, 3 * MB])
def test_a_member_is_read_whole(size: int) -> None:
    assert read(budget(), size) == bytes(size)


def test_a_member_may_be_as_large_as_its_limit_and_not_a_byte_larger() -> None:
    assert len(read(budget(member_bytes=2 * MB), 2 * MB)) == 2 * MB
    with pytest.raises(MemberRefusedError) as refused:
        read(budget(member_bytes=2 * MB), 2 * MB + 1)
    assert str(refused.value) == "it is larger than 2 MB"


def test_members_may_together_be_as_large_as_the_limit_and_not_a_byte_larger() -> None:
    spent = budget(total_bytes=3 * MB)
    read(spent, 2 * MB)
    read(spent, MB)
    with pytest.raises(ArchiveEndedError) as ended:
        read(spent, 1)
    assert str(ended.value) == "it holds more than 3 MB; the rest was not read"


def test_a_member_that_is_refused_is_counted_too() -> None:
    spent = budget(member_bytes=MB, total_bytes=2 * MB)
    with pytest.raises(MemberRefusedError):
        read(spent, 2 * MB)
    with pytest.raises(ArchiveEndedError):
        read(spent, MB)


@pytest.mark.parametrize(
    ("size", "packed", "is_bomb"),
    [
        (8 * MB, 1, False),  # small enough, however it is packed
        (8 * MB + 1, 1, True),
        (16 * MB, 16 * MB // 200, True),
        (16 * MB, 16 * MB // 200 + 1, False),
        (16 * MB, 0, True),
    ],
)
def test_what_unpacks_to_more_than_two_hundred_times_itself_is_a_bomb(
    size: int, packed: int, is_bomb: bool
) -> None:
    if not is_bomb:
        assert len(read(budget(), size, packed)) == size
        return
    with pytest.raises(MemberRefusedError) as refused:
        read(budget(), size, packed)
    assert str(refused.value) == "it unpacks to far more than it holds (a zip bomb)"


def test_what_says_that_it_is_packed_into_nothing_is_measured_as_one_byte() -> None:
    spent = budget(ratio_from_bytes=0, ratio=200)
    assert len(read(spent, 200, 0)) == 200
    with pytest.raises(MemberRefusedError):
        read(spent, 201, 0)


def test_where_the_packing_is_not_known_only_the_size_counts() -> None:
    assert len(read(budget(), 9 * MB, None)) == 9 * MB


def test_a_members_path_is_given_after_its_prefix() -> None:
    assert budget().admit("./b//c.ipynb", prefix="a.zip/") == "a.zip/b/c.ipynb"


@pytest.mark.parametrize("name", ["/b.ipynb", "C:/b.ipynb"])
def test_a_prefix_makes_no_absolute_name_look_relative(name: str) -> None:
    refused = budget().admit(name, prefix="a.zip/")
    assert isinstance(refused, RefusedMember)
    assert (refused.name, refused.path) == ("a.zip/" + name, None)


def test_the_first_of_two_members_of_one_name_is_read() -> None:
    spent = budget()
    assert spent.admit("Straße/a") == "Straße/a"
    assert spent.admit("Straße/a") == RefusedMember(
        "Straße/a", "an earlier member has the same name", path="Straße/a"
    )
    assert spent.admit("STRASSE/A") == RefusedMember(
        "STRASSE/A", "an earlier member has a name that differs only in case", path="STRASSE/A"
    )
    assert spent.admit("Straße/b") == "Straße/b"


def test_a_folder_may_be_there_twice_and_beside_a_file() -> None:
    spent = budget()
    assert [spent.admit("a", folder=True) for _ in range(2)] == ["a", "a"]
    assert spent.admit("a") == "a"


def test_names_are_read_as_the_caller_says() -> None:
    naming = Naming()
    assert Budget(ArchiveLimits(), naming).naming is naming
    assert isinstance(budget().naming, Naming)
