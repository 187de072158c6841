"""G102: goroutines wait for a connection while all that the pool has are busy."""

from gopherdx.rules import MATCH, ArchetypeRules, Rule, at_least, at_most, below, obs


class Rules(ArchetypeRules):
    """The queue, who is inside the driver meanwhile, and how the waits end."""

    @Rule(
        obs("pool.waiters", subject=MATCH.f, value=MATCH.v & at_least("waiters")),
        obs("pool.wait_ms", subject=MATCH.f, value=at_least("wait_ms")),
        obs("pool.handed_share", subject=MATCH.f, value=at_least("handed")),
        obs("pool.in_driver", subject=MATCH.f, value=at_least("in_driver_none")),
        obs("pool.used_share", subject=MATCH.f, value=at_least("used")),
    )
    def waiters(self, f, v):  # type: ignore[no-untyped-def]
        """Silent for connections that never come back, and for those that are out and not used."""
        self.conclude("waiters-for-a-connection", subject=f, actual=v)

    @Rule(
        obs("pool.in_driver", subject=MATCH.f, value=MATCH.v & at_least("in_driver")),
        obs("pool.waiters", subject=MATCH.f, value=at_least("waiters")),
    )
    def all_busy(self, f, v):  # type: ignore[no-untyped-def]
        """Silent where connections are held by goroutines that do something else meanwhile."""
        self.conclude("connections-all-busy", subject=f, actual=v)

    @Rule(
        obs("pool.wait_share", subject=MATCH.f, value=MATCH.v & at_least("wait_share")),
        obs("pool.in_driver", subject=MATCH.f, value=at_least("in_driver")),
    )
    def waits_longer(self, f, v):  # type: ignore[no-untyped-def]
        """Silent for a pool that is nearly large enough."""
        self.conclude("waits-longer-than-it-works", subject=f, actual=v)

    @Rule(
        obs("block.pool_waits", subject=MATCH.f, value=MATCH.v & at_least("waits")),
        obs(
            "block.pool_wait_ms",
            subject=MATCH.f,
            value=at_least("block_wait_ms") & at_most("block_wait_most_ms"),
        ),
        obs("block.pool_delay_s", subject=MATCH.f, value=at_least("block_delay_s")),
    )
    def waits_ended(self, f, v):  # type: ignore[no-untyped-def]
        """Silent for waits as long as a time limit, and for the few of a burst."""
        self.conclude("waits-for-a-connection-ended", subject=f, actual=v)

    @Rule(
        obs("dump.pool_waiters", subject=MATCH.f, value=MATCH.v & at_least("dump_waiters")),
        obs("dump.pool_in_driver", subject=MATCH.f, value=at_least("dump_in_driver")),
        obs("dump.pool_used_share", subject=MATCH.f, value=at_least("used")),
    )
    def waiters_now(self, f, v):  # type: ignore[no-untyped-def]
        """Silent for lost connections, when nobody is inside the driver, and for those that are not used."""
        self.conclude("waiters-in-a-dump", subject=f, actual=v)

    @Rule(
        obs("dump.pool_in_driver", subject=MATCH.f, value=MATCH.v & at_least("dump_in_driver")),
        obs("dump.pool_waiters", subject=MATCH.f, value=at_least("dump_waiters")),
    )
    def busy_now(self, f, v):  # type: ignore[no-untyped-def]
        """One moment only: a burst looks the same."""
        self.conclude("busy-connections-in-a-dump", subject=f, actual=v)

    @Rule(
        obs("pool.in_driver", subject=MATCH.f, value=MATCH.v & below("in_driver_none")),
        obs("pool.waiters", subject=MATCH.f, value=at_least("waiters")),
    )
    def lost(self, f, v):  # type: ignore[no-untyped-def]
        """Rows or transactions that nobody closes: a larger pool only takes longer to run dry."""
        self.conclude("nobody-in-the-driver", subject=f, actual=v)

    @Rule(
        obs("dump.pool_in_driver", subject=MATCH.f, value=MATCH.v & below("dump_in_driver")),
        obs("dump.pool_waiters", subject=MATCH.f, value=at_least("dump_waiters")),
    )
    def lost_now(self, f, v):  # type: ignore[no-untyped-def]
        """The same at one moment; the block profile counts the waits all the same."""
        self.conclude("nobody-in-the-driver-in-a-dump", subject=f, actual=v)

    @Rule(
        obs("pool.handed_share", subject=MATCH.f, value=MATCH.v & below("handed")),
        obs("pool.waiters", subject=MATCH.f, value=at_least("waiters")),
    )
    def run_out(self, f, v):  # type: ignore[no-untyped-def]
        """Waits that a time limit ends: nobody gave a connection back meanwhile."""
        self.conclude("waits-run-out", subject=f, actual=v)

    @Rule(
        obs("pool.used_share", subject=MATCH.f, value=MATCH.v & below("used")),
        obs("pool.waiters", subject=MATCH.f, value=at_least("waiters")),
    )
    def held_outside(self, f, v):  # type: ignore[no-untyped-def]
        """A transaction that is open during a call to another service: the call is what takes the time."""
        self.conclude("held-outside-the-driver", subject=f, actual=v)

    @Rule(
        obs("dump.pool_used_share", subject=MATCH.f, value=MATCH.v & below("used")),
        obs("dump.pool_waiters", subject=MATCH.f, value=at_least("dump_waiters")),
    )
    def held_outside_now(self, f, v):  # type: ignore[no-untyped-def]
        """The same at one moment."""
        self.conclude("held-outside-the-driver-in-a-dump", subject=f, actual=v)

    @Rule(
        obs(
            "block.pool_elsewhere_share",
            subject=MATCH.f,
            value=MATCH.v & at_least("elsewhere") & at_most("elsewhere_most"),
        ),
        obs("block.pool_waits", subject=MATCH.f, value=at_least("waits")),
    )
    def blocks_elsewhere(self, f, v):  # type: ignore[no-untyped-def]
        """A call inside a transaction, where its client waits on a channel."""
        self.conclude("blocks-elsewhere-in-transactions", subject=f, actual=v)
