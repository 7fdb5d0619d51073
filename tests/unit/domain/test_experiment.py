from collections import Counter
from datetime import timedelta

import pytest

from gars.application.impressions.experiments import report
from gars.application.recommend.as_of import list_as_of
from gars.application.recommend.explore import CHANNEL
from gars.application.recommend.list_request import ListRequest
from gars.application.recommend.recommend import Recommend
from gars.domain import exploration
from gars.domain.candidates import SERVICE_DEFAULTS, Filters
from gars.domain.errors import InvalidInputError
from gars.domain.experiment import Experiment, Rules, Variant, clustered_rate, read, sample_ratio_p
from gars.domain.impression import Impression
from gars.domain.interaction import Interaction, Kind
from gars.testing.clock import FakeClock
from gars.testing.engine import FakeEngine
from gars.testing.memory import MemoryEventLog, MemoryImpressionLog, MemoryStateStore

AB = Experiment(name="ab", variants=(Variant(name="a"), Variant(name="b", share=3, rules=Rules(diversity=0.9))))


def test_users_are_dealt_by_share_and_always_the_same() -> None:
    dealt = Counter(AB.variant_of(str(user)).name for user in range(4000))
    assert dealt["b"] / 4000 == pytest.approx(0.75, abs=0.03)
    assert dealt == Counter(AB.variant_of(str(user)).name for user in range(4000))
    again = Experiment(name="other", variants=AB.variants)
    assert any(AB.variant_of(str(user)) != again.variant_of(str(user)) for user in range(50))


def test_rules_stand_in_for_defaults_only() -> None:
    arm = AB.variants[1]
    assert arm.applied(SERVICE_DEFAULTS).diversity == 0.9
    chosen = Filters(diversity=0.1)
    assert arm.applied(chosen) is chosen


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (b"{", "here: .*truncated"),
        (b'{"name": "x", "variants": [], "typo": 1}', "here: .*typo"),
        (b'{"name": "x", "variants": [{"name": "a"}]}', "needs a name and two or more variants of their own"),
        (b'{"name": "x", "variants": [{"name": "a"}, {"name": "a"}]}', "variants of their own"),
        (b'{"name": "x", "variants": [{"name": "a", "share": 0}, {"name": "b"}]}', "the share of a is not above 0"),
        (
            b'{"name": "x", "variants": [{"name": "a", "rules": {"niche": 2}}, {"name": "b"}]}',
            "niche of a is not from 0 to 1",
        ),
        (
            b'{"name": "x", "variants": [{"name": "a", "rules": {"retrieval": -1}}, {"name": "b"}]}',
            "retrieval of a is not from 0 to 10",
        ),
    ],
)
def test_files_that_are_no_experiment(text: bytes, message: str) -> None:
    with pytest.raises(InvalidInputError, match=message):
        read(text, where="here")


def test_an_experiment_is_read() -> None:
    text = b'{"name": "ab", "variants": [{"name": "a"}, {"name": "b", "share": 3, "rules": {"diversity": 0.9}}]}'
    assert read(text, where="here") == AB


def test_a_rate_of_strangers_has_wilsons_interval() -> None:
    rate, low, high = clustered_rate([1] * 20 + [0] * 80, [1] * 100)
    assert rate == pytest.approx(0.2)
    assert (low, high) == pytest.approx((0.133, 0.289), abs=0.003)


def test_lists_of_one_user_count_for_less() -> None:
    _, low, high = clustered_rate([10] * 2 + [0] * 8, [10] * 10)
    assert high - low > 2 * (0.289 - 0.133)


@pytest.mark.parametrize(("hits", "expected"), [(0, 0.0), (1, 1.0)])
def test_an_interval_stays_open_where_all_are_alike(hits: int, expected: float) -> None:
    rate, low, high = clustered_rate([hits] * 5, [1] * 5)
    assert rate == expected
    assert high - low > 0.3
    assert clustered_rate([], []) == (0.0, 0.0, 1.0)


def test_sample_ratio() -> None:
    assert sample_ratio_p([500, 500], [1, 1]) == 1.0
    assert sample_ratio_p([520, 480], [1, 1]) == pytest.approx(0.2059, abs=1e-3)
    assert sample_ratio_p([600, 400], [1, 1]) < 1e-6
    assert sample_ratio_p([30, 30, 40], [1, 1, 1]) == pytest.approx(0.3679, abs=1e-3)
    assert sample_ratio_p([20, 30, 25, 25], [1, 1, 1, 1]) == pytest.approx(0.5724, abs=1e-3)
    assert sample_ratio_p([0, 0], [1, 1]) == 1.0


class World:
    """A service of one use case, and its logs."""

    def __init__(self, *, explore: float = 0.0, experiment: Experiment | None = None) -> None:
        self.clock, self.log, self.shown = FakeClock(), MemoryEventLog(), MemoryImpressionLog()
        self.engine = FakeEngine()
        self.recommend = Recommend(
            engine=self.engine,
            states=MemoryStateStore(),
            clock=self.clock,
            record=self._record,
            experiment=experiment,
            explore=explore,
        )

    def _record(self, impression: Impression) -> None:
        self.shown.append([impression])

    def act(self, one: Impression, kind: Kind, *, later: timedelta = timedelta(minutes=1), user: str = "") -> None:
        made = Interaction(
            event_id=f"{one.request_id}-{kind}",
            user_id=user or one.user_id,
            anime_id=one.items[0].anime_id,
            kind=kind,
            event_time=one.time + later,
            request_id=one.request_id,
        )
        self.log.append([made])


def test_the_report_counts_lists_and_what_came_of_them() -> None:
    world = World(experiment=AB)
    for user in range(40):
        world.recommend(ListRequest(user_id=str(user), request_id=f"r{user}"))
    of_a = [one for one in world.shown.impressions if one.variant == "ab/a"]
    of_b = [one for one in world.shown.impressions if one.variant == "ab/b"]
    assert {one.filters.diversity for one in of_b} == {0.9}
    world.act(of_a[0], Kind.CLICK)
    world.act(of_b[0], Kind.DISMISS)
    world.act(of_b[1], Kind.CLICK, later=timedelta(hours=1))  # too late
    world.act(of_b[2], Kind.CLICK, user="somebody else")
    found = report(AB, world.shown, world.log)
    a, b = found.variants
    assert (a.users, a.impressions, a.clicks, a.dismissals) == (len(of_a), len(of_a), 1, 0)
    assert (b.users, b.impressions, b.clicks, b.dismissals) == (len(of_b), len(of_b), 0, 1)
    assert a.click_through.rate == pytest.approx(1 / len(of_a))
    assert a.click_through.low < a.click_through.rate < a.click_through.high
    assert found.sample_ratio_ok
    assert (a.share, b.share) == (0.25, 0.75)


def test_nothing_is_explored_unless_asked() -> None:
    world = World()
    world.recommend(ListRequest(user_id="7", k=10, request_id="r"))
    assert {item.propensity for item in world.shown.impressions[0].items} == {1.0}


def test_an_explored_place_is_logged_with_its_chance_and_made_again() -> None:
    world = World(explore=1.0)
    plain = [item.anime_id for item in world.recommend(ListRequest(user_id="7", k=10)).items]
    for number in range(8):
        made = [item.anime_id for item in world.recommend(ListRequest(user_id="7", k=10, request_id=str(number))).items]
        one = world.shown.impressions[-1]
        (explored,) = [item for item in one.items if CHANNEL in item.channels]
        assert explored.position >= exploration.FIRST_PLACE
        assert explored.anime_id not in plain
        assert explored.propensity == pytest.approx(1 / (7 * exploration.POOL))
        assert [item.propensity for item in one.items[:3]] == [1.0] * 3
        assert [place for place in range(10) if made[place] != plain[place]] == [explored.position]
        assert [item.anime_id for item in list_as_of(one, world.log, world.engine)] == made


def test_the_share_explores_and_any_place_and_title_may_be_drawn() -> None:
    drawn = [exploration.draw(str(number), 0.25, 10) for number in range(4000)]
    slots = [slot for slot in drawn if slot is not None]
    assert len(slots) / 4000 == pytest.approx(0.25, abs=0.03)
    assert {slot.place for slot in slots} == set(range(3, 10))
    assert {slot.below for slot in slots} == set(range(exploration.POOL))
    assert exploration.draw("x", 1.0, 3) is None


def test_where_too_little_is_left_nothing_is_explored() -> None:
    world = World(explore=1.0)
    world.recommend(ListRequest(user_id="7", k=10, filters=Filters(genres=("Sci-Fi",)), request_id="r"))
    assert {item.propensity for item in world.shown.impressions[0].items} == {1.0}
