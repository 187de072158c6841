"""G402: connections that each wait for a slow name look-up."""

from gopherdx.rules import MATCH, ArchetypeRules, Rule, at_least, obs


class Rules(ArchetypeRules):
    """How long look-ups take, how many there are, and what they are of the caller's waiting."""

    @Rule(
        obs("dns.lookup_ms", subject=MATCH.f, value=MATCH.v & at_least("lookup_ms")),
        obs("dns.asked", subject=MATCH.f, value=at_least("asked")),
        obs("dns.asked_per_s", subject=MATCH.f, value=at_least("asked_per_s")),
    )
    def slow(self, f, v):  # type: ignore[no-untyped-def]
        """Silent for a cold start: there many wait, but for one look-up."""
        self.conclude("slow-look-ups", subject=f, actual=v)

    @Rule(
        obs("dns.lookup_ms", subject=MATCH.f, value=MATCH.v & at_least("very_slow_ms")),
        obs("dns.asked", subject=MATCH.f, value=at_least("asked")),
        obs("dns.waits_per_s", subject=MATCH.f, value=at_least("waits_per_s")),
    )
    def runs_into_time_limits(self, f, v):  # type: ignore[no-untyped-def]
        """A name server that does not answer: few look-ups fit into a recording, each takes seconds."""
        self.conclude("slow-look-ups", subject=f, actual=v)

    @Rule(
        obs("dns.wait_share", subject=MATCH.f, value=MATCH.v & at_least("wait_share")),
        obs("dns.lookup_ms", subject=MATCH.f, value=at_least("lookup_ms")),
        obs("dns.asked", subject=MATCH.f, value=at_least("asked")),
    )
    def mostly(self, f, v):  # type: ignore[no-untyped-def]
        """Silent where calls are slow for another reason as well: connecting, TLS, the other side."""
        self.conclude("waits-mostly-for-addresses", subject=f, actual=v)

    @Rule(
        obs("dns.waiting_mean", subject=MATCH.f, value=MATCH.v & at_least("waiting_mean")),
        obs("dns.lookup_ms", subject=MATCH.f, value=at_least("lookup_ms")),
        obs("dns.asked", subject=MATCH.f, value=at_least("asked")),
    )
    def always(self, f, v):  # type: ignore[no-untyped-def]
        """Silent for a look-up now and then."""
        self.conclude("somebody-always-waits", subject=f, actual=v)

    @Rule(
        obs("block.dns_wait_ms", subject=MATCH.f, value=MATCH.v & at_least("lookup_ms")),
        obs("block.dns_waits", subject=MATCH.f, value=at_least("block_waits")),
        obs("block.dns_asked", subject=MATCH.f, value=at_least("block_asked")),
    )
    def ended(self, f, v):  # type: ignore[no-untyped-def]
        """Silent for the one look-up of a cold start, however many waited for it."""
        self.conclude("slow-look-ups-ended", subject=f, actual=v)

    @Rule(obs("dump.dns_waiters", subject=MATCH.f, value=MATCH.v & at_least("dump_waiters")))
    def in_a_dump(self, f, v):  # type: ignore[no-untyped-def]
        """One moment tells no length: a dump alone says little."""
        self.conclude("look-ups-in-a-dump", subject=f, actual=v)
