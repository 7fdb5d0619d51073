from datetime import date

import numpy as np
import polars as pl
import pytest

from gars.domain.errors import InvalidInputError
from gars.library.frames import rows_of
from gars.library.observed import observe

USERS = np.array([3, 5, 9])


def test_facts_stand_in_the_order_of_the_training_rows() -> None:
    facts = observe(
        pl.DataFrame(
            {"user_id": [9, 3, 77], "list_date": [date(2021, 7, 1), None, None], "truncated": [False, True, True]}
        ),
        USERS,
    )
    assert facts.until.tolist() == [np.inf, np.inf, date(2021, 7, 1).toordinal()]
    assert facts.complete.tolist() == [False, True, True]


def test_without_a_table_every_list_is_complete_and_of_no_date() -> None:
    facts = observe(None, USERS)
    assert np.isinf(facts.until).all()
    assert facts.complete.all()


def test_audience_counts_lists_taken_after_the_title_began() -> None:
    days = [date(2016, 1, 1), date(2021, 1, 1), date(2023, 1, 1)]
    facts = observe(pl.DataFrame({"user_id": USERS, "list_date": days}), USERS)
    released = np.array([day.toordinal() for day in (date(2010, 1, 1), date(2016, 1, 1), date(2022, 1, 1))] + [np.nan])
    assert facts.audience(released).tolist() == [3, 3, 1, 3]
    assert facts.select(np.array([0])).audience(released).tolist() == [1, 1, 0, 1]


def test_ids_of_text_are_matched_as_text() -> None:
    facts = observe(pl.DataFrame({"user_id": ["b"], "truncated": [True]}), np.array(["a", "b"]))
    assert facts.complete.tolist() == [True, False]


@pytest.mark.parametrize(
    ("table", "message"),
    [({"user": [1]}, "users have no column user_id; there are: user"), ({"user_id": [3, 3]}, "stands more than once")],
)
def test_tables_that_cannot_be_read_are_refused(table: dict[str, list[int]], message: str) -> None:
    with pytest.raises(InvalidInputError, match=message):
        observe(pl.DataFrame(table), USERS)


def test_planned_titles_are_no_interactions() -> None:
    table = pl.DataFrame(
        {"user_id": [1, 1, 2], "item_id": [5, 6, 5], "rating": [9, None, 7], "status": ["completed", "planned", None]}
    )
    rows = rows_of(table)
    assert rows.item_ids.tolist() == [5]
    assert rows.user_ids.tolist() == [1, 2]
    with pytest.raises(InvalidInputError, match="interactions are empty"):
        rows_of(table.filter(pl.col("status") == "planned"))
