"""G401: one unit of work makes its calls one after another."""

from gopherdx.rules import MATCH, ArchetypeRules, Rule, at_least, obs


class Rules(ArchetypeRules):
    """How many calls a unit makes, what their order costs, and whether it does anything else."""

    @Rule(
        obs("calls.per_unit", subject=MATCH.f, value=MATCH.v & at_least("per_unit")),
        obs("calls.saved_share", subject=MATCH.f, value=at_least("saved_share")),
        obs("calls.saved_ms", subject=MATCH.f, value=at_least("saved_ms")),
        obs("calls.wait_share", subject=MATCH.f, value=at_least("wait_share")),
        obs("calls.served_share", subject=MATCH.f, value=at_least("served_share")),
    )
    def one_after_another(self, f, v):  # type: ignore[no-untyped-def]
        """Silent for one slow call beside quick ones, for quick calls, and where the unit computes.

        Also for a goroutine that takes its turns from a channel: it may be a client that makes load.
        """
        self.conclude("calls-one-after-another", subject=f, actual=v)

    @Rule(
        obs("calls.saved_share", subject=MATCH.f, value=MATCH.v & at_least("saved_share")),
        obs("calls.per_unit", subject=MATCH.f, value=at_least("per_unit")),
    )
    def the_sum_counts(self, f, v):  # type: ignore[no-untyped-def]
        """What would be saved at best: whether the calls are independent is in no trace."""
        self.conclude("the-sum-counts", subject=f, actual=v)

    @Rule(
        obs("calls.wait_share", subject=MATCH.f, value=MATCH.v & at_least("wait_share")),
        obs("calls.per_unit", subject=MATCH.f, value=at_least("per_unit")),
    )
    def the_unit_waits(self, f, v):  # type: ignore[no-untyped-def]
        """Silent where the unit computes: then the calls are not what is slow."""
        self.conclude("the-unit-waits", subject=f, actual=v)
