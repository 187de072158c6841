"""G204: more goroutines in long C calls than there are Ps, or Ps kept by C, while work waits for them."""

from gopherdx.rules import MATCH, ArchetypeRules, Rule, at_least, obs


class Rules(ArchetypeRules):
    """Who is in C and how many at a time, for whom, and who waits meanwhile."""

    @Rule(
        obs("cgo.crowd", subject=MATCH.f, value=MATCH.v & at_least("crowd")),
        obs("cgo.call_ms", subject=MATCH.f, value=at_least("call_ms")),
    )
    def crowd(self, f, v):  # type: ignore[no-untyped-def]
        """Silent for calls of microseconds, and for a pool that is as large as the processors are many."""
        self.conclude("long-calls-crowd", subject=f, actual=v)

    @Rule(
        obs("cgo.served_share", subject=MATCH.f, value=MATCH.v & at_least("served_share")),
        obs("cgo.crowd", subject=MATCH.f, value=at_least("crowd")),
    )
    def served(self, f, v):  # type: ignore[no-untyped-def]
        """Silent for a poll: a loop that calls C again and again, for nobody."""
        self.conclude("work-waits-for-c", subject=f, actual=v)

    @Rule(
        obs("cgo.behind_ms", subject=MATCH.f, value=MATCH.v & at_least("behind_ms")),
        obs("cgo.crowd", subject=MATCH.f, value=at_least("crowd")),
        obs("cgo.served_share", subject=MATCH.f, value=at_least("served_share")),
    )
    def behind(self, f, v):  # type: ignore[no-untyped-def]
        """Silent where a P is free for whoever comes back from C, and for polls: they are late for nobody."""
        self.conclude("waits-for-a-processor", subject=f, actual=v)

    @Rule(obs("cgo.cpu_share", subject=MATCH.f, value=MATCH.v & at_least("cpu_share")))
    def computes(self, f, v):  # type: ignore[no-untyped-def]
        """Silent for C that sleeps."""
        self.conclude("computes-in-c", subject=f, actual=v)

    @Rule(obs("dump.in_c", subject=MATCH.f, value=MATCH.v & at_least("dump_in_c")))
    def in_a_dump(self, f, v):  # type: ignore[no-untyped-def]
        """One moment tells no length: a dump alone says little."""
        self.conclude("goroutines-in-c", subject=f, actual=v)
