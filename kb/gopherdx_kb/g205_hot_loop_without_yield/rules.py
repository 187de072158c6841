"""G205: one goroutine runs for seconds without a natural pause, and others wait behind it."""

from gopherdx.rules import MATCH, ArchetypeRules, Rule, at_least, at_most, obs


class Rules(ArchetypeRules):
    """The run, and its victims. The subject is empty where the trace cannot tell the place."""

    @Rule(
        obs("run.longest_s", subject=MATCH.f, value=MATCH.v & at_least("longest_s")),
        obs("run.running_s", subject=MATCH.f, value=at_least("running_s")),
        obs("run.victims_mean", subject=MATCH.f, value=at_most("crowd")),
    )
    def long_run(self, f, v):  # type: ignore[no-untyped-def]
        """Silent for many computing goroutines that share the Ps: each runs little, or waits in a crowd."""
        self.conclude("runs-without-pause", subject=f, actual=v)

    @Rule(
        obs("run.longest_s", subject=MATCH.f, value=MATCH.v & at_least("short_longest_s")),
        obs("run.recording_share", subject=MATCH.f, value=at_least("short_recording")),
        obs("run.running_s", subject=MATCH.f, value=at_least("running_s")),
        obs("run.victims_mean", subject=MATCH.f, value=at_most("crowd")),
    )
    def fills_recording(self, f, v):  # type: ignore[no-untyped-def]
        """A short recording shows a run that was there before it and goes on after it."""
        self.conclude("runs-without-pause", subject=f, actual=v)

    @Rule(
        obs("run.victim_waits_per_s", subject=MATCH.f, value=MATCH.v & at_least("victim_waits_per_s")),
        obs("run.longest_s", subject=MATCH.f, value=at_least("short_longest_s")),
    )
    def victims(self, f, v):  # type: ignore[no-untyped-def]
        """Silent where other Ps are free (whoever wakes up runs there), and for waits beside shorter runs."""
        self.conclude("others-wait-behind", subject=f, actual=v)

    @Rule(
        obs("run.running_s", subject=MATCH.f, value=MATCH.v & at_least("running_s")),
        obs("run.longest_s", subject=MATCH.f, value=at_least("short_longest_s")),
    )
    def keeps_processor(self, f, v):  # type: ignore[no-untyped-def]
        """A goroutine that is mostly runnable is one of many that compute: batch work in small pieces."""
        self.conclude("keeps-its-processor", subject=f, actual=v)
