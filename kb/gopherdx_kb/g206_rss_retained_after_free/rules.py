"""G206: resident memory that was freed, over a small live heap."""

from gopherdx.rules import MATCH, ArchetypeRules, Rule, above, at_least, obs


class Rules(ArchetypeRules):
    """How much is kept, whether it explains the resident memory, and what else could."""

    @Rule(
        obs("memory.kept_mb", value=MATCH.v & at_least("kept_mb")),
        obs("memory.kept_ratio", value=at_least("kept_ratio")),
    )
    def kept(self, v):  # type: ignore[no-untyped-def]
        """Silent below the heap goal: up to there the runtime keeps what GOGC tells it to."""
        self.conclude("freed-memory-is-kept", subject="", actual=v)

    @Rule(
        obs("memory.kept_share", value=MATCH.v & at_least("kept_share")),
        obs("memory.kept_mb", value=at_least("kept_mb")),
    )
    def explains_rss(self, v):  # type: ignore[no-untyped-def]
        """Silent for a small process: every program keeps some MB."""
        self.conclude("most-of-rss-is-kept", subject="", actual=v)

    @Rule(obs("memory.live_share", value=MATCH.v & above("live_share")))
    def large_heap(self, v):  # type: ignore[no-untyped-def]
        """A large live heap, growing or not, is no memory that was freed."""
        self.conclude("large-live-heap", subject="", actual=v)

    @Rule(obs("memory.outside_share", value=MATCH.v & above("outside_share")))
    def not_of_go(self, v):  # type: ignore[no-untyped-def]
        """What C allocated, or a mapped file, is beyond the runtime's account."""
        self.conclude("memory-of-others", subject="", actual=v)
