"""G203: one long decode without types."""

from gopherdx.rules import MATCH, ArchetypeRules, Rule, at_least, below, obs


class Rules(ArchetypeRules):
    """How long one decode takes, and what it allocates."""

    @Rule(
        obs("decode.untyped_longest_ms", subject=MATCH.f, value=MATCH.v & at_least("longest_ms")),
        obs("decode.restarts_each", subject=MATCH.f, value=below("restarts")),
    )
    def long_decode(self, f, v):  # type: ignore[no-untyped-def]
        """Silent for many small documents: each is a stretch of its own, and short."""
        self.conclude("one-long-untyped-decode", subject=f, actual=v)

    @Rule(obs("decode.untyped_alloc_share", subject=MATCH.f, value=MATCH.v & at_least("alloc_share")))
    def allocates(self, f, v):  # type: ignore[no-untyped-def]
        """By itself no proof: small documents may well allocate most of what a service allocates."""
        self.conclude("decode-allocates", subject=f, actual=v)

    @Rule(
        obs("decode.untyped_largest_block_kb", subject=MATCH.f, value=MATCH.v & at_least("block_kb")),
        obs("decode.untyped_alloc_share", subject=MATCH.f, value=at_least("alloc_share")),
    )
    def megabytes(self, f, v):  # type: ignore[no-untyped-def]
        """Silent for many small documents, and for one large file that a busy program read once."""
        self.conclude("documents-of-megabytes", subject=f, actual=v)

    @Rule(
        obs("decode.untyped_running_share", subject=MATCH.f, value=MATCH.v & at_least("running_share")),
        obs("decode.untyped_longest_ms", subject=MATCH.f, value=at_least("longest_ms")),
    )
    def holds_processor(self, f, v):  # type: ignore[no-untyped-def]
        """A decode that waits for its reader is bound by the network."""
        self.conclude("decode-holds-a-processor", subject=f, actual=v)

    @Rule(obs("decode.restarts_each", subject=MATCH.f, value=MATCH.v & at_least("restarts")))
    def small_documents(self, f, v):  # type: ignore[no-untyped-def]
        """A loop over small documents never shows any other work: it only looks like one long decode."""
        self.conclude("many-small-documents", subject=f, actual=v)

    @Rule(obs("cpu.untyped_decode_share", subject=MATCH.f, value=MATCH.v & at_least("sampled_share")))
    def sampled(self, f, v):  # type: ignore[no-untyped-def]
        """A profile cannot tell one huge body from many small ones: never more than possible."""
        self.conclude("samples-in-untyped-decode", subject=f, actual=v)

    @Rule(
        obs("decode.untyped_alloc_share", subject=MATCH.f, value=at_least("alloc_share")),
        obs("decode.untyped_longest_ms", subject=MATCH.f, value=at_least("longest_ms")),
        obs("decode.restarts_each", subject=MATCH.f, value=below("restarts")),
    )
    def explains_collector(self, f):  # type: ignore[no-untyped-def]
        """The collector is busy because of this decode: one cause, one finding.

        What one document leaves stays with the process until the next, or for some seconds.
        """
        self.explains("G203", symptom="G201", subject=f)
        self.explains("G203", symptom="G206", subject=f)

    @Rule(
        obs("decode.untyped_alloc_share", subject=MATCH.f, value=at_least("alloc_share")),
        obs("decode.untyped_largest_block_kb", subject=MATCH.f, value=at_least("block_kb")),
    )
    def explains_collections(self, f):  # type: ignore[no-untyped-def]
        """As above, from an allocs profile beside a gctrace log or metrics."""
        self.explains("G203", symptom="G201", subject=f)
        self.explains("G203", symptom="G206", subject=f)
