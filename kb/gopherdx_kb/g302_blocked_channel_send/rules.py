"""G302: sends that never end."""

from gopherdx.rules import MATCH, NOT, ArchetypeRules, Rule, at_least, obs


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
        obs("send.stuck", subject=MATCH.f, value=MATCH.v & at_least("many")),
        obs("send.older", subject=MATCH.f, value=at_least("many")),
        obs("send.older_share", subject=MATCH.f, value=at_least("left_behind")),
        obs("send.ended", subject=MATCH.f, value=at_least("ended")),
        obs("send.stuck_age_s", subject=MATCH.f, value=at_least("age_s")),
    )
    def left_behind(self, f, v):  # type: ignore[no-untyped-def]
        """Receivers take the longest waiting first: silent for queues, whose oldest are the next to go."""
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

    @Rule(
        obs("send.growth_per_min", subject=MATCH.f, value=MATCH.v & at_least("growth_per_min")),
        obs("send.older", subject=MATCH.f, value=at_least("many")),
        obs("send.ended", subject=MATCH.f, value=at_least("ended")),
    )
    def ever_more_left_behind(self, f, v):  # type: ignore[no-untyped-def]
        """As ever_more, where so many sends end that the age of the longest means something."""
        self.conclude("ever-more", subject=f, actual=v)

    @Rule(obs("leak.sends", subject=MATCH.f, value=MATCH.v & at_least("proven")))
    def proven(self, f, v):  # type: ignore[no-untyped-def]
        """Silent where the runtime's leak profile lists no sender, which proves nothing."""
        self.conclude("proven-leak", subject=f, actual=v)

    @Rule(obs("leak.sends", subject=MATCH.f, value=MATCH.v & at_least("stuck")))
    def proven_many(self, f, v):  # type: ignore[no-untyped-def]
        """Silent for one or two that the end of some other work left behind."""
        self.conclude("proven-many", subject=f, actual=v)

    @Rule(
        obs("dump.send_aged", subject=MATCH.f, value=MATCH.v & at_least("many")),
        obs("dump.send_aged_share", subject=MATCH.f, value=at_least("aged_share")),
    )
    def many_for_a_minute(self, f, v):  # type: ignore[no-untyped-def]
        """Silent for few: a batch may keep the stages before it waiting for a minute or two."""
        self.conclude("senders-for-minutes", subject=f, actual=v)

    @Rule(
        obs("dump.send_long", subject=MATCH.f, value=MATCH.v & at_least("stuck")),
        obs("dump.send_aged_share", subject=MATCH.f, value=at_least("aged_share")),
    )
    def some_for_long(self, f, v):  # type: ignore[no-untyped-def]
        """Silent for a generator or two that wait for a caller by design."""
        self.conclude("senders-for-minutes", subject=f, actual=v)

    @Rule(
        obs("dump.send_growth", subject=MATCH.f, value=MATCH.v & at_least("growth")),
        obs("dump.send_growth_factor", subject=MATCH.f, value=at_least("growth_factor")),
        obs("dump.send_stayed_share", subject=MATCH.f, value=at_least("stayed_share")),
    )
    def the_same_and_more(self, f, v):  # type: ignore[no-untyped-def]
        """Silent for a queue that moves, however long: in the later dump other goroutines stand in it."""
        self.conclude("more-senders-later", subject=f, actual=v)

    @Rule(
        obs("dump.send_growth", subject=MATCH.f, value=MATCH.v & at_least("growth")),
        obs("dump.send_growth_factor", subject=MATCH.f, value=at_least("growth_factor")),
        NOT(obs("dump.send_stayed_share", subject=MATCH.f)),
    )
    def more(self, f, v):  # type: ignore[no-untyped-def]
        """For profiles, which do not tell one goroutine from another: a moving queue may look the same."""
        self.conclude("more-senders-later", subject=f, actual=v)

    @Rule(obs("dump.send_stuck", subject=MATCH.f, value=MATCH.v & at_least("many")))
    def many(self, f, v):  # type: ignore[no-untyped-def]
        """Says little by itself: one moment does not show whether a send ends."""
        self.conclude("many-senders", subject=f, actual=v)

    @Rule(
        obs("dump.send_share", subject=MATCH.f, value=MATCH.v & at_least("most")),
        obs("dump.send_stuck", subject=MATCH.f, value=at_least("many")),
    )
    def most(self, f, v):  # type: ignore[no-untyped-def]
        """Silent for a small program whose few goroutines are a pipeline."""
        self.conclude("most-goroutines-send", subject=f, actual=v)

    @Rule(
        obs("dump.send_past", subject=MATCH.f, value=MATCH.v & at_least("past")),
        obs("dump.send_stuck", subject=MATCH.f, value=at_least("stuck")),
    )
    def permits(self, f, v):  # type: ignore[no-untyped-def]
        """Silent where all that ever sent are still sending."""
        self.conclude("others-get-past", subject=f, actual=v)

    @Rule(
        obs("circle.turn_waiting", subject=MATCH.f, value=MATCH.v & at_least("past")),
        obs("send.stuck", subject=MATCH.f, value=at_least("stuck")),
    )
    def turns(self, f, v):  # type: ignore[no-untyped-def]
        """A semaphore before calls: whom those with a permit wait for decides, and is another bug."""
        self.conclude("waits-its-turn", subject=f, actual=v)
