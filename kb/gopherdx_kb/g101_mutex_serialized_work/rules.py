"""G101: one function holds a lock while it works, and the others wait for it."""

from gopherdx.rules import MATCH, ArchetypeRules, Rule, at_least, at_most, below, obs


class Rules(ArchetypeRules):
    """The queue, what its holder does, and whether anything is left to run the waiters on."""

    @Rule(
        obs("lock.hold_share", subject=MATCH.f, value=MATCH.v & at_least("hold_share")),
        obs("lock.mean_waiters", subject=MATCH.f, value=at_least("mean_waiters")),
        obs("lock.hold_ms", subject=MATCH.f, value=at_least("hold_ms")),
    )
    def waiters(self, f, v):  # type: ignore[no-untyped-def]
        """Silent for a deadlock (no hand-over, so no holder) and for a short critical section (hold_ms)."""
        self.conclude("waiters-behind-one-holder", subject=f, actual=v)

    @Rule(
        obs("lock.holder_running_share", subject=MATCH.f, value=MATCH.v & at_least("holder_running")),
        obs("lock.hold_share", subject=MATCH.f, value=at_least("hold_share")),
    )
    def holder_computes(self, f, v):  # type: ignore[no-untyped-def]
        """Silent for a holder that waits: then the lock is not what costs."""
        self.conclude("holder-computes", subject=f, actual=v)

    @Rule(
        obs("lock.spare_procs", subject=MATCH.f, value=MATCH.v & at_least("spare_procs")),
        obs("lock.hold_share", subject=MATCH.f, value=at_least("hold_share")),
    )
    def processors_idle(self, f, v):  # type: ignore[no-untyped-def]
        """Silent where other work fills the Ps: waiting costs no throughput then."""
        self.conclude("processors-idle", subject=f, actual=v)

    @Rule(obs("sched.gomaxprocs", value=MATCH.v & at_most("one_processor")))
    def single_processor(self, v):  # type: ignore[no-untyped-def]
        """With one P the holder is preempted and others find it locked, at no loss."""
        self.conclude("single-processor", subject="", actual=v)

    @Rule(
        obs("lock.holder_running_share", subject=MATCH.f, value=MATCH.v & below("holder_waiting")),
        obs("lock.hold_share", subject=MATCH.f, value=at_least("hold_share")),
    )
    def holder_waits(self, f, v):  # type: ignore[no-untyped-def]
        """An fsync or a call under the lock: what it waits for is the cause, not the work."""
        self.conclude("holder-waits", subject=f, actual=v)
