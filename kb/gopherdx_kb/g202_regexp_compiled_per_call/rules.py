"""G202: CPU and allocation under regexp.Compile, called for a piece of work."""

from gopherdx.rules import MATCH, ArchetypeRules, Rule, at_least, at_most, obs


class Rules(ArchetypeRules):
    """What compiling takes, how often it is done, and whether anything of it is kept."""

    @Rule(
        obs("regexp.compile_cpu_share", subject=MATCH.f, value=MATCH.v & at_least("cpu_share")),
        obs("regexp.cost_cores", subject=MATCH.f, value=at_least("cores_min")),
    )
    def sampled(self, f, v):  # type: ignore[no-untyped-def]
        """Silent for an idle program: its few samples may well lie anywhere.

        The collector's part counts: where CPU is scarce it may take most of what compiling costs.
        """
        self.conclude("samples-under-compile", subject=f, actual=v)

    @Rule(obs("regexp.compile_alloc_share", subject=MATCH.f, value=MATCH.v & at_least("alloc_share")))
    def allocates(self, f, v):  # type: ignore[no-untyped-def]
        """By itself no proof: an idle program may have allocated for little but the patterns of its start."""
        self.conclude("allocation-under-compile", subject=f, actual=v)

    @Rule(
        obs("regexp.kept_share", subject=MATCH.f, value=MATCH.v & at_most("kept_share")),
        obs("regexp.compile_alloc_share", subject=MATCH.f, value=at_least("alloc_share")),
        obs("regexp.compiled", subject=MATCH.f, value=at_least("compiled")),
    )
    def thrown_away(self, f, v):  # type: ignore[no-untyped-def]
        """Silent for a few patterns that a start compiled only to check them."""
        self.conclude("compiled-and-thrown-away", subject=f, actual=v)

    @Rule(
        obs("regexp.compiled", subject=MATCH.f, value=MATCH.v & at_least("compiled")),
        obs("regexp.kept_share", subject=MATCH.f, value=at_most("kept_share")),
    )
    def often(self, f, v):  # type: ignore[no-untyped-def]
        """Silent where patterns are kept: then it may be a large set of them, compiled once."""
        self.conclude("compiled-often", subject=f, actual=v)

    @Rule(
        obs("regexp.compile_alloc_mb_per_s", subject=MATCH.f, value=MATCH.v & at_least("mb_per_s")),
        obs("regexp.compile_alloc_share", subject=MATCH.f, value=at_least("alloc_share")),
    )
    def all_the_time(self, f, v):  # type: ignore[no-untyped-def]
        """For traces without CPU samples: allocation is seen in them too."""
        self.conclude("compiles-all-the-time", subject=f, actual=v)

    @Rule(obs("regexp.kept_share", subject=MATCH.f, value=MATCH.v & at_least("kept_share_many")))
    def kept(self, f, v):  # type: ignore[no-untyped-def]
        """Patterns that stay in use were compiled to be kept."""
        self.conclude("patterns-are-kept", subject=f, actual=v)

    @Rule(obs("regexp.compile_alloc_share", subject=MATCH.f, value=at_least("explains_share")))
    def explains_collector(self, f):  # type: ignore[no-untyped-def]
        """The collector is busy with what compiling leaves: one cause, one finding."""
        self.explains("G202", symptom="G201", subject=f)
