"""G301: timers of time.After that nobody waits for any more."""

from gopherdx.rules import MATCH, ArchetypeRules, Rule, at_least, obs


class Rules(ArchetypeRules):
    """How many timers are in use, and whether there are goroutines to wait for them."""

    @Rule(
        obs("timer.after_in_use", subject=MATCH.f, value=MATCH.v & at_least("timers")),
        obs("timer.after_samples", subject=MATCH.f, value=at_least("samples")),
        obs("timer.after_per_goroutine", subject=MATCH.f, value=at_least("per_goroutine")),
    )
    def pile_up(self, f, v):  # type: ignore[no-untyped-def]
        """Silent for ten thousand goroutines that each wait for one, and where the collector takes them."""
        self.conclude("timers-pile-up", subject=f, actual=v)

    @Rule(
        obs("timer.after_per_goroutine", subject=MATCH.f, value=MATCH.v & at_least("per_goroutine")),
        obs("timer.after_samples", subject=MATCH.f, value=at_least("samples")),
    )
    def unattended(self, f, v):  # type: ignore[no-untyped-def]
        """The number of goroutines is the most there can have been: silent where that is not known well."""
        self.conclude("more-timers-than-goroutines", subject=f, actual=v)

    @Rule(
        obs("timer.after_heap_share", subject=MATCH.f, value=MATCH.v & at_least("heap_share")),
        obs("timer.after_samples", subject=MATCH.f, value=at_least("samples")),
    )
    def fill_heap(self, f, v):  # type: ignore[no-untyped-def]
        """A share of a few samples is chance."""
        self.conclude("timers-fill-the-heap", subject=f, actual=v)

    @Rule(
        obs("timer.after_stay_s", subject=MATCH.f, value=MATCH.v & at_least("stay_s")),
        obs("timer.after_in_use", subject=MATCH.f, value=at_least("timers")),
    )
    def stay(self, f, v):  # type: ignore[no-untyped-def]
        """Takes two profiles: one has no rate."""
        self.conclude("timers-stay", subject=f, actual=v)
