"""G201: the collector runs all the time over a small heap, and that costs CPU."""

from gopherdx.rules import MATCH, ArchetypeRules, Rule, above, at_least, at_most, below, obs


class Rules(ArchetypeRules):
    """Frequency, cost, and who allocates."""

    @Rule(
        obs("gc.cycles_per_s", value=MATCH.v & at_least("cycles_sure_per_s")),
        obs("gc.live_heap_mb", value=at_most("live_heap_mb")),
        obs("gc.cost_share", value=at_least("cost_share_min")),
    )
    def many_cycles(self, v):  # type: ignore[no-untyped-def]
        """Silent where many cycles cost little, and over a large heap."""
        self.conclude("many-cycles-over-a-small-heap", subject="", actual=v)

    @Rule(
        obs("gc.cycles_per_s", value=MATCH.v & at_least("cycles_per_s")),
        obs("gc.live_heap_mb", value=at_most("live_heap_mb")),
        obs("gc.cost_share", value=at_least("cost_share_min")),
        obs("gc.cost_cores", value=at_least("cost_cores_sure")),
    )
    def dear_cycles(self, v):  # type: ignore[no-untyped-def]
        """Fewer cycles that cost much. Silent for a proxy or API with a few MB of heap and little to do."""
        self.conclude("many-cycles-over-a-small-heap", subject="", actual=v)

    @Rule(
        obs("gc.cost_share", value=MATCH.v & at_least("cost_share")),
        obs("gc.cycles_per_s", value=at_least("cycles_per_s")),
    )
    def takes_cpu(self, v):  # type: ignore[no-untyped-def]
        """Silent for a few expensive cycles: a large heap, or one burst."""
        self.conclude("collector-takes-cpu", subject="", actual=v)

    @Rule(obs("cpu.gc_share", value=MATCH.v & at_least("sampled_share")))
    def sampled(self, v):  # type: ignore[no-untyped-def]
        """A profile tells neither how often cycles come nor over what heap: never more than possible."""
        self.conclude("samples-in-the-collector", subject="", actual=v)

    @Rule(
        obs("alloc.share", subject=MATCH.f, value=MATCH.v & at_least("alloc_share")),
        obs("gc.cycles_per_s", value=at_least("cycles_per_s")),
    )
    def allocates(self, f, v):  # type: ignore[no-untyped-def]
        """Who allocates most matters only where the collector is busy."""
        self.conclude("allocates-most", subject=f, actual=v)

    @Rule(obs("gc.live_heap_mb", value=MATCH.v & above("live_heap_mb")))
    def large_heap(self, v):  # type: ignore[no-untyped-def]
        """A large live heap makes cycles long, not frequent."""
        self.conclude("large-live-heap", subject="", actual=v)

    @Rule(
        obs("gc.goal_ratio", value=MATCH.v & below("goal_ratio")),
        obs("gc.cycles_per_s", value=at_least("cycles_per_s")),
    )
    def memory_limit(self, v):  # type: ignore[no-untyped-def]
        """A goal pressed against the live heap is the work of a memory limit."""
        self.conclude("memory-limit-near", subject="", actual=v)
