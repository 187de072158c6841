"""G201: the collector runs all the time over a small heap, and that costs CPU."""

from gopherdx.rules import MATCH, NOT, ArchetypeRules, Rule, above, at_least, at_most, below, obs

# A memory limit presses the goal against the live heap, however small that is: another bug.
SMALL_HEAP = (
    obs("gc.live_heap_mb", value=at_most("live_heap_mb")),
    NOT(obs("gc.goal_ratio", value=below("goal_ratio"))),
)
# Of a crowded machine: the world waits for threads that have no CPU, and so do mark workers, which count as
# running meanwhile. What a trace without CPU samples says of their cost is too much then.
SLOW_STOPS = obs("gc.stop_ms", value=above("slow_stop_ms"))


class Rules(ArchetypeRules):
    """Frequency, cost, and who allocates."""

    @Rule(
        obs("gc.cycles_per_s", value=MATCH.v & at_least("cycles_sure_per_s")),
        *SMALL_HEAP,
        obs("gc.cost_share", value=at_least("cost_share_min")),
        NOT(SLOW_STOPS),
    )
    def many_cycles(self, v):  # type: ignore[no-untyped-def]
        """Silent where many cycles cost little, and over a large heap."""
        self.conclude("many-cycles-over-a-small-heap", subject="", actual=v)

    @Rule(
        obs("gc.cycles_per_s", value=MATCH.v & at_least("cycles_per_s")),
        *SMALL_HEAP,
        obs("gc.cost_share", value=at_least("cost_share_min")),
        obs("gc.cost_cores", value=at_least("cost_cores_sure")),
        NOT(SLOW_STOPS),
    )
    def dear_cycles(self, v):  # type: ignore[no-untyped-def]
        """Fewer cycles that cost much. Silent for a proxy or API with a few MB of heap and little to do."""
        self.conclude("many-cycles-over-a-small-heap", subject="", actual=v)

    @Rule(
        obs("gc.cycles_per_s", value=MATCH.v & at_least("cycles_sure_per_s")),
        *SMALL_HEAP,
        SLOW_STOPS,
        obs("gc.cost_share", value=at_least("crowded_cost_share")),
    )
    def many_cycles_in_a_crowd(self, v):  # type: ignore[no-untyped-def]
        """Dear even if mark workers had a CPU for half of the time that they seem to run."""
        self.conclude("many-cycles-over-a-small-heap", subject="", actual=v)

    @Rule(
        obs("gc.cycles_per_s", value=MATCH.v & at_least("cycles_per_s")),
        *SMALL_HEAP,
        SLOW_STOPS,
        obs("gc.cost_share", value=at_least("crowded_cost_share")),
        obs("gc.cost_cores", value=at_least("cost_cores_sure")),
    )
    def dear_cycles_in_a_crowd(self, v):  # type: ignore[no-untyped-def]
        """As dear_cycles, on such a machine."""
        self.conclude("many-cycles-over-a-small-heap", subject="", actual=v)

    @Rule(
        obs("gc.cycles_per_s", value=MATCH.v & at_least("cycles_sure_per_s")),
        *SMALL_HEAP,
        obs("gc.cost_cores", value=at_least("log_cost_cores")),
        NOT(obs("gc.cost_share")),
    )
    def many_cycles_in_a_log(self, v):  # type: ignore[no-untyped-def]
        """gctrace lines tell the cost in cores only. Silent where a share is known: that one judges."""
        self.conclude("many-cycles-over-a-small-heap", subject="", actual=v)

    @Rule(
        obs("gc.cycles_per_s", value=MATCH.v & at_least("cycles_per_s")),
        *SMALL_HEAP,
        obs("gc.cost_cores", value=at_least("cost_cores_sure")),
        obs("gc.cost_of_procs", value=at_least("cost_share_min")),
        NOT(obs("gc.cost_share")),
    )
    def dear_cycles_in_a_log(self, v):  # type: ignore[no-untyped-def]
        """As dear_cycles: a share of all Ps is never more than the share of the CPU time used."""
        self.conclude("many-cycles-over-a-small-heap", subject="", actual=v)

    @Rule(
        obs("gc.cycles_per_s", value=MATCH.v & at_least("cycles_sure_per_s")),
        *SMALL_HEAP,
        obs("gc.life_cost_of_procs", value=at_least("procs_share")),
        NOT(obs("gc.cost_cores")),
    )
    def many_cycles_of_late(self, v):  # type: ignore[no-untyped-def]
        """/debug/vars has the last collections and the cost since start. Silent where either is small."""
        self.conclude("many-cycles-over-a-small-heap", subject="", actual=v)

    @Rule(
        obs("gc.uncosted_cycles_per_s", value=MATCH.v & at_least("cycles_sure_per_s")),
        *SMALL_HEAP,
    )
    def unknown_cost(self, v):  # type: ignore[no-untyped-def]
        """The metrics that most programs export count collections and not their cost: possible, no more."""
        self.conclude("many-cycles-of-unknown-cost", subject="", actual=v)

    @Rule(
        obs("gc.life_cycles_per_s", value=MATCH.v & at_least("cycles_sure_per_s")),
        *SMALL_HEAP,
        obs("gc.life_cost_share", value=at_least("cost_share_min")),
    )
    def many_cycles_since_start(self, v):  # type: ignore[no-untyped-def]
        """A mean over the program's life. Silent for a program that was calm for long."""
        self.conclude("many-cycles-since-start", subject="", actual=v)

    @Rule(
        obs("gc.life_cost_share", value=MATCH.v & at_least("cost_share")),
        obs("gc.life_cycles_per_s", value=at_least("cycles_per_s")),
    )
    def took_cpu_since_start(self, v):  # type: ignore[no-untyped-def]
        """As takes_cpu, over the program's life."""
        self.conclude("collector-took-cpu-since-start", subject="", actual=v)

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

    @Rule(obs("gc.sampled_share", value=MATCH.v & below("few_samples")))
    def samples_elsewhere(self, v):  # type: ignore[no-untyped-def]
        """Of a crowded machine, where mark workers wait. Silent where the threads had the CPU they wanted."""
        self.conclude("samples-elsewhere", subject="", actual=v)

    @Rule(
        obs("gc.goal_ratio", value=MATCH.v & below("goal_ratio")),
        obs("gc.cycles_per_s", value=at_least("cycles_per_s")),
    )
    def memory_limit(self, v):  # type: ignore[no-untyped-def]
        """A goal pressed against the live heap is the work of a memory limit."""
        self.conclude("memory-limit-near", subject="", actual=v)
