"""G403: services that wait on each other."""

from gopherdx.rules import MATCH, NOT, ArchetypeRules, Rule, at_least, at_most, below, obs


class Rules(ArchetypeRules):
    """Whether calls and requests close a circle, whether anything moves, and who could answer."""

    @Rule(
        obs("circle.calls", subject=MATCH.f, value=MATCH.v & at_least("calls")),
        obs("circle.kept_share", subject=MATCH.f, value=at_least("kept_share")),
        obs("circle.sides", subject=MATCH.f, value=at_least("sides")),
        obs("circle.lost_share", subject=MATCH.f, value=at_most("lost_share")),
        obs("circle.behind", subject=MATCH.f, value=at_least("behind")),
        obs("circle.elsewhere", subject=MATCH.f, value=below("elsewhere")),
    )
    def stand_still(self, f, v):  # type: ignore[no-untyped-def]
        """Both sides, and none of their calls ends.

        Silent where a request is outside of what was recorded: then that service is whom all wait for. Also
        where nobody waits at a limit: in a circle the call back does.
        """
        self.conclude("wait-on-each-other", subject=f, actual=v)

    @Rule(
        obs("circle.calls", subject=MATCH.f, value=MATCH.v & at_least("many_calls")),
        obs("circle.exact", subject=MATCH.f, value=True),
        obs("circle.sides", subject=MATCH.f, value=at_least("sides")),
        obs("circle.behind", subject=MATCH.f, value=at_least("behind")),
        obs("circle.elsewhere", subject=MATCH.f, value=below("elsewhere")),
        NOT(obs("circle.kept_share", subject=MATCH.f, value=below("kept_share"))),
    )
    def all_in_sight(self, f, v):  # type: ignore[no-untyped-def]
        """One look is enough where all who take part are in sight: while anything moves, one of them works.

        Silent where requests come from outside: in a busy chain all handlers of the first services may be
        waiting at one moment, and the last one, that works, is not in the picture.
        """
        self.conclude("wait-on-each-other", subject=f, actual=v)

    @Rule(
        obs("circle.calls", subject=MATCH.f, value=MATCH.v & at_least("many_calls")),
        obs("circle.processes", subject=MATCH.f, value=at_least("sides")),
        obs("circle.lost_share", subject=MATCH.f, value=at_most("lost_share")),
        obs("circle.behind", subject=MATCH.f, value=at_least("behind")),
        obs("circle.elsewhere", subject=MATCH.f, value=below("elsewhere")),
        obs("circle.doors", subject=MATCH.f, value=below("behind")),
        NOT(obs("circle.kept_share", subject=MATCH.f, value=below("kept_share"))),
    )
    def both_processes(self, f, v):  # type: ignore[no-untyped-def]
        """The dumps of both. A second pair, some seconds later, would prove that nothing moves."""
        self.conclude("wait-on-each-other", subject=f, actual=v)

    @Rule(obs("circle.kept_share", subject=MATCH.f, value=MATCH.v & at_least("kept_share")))
    def none_comes_back(self, f, v):  # type: ignore[no-untyped-def]
        """Silent for a service that is slow: its calls end."""
        self.conclude("none-comes-back", subject=f, actual=v)

    @Rule(obs("circle.in_call_share", subject=MATCH.f, value=MATCH.v & at_least("in_call_share")))
    def handlers_stand(self, f, v):  # type: ignore[no-untyped-def]
        """Silent where handlers are at work: that is how busy services look."""
        self.conclude("handlers-stand-in-calls", subject=f, actual=v)

    @Rule(obs("circle.behind", subject=MATCH.f, value=MATCH.v & at_least("behind")))
    def behind(self, f, v):  # type: ignore[no-untyped-def]
        """By itself no more than a queue."""
        self.conclude("requests-behind", subject=f, actual=v)

    @Rule(obs("circle.elsewhere", subject=MATCH.f, value=MATCH.v & at_least("elsewhere")))
    def somebody(self, f, v):  # type: ignore[no-untyped-def]
        """A long poll, a slow database, a computation: whoever has a request will answer it some day."""
        self.conclude("somebody-answers", subject=f, actual=v)

    @Rule(
        obs("circle.turn_behind", subject=MATCH.w, value=MATCH.f),
        obs("circle.calls", subject=MATCH.f, value=at_least("calls")),
    )
    def explains_those_behind(self, w, f):  # type: ignore[no-untyped-def]
        """Who waits for a free handler is stuck in a send or at a lock, and neither is the cause."""
        self.explains("G403", symptom="G302", subject=f, at=w)
        self.explains("G403", symptom="G101", subject=f, at=w)
