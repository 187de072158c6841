"""G101: one function holds a lock while it works, and the others wait for it."""

from gopherdx.rules import MATCH, NOT, ArchetypeRules, Rule, at_least, at_most, below, obs


class Rules(ArchetypeRules):
    """The queue, what its holder does, and whether anything is left to run the waiters on."""

    @Rule(
        obs("lock.hold_share", subject=MATCH.f, value=MATCH.v & at_least("hold_share")),
        obs("lock.mean_waiters", subject=MATCH.f, value=at_least("mean_waiters")),
        obs("lock.hold_ms", subject=MATCH.f, value=at_least("hold_ms")),
        NOT(obs("lock.untimed_calls", subject=MATCH.f)),
    )
    def waiters(self, f, v):  # type: ignore[no-untyped-def]
        """Silent for a deadlock (no hand-over, so no holder) and for a short critical section (hold_ms).

        Also where the holder makes system calls of which a trace up to Go 1.21 does not tell the length.
        """
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

    @Rule(
        obs("mutex.wait_ms", subject=MATCH.f, value=MATCH.v & at_least("wait_ms")),
        obs("mutex.waits", subject=MATCH.f, value=at_least("waits")),
        obs("mutex.mean_waiters", subject=MATCH.f, value=at_least("queue")),
    )
    def charged_between(self, f, v):  # type: ignore[no-untyped-def]
        """A mutex profile of known length. Silent for short critical sections, however many wait for them."""
        self.conclude("waits-charged-to-one-holder", subject=f, actual=v)

    @Rule(
        obs("mutex.wait_ms", subject=MATCH.f, value=MATCH.v & at_least("wait_ms")),
        obs("mutex.waits", subject=MATCH.f, value=at_least("waits")),
        obs("mutex.life_waiters", subject=MATCH.f, value=at_least("life_waiters")),
    )
    def charged_for_life(self, f, v):  # type: ignore[no-untyped-def]
        """A profile since the start of a process of known age. Silent for what adds up over days."""
        self.conclude("waits-charged-to-one-holder", subject=f, actual=v)

    @Rule(
        obs("mutex.wait_ms", subject=MATCH.f, value=MATCH.v & at_least("wait_ms")),
        obs("mutex.waits", subject=MATCH.f, value=at_least("waits")),
        obs("mutex.delay_s", subject=MATCH.f, value=at_least("delay_s")),
        NOT(obs("mutex.mean_waiters", subject=MATCH.f)),
        NOT(obs("mutex.life_waiters", subject=MATCH.f)),
    )
    def charged_in_all(self, f, v):  # type: ignore[no-untyped-def]
        """A profile of unknown length has no rate: the single wait must be long, and the sum no trifle."""
        self.conclude("waits-charged-to-one-holder", subject=f, actual=v)

    @Rule(
        obs("mutex.wait_ms", subject=MATCH.f, value=MATCH.v & at_least("long_wait_ms")),
        obs("mutex.waits", subject=MATCH.f, value=at_least("few_waits")),
        obs("mutex.mean_waiters", subject=MATCH.f, value=at_least("long_queue")),
    )
    def charged_long_between(self, f, v):  # type: ignore[no-untyped-def]
        """A lock that is held so long that few waits end. Silent for one burst in a quiet profile."""
        self.conclude("waits-charged-to-one-holder", subject=f, actual=v)

    @Rule(
        obs("mutex.wait_ms", subject=MATCH.f, value=MATCH.v & at_least("long_wait_ms")),
        obs("mutex.waits", subject=MATCH.f, value=at_least("few_waits")),
        obs("mutex.delay_s", subject=MATCH.f, value=at_least("long_delay_s")),
        NOT(obs("mutex.mean_waiters", subject=MATCH.f)),
        NOT(obs("mutex.life_waiters", subject=MATCH.f)),
    )
    def charged_long_in_all(self, f, v):  # type: ignore[no-untyped-def]
        """The same in a profile of unknown length."""
        self.conclude("waits-charged-to-one-holder", subject=f, actual=v)

    @Rule(
        obs("mutex.holder_cpu_cores", subject=MATCH.f, value=MATCH.v & at_least("holder_cores")),
        obs("mutex.wait_ms", subject=MATCH.f, value=at_least("wait_ms")),
    )
    def holder_uses_cpu(self, f, v):  # type: ignore[no-untyped-def]
        """What a mutex profile cannot tell: the holder computes."""
        self.conclude("holder-uses-cpu", subject=f, actual=v)

    @Rule(
        obs("mutex.holder_cpu_cores", subject=MATCH.f, value=MATCH.v & below("holder_cores")),
        obs("mutex.wait_ms", subject=MATCH.f, value=at_least("wait_ms")),
    )
    def holder_uses_no_cpu(self, f, v):  # type: ignore[no-untyped-def]
        """An fsync or a call under the lock uses no CPU of this process."""
        self.conclude("holder-uses-no-cpu", subject=f, actual=v)

    @Rule(
        obs("mutex.holder_blocked_ms", subject=MATCH.f, value=MATCH.v & at_least("holder_blocked_ms")),
        obs("mutex.holder_blocked_share", subject=MATCH.f, value=at_least("holder_blocked_share")),
        obs("mutex.wait_ms", subject=MATCH.f, value=at_least("wait_ms")),
    )
    def holder_blocks(self, f, v):  # type: ignore[no-untyped-def]
        """A call under the lock waits on a channel in its client; sockets and files are in no profile."""
        self.conclude("holder-blocks", subject=f, actual=v)
