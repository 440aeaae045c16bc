"""The study of the queue: those who queue little no longer wait for one who queued much."""

from studies.fair_queue import FirstCome, arrivals, simulate, turns


def test_turns_let_small_teams_pass_and_cost_the_busy_one_what_they_need() -> None:
    first_come, in_turns = arrivals(12, 2), arrivals(12, 2)
    simulate(FirstCome(), first_come)
    with turns(3) as queue:
        simulate(queue, in_turns)
    for plain, ours in zip(first_come[12:], in_turns[12:], strict=True):
        assert ours.ended < plain.ended
    assert max(entry.ended for entry in in_turns) == max(entry.ended for entry in first_come)
