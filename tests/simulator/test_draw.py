from collections import Counter

from simulator.draw import Draw, Weighted


def test_the_stream_is_the_same_in_every_python():
    draw = Draw("a", "seed")
    assert [draw.whole(1, 1000) for _ in range(5)] == [928, 305, 922, 551, 847]


def test_draws_stay_in_bounds_and_follow_their_weights():
    draw = Draw("bounds")
    assert {draw.whole(2, 4) for _ in range(200)} == {2, 3, 4}
    assert {draw.pick("xyz") for _ in range(200)} == set("xyz")
    assert all(-1 <= draw.between(-1, 1) < 1 for _ in range(200))
    drawn = Counter(draw.weighted(Weighted([("rare", 1), ("never", 0), ("often", 9)])) for _ in range(2000))
    assert drawn["never"] == 0
    assert 100 < drawn["rare"] < 300
    assert drawn["rare"] + drawn["often"] == 2000


def test_other_seeds_are_other_streams():
    assert [Draw("a").whole(1, 10**9) for _ in range(3)] != [Draw("b").whole(1, 10**9) for _ in range(3)]
