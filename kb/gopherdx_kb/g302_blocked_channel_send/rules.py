"""G302: sends that never end."""

from gopherdx.rules import MATCH, ArchetypeRules, Rule, at_least, obs


class Rules(ArchetypeRules):
    """How many are stuck, how old their sends are, and whether there are ever more."""

    @Rule(
        obs("send.stuck", subject=MATCH.f, value=MATCH.v & at_least("stuck")),
        obs("send.age_ratio", subject=MATCH.f, value=at_least("age_ratio")),
        obs("send.stuck_age_s", subject=MATCH.f, value=at_least("age_s")),
    )
    def stuck(self, f, v):  # type: ignore[no-untyped-def]
        """Silent for back-pressure: there an open send is no older than those that ended."""
        self.conclude("sends-that-never-end", subject=f, actual=v)

    @Rule(
        obs("send.older_share", subject=MATCH.f, value=MATCH.v & at_least("older_share")),
        obs("send.stuck", subject=MATCH.f, value=at_least("stuck")),
        obs("send.stuck_age_s", subject=MATCH.f, value=at_least("age_s")),
    )
    def nobody_receives(self, f, v):  # type: ignore[no-untyped-def]
        """Silent for a receiver that is merely slow."""
        self.conclude("nobody-receives", subject=f, actual=v)

    @Rule(
        obs("send.growth_per_min", subject=MATCH.f, value=MATCH.v & at_least("growth_per_min")),
        obs("send.stuck", subject=MATCH.f, value=at_least("stuck")),
        obs("send.age_ratio", subject=MATCH.f, value=at_least("age_ratio")),
    )
    def ever_more(self, f, v):  # type: ignore[no-untyped-def]
        """Silent for a fixed set of senders, and for sends that just began."""
        self.conclude("ever-more", subject=f, actual=v)
