from harness.data.lengths import Length, Lengths, find_cut, length_facts, length_picture


def tokens(*pairs: tuple[int, int], limit: int | None = 10) -> Lengths:
    of = {line: Length(prompt=p, answer=a) for line, (p, a) in enumerate(pairs, start=1)}
    return Lengths(unit="tokens", of=of, limit=limit, measured_by="the test")


def test_what_does_not_fit_is_cut_and_an_answer_that_begins_beyond_is_lost() -> None:
    (found,) = find_cut(tokens((5, 5), (5, 6), (9, 2), (10, 1)))
    assert found.lines == (2, 3, 4)
    assert "1 would keep nothing of the answer" in found.sentence
    assert found.value == 0.75


def test_nothing_is_cut_without_a_limit_or_where_all_fit() -> None:
    assert find_cut(tokens((500, 500), limit=None)) == []
    assert find_cut(tokens((5, 5))) == []
    assert find_cut(tokens()) == []


def test_facts_give_median_and_longest() -> None:
    (_, whole), (_, answers) = length_facts(tokens(*((n, 1) for n in range(1, 22))))
    assert whole.startswith("median 12, 95 % up to 21, longest 22 ")
    assert answers == "median 1, 95 % up to 1, longest 1"
    assert length_facts(tokens()) == []
    assert length_facts(tokens((3, 1)))[1] == ("answers in tokens", "median 1, 95 % up to 1, longest 1")


def test_the_picture_counts_every_record_once_and_marks_what_is_cut() -> None:
    picture = length_picture(tokens((1, 1), (5, 5), (30, 3), (20, 1)))
    assert picture is not None
    assert sum(bar.count for bar in picture.bars) == 4
    assert [bar.count for bar in picture.bars if bar.stands_out and bar.count] == [1, 1]
    assert picture.bars[0].label == "0 to 2"
    assert length_picture(tokens()) is None
