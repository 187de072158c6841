"""What a frame of a Go stack is: whose code, and which mechanism of the runtime or a library.

The one table of frame patterns, with the Go versions that each was seen in. Readers use it to mark stacks,
observations to name places. Functions are Go symbol names as traces and profiles print them
(``example.com/shop.(*Cart).Total.func1``), files the paths beside them.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple


class Frame(NamedTuple):
    """One frame; stacks are sequences of them, the innermost first."""

    function: str
    file: str
    line: int


Stack = Sequence[Frame]

# `go list std` of Go 1.22, 1.24, 1.26 and 1.27 without internal and vendored packages. A user's module may be
# called "image/worker": a package is the library's only where its whole path is.
_STD = frozenset(
    """
archive/tar archive/zip bufio bytes cmp compress/bzip2 compress/flate compress/gzip compress/lzw
compress/zlib container/heap container/list container/ring context crypto crypto/aes crypto/cipher
crypto/des crypto/dsa crypto/ecdh crypto/ecdsa crypto/ed25519 crypto/elliptic crypto/fips140
crypto/hkdf crypto/hmac crypto/hpke crypto/md5 crypto/mldsa crypto/mlkem crypto/mlkem/mlkemtest
crypto/pbkdf2 crypto/rand crypto/rc4 crypto/rsa crypto/sha1 crypto/sha256 crypto/sha3 crypto/sha512
crypto/subtle crypto/tls crypto/x509 crypto/x509/pkix database/sql database/sql/driver
debug/buildinfo debug/dwarf debug/elf debug/gosym debug/macho debug/pe debug/plan9obj embed encoding
encoding/ascii85 encoding/asn1 encoding/base32 encoding/base64 encoding/binary encoding/csv
encoding/gob encoding/hex encoding/json encoding/json/jsontext encoding/json/v2 encoding/pem
encoding/xml errors expvar flag fmt go/ast go/build go/build/constraint go/constant go/doc
go/doc/comment go/format go/importer go/parser go/printer go/scanner go/token go/types go/version
hash hash/adler32 hash/crc32 hash/crc64 hash/fnv hash/maphash html html/template image image/color
image/color/palette image/draw image/gif image/jpeg image/png index/suffixarray io io/fs io/ioutil
iter log log/slog log/syslog maps math math/big math/bits math/cmplx math/rand math/rand/v2 mime
mime/multipart mime/quotedprintable net net/http net/http/cgi net/http/cookiejar net/http/fcgi
net/http/httptest net/http/httptrace net/http/httputil net/http/pprof net/mail net/netip net/rpc
net/rpc/jsonrpc net/smtp net/textproto net/url os os/exec os/signal os/user path path/filepath
plugin reflect regexp regexp/syntax runtime runtime/cgo runtime/coverage runtime/debug
runtime/metrics runtime/pprof runtime/race runtime/trace slices sort strconv strings structs sync
sync/atomic syscall testing testing/cryptotest testing/fstest testing/iotest testing/quick
testing/slogtest testing/synctest text/scanner text/tabwriter text/template text/template/parse time
time/tzdata unicode unicode/utf16 unicode/utf8 unique unsafe uuid weak
""".split()
)
_STD_ROOTS = frozenset(p.split("/")[0] for p in _STD)
_LIBRARY_PATH = re.compile(r"/pkg/mod/|@v\d|/vendor/|^vendor/|/gocode/|/\.gopath/")
# What cgo writes: the Go side of a C function (`_C2func_` where errno is asked for), and of a callback.
_MADE_BY_CGO = re.compile(r"(?:^|[./])_(?:C2?func|cgoexp|cgo)_")
# Compiler-made wrappers are named after the function that they stand in.
_WRAPPER = re.compile(r"(?:[.\-](?:deferwrap|gowrap|dwrap)[.·\-]?\d+|·dwrap·\d+|-fm|-range\d+)+$")

# Profiles name the types of an instance, traces and dumps write "[...]" for them.
_TYPES = re.compile(r"\[.+\](?=$|\.|\))")


@lru_cache(maxsize=65536)
def package_of(function: str) -> str:
    """Import path of the package that a symbol belongs to (``net/http`` of ``net/http.(*conn).serve``)."""
    generic = function.find("[")
    head = function if generic < 0 else function[:generic]
    slash = head.rfind("/")
    dot = head.find(".", slash + 1)
    return head if dot < 0 else head[:dot]


@lru_cache(maxsize=65536)
def is_standard(function: str) -> bool:
    """Whether a symbol is the toolchain's own: standard library, runtime, or made by the compiler."""
    package = package_of(function)
    if package in _STD:
        return True
    root = package.split("/", 1)[0]
    if root in ("internal", "vendor", "runtime"):
        return True
    if root in _STD_ROOTS and "/internal" in package:
        return True
    return package.startswith(("type:", "go:", "_cgo", "_rt0", "x_cgo", "crosscall")) or "." not in function


@lru_cache(maxsize=65536)
def is_user(function: str, file: str) -> bool:
    """Whether a frame is the user's own code: not the toolchain's, and not a dependency's."""
    if not function or is_standard(function) or _MADE_BY_CGO.search(function):
        return False
    package = package_of(function)
    if package.startswith(("golang.org/x/", "google.golang.org/")):
        return False
    return not _LIBRARY_PATH.search(file)


@lru_cache(maxsize=65536)
def plain(function: str) -> str:
    """A symbol without the compiler's wrappers, and of all instances of a generic function the same.

    ``main.f.deferwrap1`` is ``main.f``; ``main.g[go.shape.int]`` of profiles is ``main.g[...]`` as in traces.
    """
    return _TYPES.sub("[...]", _WRAPPER.sub("", function))


_PATH_BEFORE = re.compile(r"(?<![\w.~/-])[\w.~@%+-]+/(?:[\w.~@%+-]+/)*")


def short(function: str) -> str:
    """A symbol without its package's path: ``example.com/shop.(*Cart).Total`` is ``shop.(*Cart).Total``."""
    return _PATH_BEFORE.sub("", _TYPES.sub("[...]", function))


@lru_cache(maxsize=65536)
def is_closure_of(function: str, maker: str) -> bool:
    """Whether a symbol is a closure that ``maker`` makes: ``main.f.func1``.

    Where ``main.f`` was inlined into ``main.g``, the compiler calls it ``main.g.f.1`` or ``main.g.f.func1``.
    """
    name = plain(maker)
    short = name[len(package_of(name)) + 1 :]
    return re.search(rf"\.{re.escape(short)}\.(?:func)?\d+(?:\.\d+)*$", plain(function)) is not None


def user_frame(stack: Stack) -> Frame | None:
    """The innermost frame of the user's own code, None where there is none."""
    for frame in stack:
        if is_user(frame.function, frame.file):
            return frame
    return None


def user_frames(stack: Stack) -> list[Frame]:
    """All frames of the user's own code, the innermost first."""
    return [frame for frame in stack if is_user(frame.function, frame.file)]


def outermost(stack: Stack) -> str:
    """The function that the goroutine was started with, as far as the stack tells (traces cut at 128)."""
    for frame in reversed(stack):
        if frame.function and not frame.function.startswith("runtime.goexit"):
            return frame.function
    return ""


def has(stack: Stack, pattern: re.Pattern[str]) -> bool:
    """Whether any frame's symbol matches from its start."""
    return any(pattern.match(frame.function) for frame in stack)


# --- mechanisms ---

# Waiting for a mutex: the frames between the user's code and the runtime. sync.(*Mutex).lockSlow up to 1.23,
# internal/sync.(*Mutex).lockSlow since 1.24; RWMutex parks in its own methods.
LOCK = re.compile(r"(?:internal/)?sync\.\(\*(?:RW)?Mutex\)\.(?:Lock|lockSlow|RLock)$")
UNLOCK = re.compile(r"(?:internal/)?sync\.\(\*(?:RW)?Mutex\)\.(?:R?Unlock|unlockSlow|rUnlockSlow)$")
_PARK = re.compile(
    r"runtime\.|sync\.runtime_|internal/sync\.runtime_|internal/poll\.runtime_|sync/atomic\.|internal/runtime/"
)
# The runtime's own business. A wake-up from here says nothing of the program's progress.
_INTERNAL = re.compile(
    r"runtime\.(?:gcStart|gcMark|gcAssist|gcFlushBgCredit|gcBgMark|gcParkAssist|gcSweep|gcController|GC$|"
    r"\(\*gcWork\)|\(\*gcControllerState\)|bgsweep|bgscavenge|sweepone|startTheWorld|stopTheWorld|mallocgc|"
    r"forcegchelper|traceAdvance|traceReader|\(\*traceAdvancer|runfinq|runFinalizers|runCleanups|ensureSigM|"
    r"timerproc|sysmon|wakeScavenger|\(\*scavenger|\(\*wakeableSleep|StartTrace|StopTrace|ReadTrace|runExitHooks)|"
    r"runtime/trace\.(?!WithRegion)|runtime/pprof\.(?!Do\b)|net/http/pprof\.|os/signal\.|unique\.runtime_|runtime/metrics\."
)
# Not what a program puts around its own work: labels (pprof.Do) and regions (trace.WithRegion).
_RECORDER = re.compile(
    r"runtime/trace\.(?!WithRegion)|runtime/pprof\.(?!Do\b)|net/http/pprof\."
    r"|runtime\.(?:ReadTrace|traceReader|readTrace0)"
)

# Decoding JSON without types: encoding/json up to 1.26 (decode.go). Since 1.27 it decodes through v2:
# an interface's own decoder (arshal_default.go), or arshal_any.go where duplicate names are forbidden.
JSON_UNTYPED = re.compile(
    r"encoding/json\.\(\*decodeState\)\.(?:value|array|object|literal)Interface$"
    r"|encoding/json/v2\.(?:unmarshal(?:Value|Object|Array)Any|makeInterfaceArshaler\.func\d+)$"
)
JSON_DECODE = re.compile(
    r"encoding/json\.(?:Unmarshal|\(\*Decoder\)\.Decode|\(\*decodeState\)\.\w+|checkValid|\(\*Decoder\)\.readValue)$"
    r"|encoding/json/v2\.(?:Unmarshal\w*|unmarshal\w*|make\w+Arshaler\S*)$"
)
JSON_ENTRY = re.compile(r"encoding/json(?:/v2)?\.(?:Unmarshal\w*|\(\*Decoder\)\.Decode)$")
REGEXP_COMPILE = re.compile(r"regexp\.(?:Must)?Compile(?:POSIX)?$|regexp\.compile$")
# What makes a timer that nobody can stop. It allocates in time.NewTimer, since Go 1.23 also in time.newTimer
# (a runtime function under a name of package time); seen from 1.21 to 1.27.
TIME_AFTER = re.compile(r"time\.After$")

# A client's call that waits for the other side, by the library that makes it. The caller's own goroutine
# waits in a select in (*persistConn).roundTrip; HTTP/2 in its RoundTrip.
CALL = re.compile(
    r"net/http\.\(\*persistConn\)\.roundTrip$|net/http\.\(\*Transport\)\.(?:getConn|roundTrip)$"
    r"|net/http\.\(\*http2(?:ClientConn|clientStream|Transport)\)\.\w*[rR]oundTrip\w*$"
    r"|net/http/internal/http2\.\(\*(?:ClientConn|clientStream|Transport)\)\.\w*[rR]oundTrip\w*$"
    r"|golang\.org/x/net/http2\.\(\*(?:ClientConn|clientStream|Transport)\)\.\w*[rR]oundTrip\w*$"
    r"|google\.golang\.org/grpc\.(?:invoke|\(\*ClientConn\)\.Invoke|\(\*clientStream\)\.RecvMsg)$"
    r"|net/rpc\.\(\*Client\)\.Call$|database/sql\.\(\*(?:DB|Tx|Stmt|Conn)\)\.\w+$"
)
# Waiting for a connection to be made: part of a call, and no call of its own.
DIAL = re.compile(r"net/http\.\(\*Transport\)\.getConn$|net\.\(\*Dialer\)\.Dial\w*$")
# The rest of an answer that already came: part of the call before it.
CALL_BODY = re.compile(r"net/http\.\(\*(?:bodyEOFSignal|body|http2transportResponseBody)\)\.Read$")
# A database/sql pool: who waits for a connection parks in (*DB).conn itself (a select since Go 1.8), and who
# gives one back hands it over in putConn. Whatever is further in than database/sql is the driver's.
SQL = re.compile(r"database/sql\.")
# A goroutine of database/sql's own waits for the end of each transaction, and of rows whose context can end.
POOL_HELD = re.compile(r"database/sql\.\(\*(?:Tx|Rows)\)\.awaitDone$")
POOL_GIVE = re.compile(r"database/sql\.\(\*DB\)\.(?:putConn\w*|openNewConnection|maybeOpenNewConnections)$")
NET_READ = re.compile(r"net\.\(\*conn\)\.Read$|net\.\(\*netFD\)\.Read$|crypto/tls\.\(\*Conn\)\.Read$")
NET_WRITE = re.compile(r"net\.\(\*conn\)\.Write$|net\.\(\*netFD\)\.Write$|crypto/tls\.\(\*Conn\)\.Write$")
# A server that calls the user's handler: the frames around it, and where it waits for the next request.
HANDLER = re.compile(
    r"net/http\.HandlerFunc\.ServeHTTP$|net/http\.\(\*ServeMux\)\.ServeHTTP$|net/http\.serverHandler\.ServeHTTP$"
    r"|net/http\.\(\*timeoutHandler\)\.ServeHTTP\S*$|net/http\.initALPNRequest\.ServeHTTP$"
    r"|net/rpc\.\(\*service\)\.call$|google\.golang\.org/grpc\.\(\*Server\)\.process\w+RPC$"
    r"|net/http\.\(\*http2serverConn\)\.runHandler$|net/http/internal/http2\.\(\*serverConn\)\.runHandler$"
    r"|golang\.org/x/net/http2\.\(\*serverConn\)\.runHandler$"
)
# What calls the user's handler with no dispatcher of net/http between: the frameworks' chains of middleware,
# the code that protoc writes for a method, fasthttp's loop over a connection. Inward of the innermost one is
# the handler itself. The last also reads requests, so that alone it does not say that one is being handled.
CALLS_HANDLER = re.compile(
    r"github\.com/gin-gonic/gin\.\(\*Context\)\.Next$"
    r"|github\.com/labstack/echo(?:/v\d+)?\.\(\*Echo\)\.[aA]dd\w*\.func\d+$"
    r"|github\.com/gofiber/fiber(?:/v\d+)?\.\(\*(?:App|Ctx|DefaultCtx)\)\.[nN]ext\w*$"
    r"|(?:\S*[./])_\w+_Handler(?:\.func\d+)?$"
    r"|github\.com/valyala/fasthttp\.\(\*Server\)\.serveConn$"
)
SERVER = re.compile(r"net/http\.\(\*conn\)\.serve$|net/http\.\(\*connReader\)\.")
# A connection of net/http (HTTP/1) that waits for its next request, or reads it.
SERVES_CONNECTION = re.compile(
    r"net/http\.\(\*conn\)\.serve$|github\.com/valyala/fasthttp\.\(\*Server\)\.serveConn$"
)
READS_REQUEST = re.compile(
    r"net/http\.\(\*conn\)\.readRequest$|bufio\.\(\*Reader\)\.Peek$|crypto/tls\.\(\*Conn\)\.HandshakeContext$"
)
# Goroutines that a server keeps to handle one request (or connection) after another, and that wait for it on
# a channel: grpc with NumStreamWorkers, fasthttp.
TAKES_REQUEST = re.compile(
    r"google\.golang\.org/grpc\.\(\*Server\)\.serverWorker$"
    r"|github\.com/valyala/fasthttp\.\(\*workerPool\)\.workerFunc$"
)
ACCEPT = re.compile(r"net\.\(\*(?:TCP|Unix)Listener\)\.Accept|net\.\(\*netFD\)\.accept$")
ASYNC_PREEMPT = re.compile(r"runtime\.asyncPreempt")
ALLOCATE = re.compile(
    r"runtime\.(?:mallocgc\w*|newobject|newarray|makeslice\w*|growslice\w*|makemap\w*|mapassign\w*|concatstring\w*|rawstring\w*|"
    r"rawbyteslice|slicebytetostring|stringtoslicebyte|convT\w*|makechan)$"
)
GC_WORK = re.compile(
    r"runtime\.(?:gcBgMarkWorker|gcDrain\w*|gcAssistAlloc\w*|scanobject\w*|scanblock|greyobject|markroot\w*|bgsweep|sweepone|"
    r"scanSpan\w*|\(\*mspan\)\.sweep|\(\*sweepLocked\)\.sweep|gcMarkDone|gcStart|gcMarkTermination|bgscavenge|deductSweepCredit|"
    r"deductAssistCredit|markBits\S*|wbBufFlush\S*|gcWriteBarrier\S*)"
)

# A call of a C function, Go 1.21 to 1.27. Traces and text dumps begin with the Go side that cgo wrote of it;
# profiles have runtime.cgocall above that. A library that calls C without cgo has runtime.cgocall alone.
C_CALL = re.compile(r"(?:.*[./])?_C2?func_\w+$|runtime\.(?:asm)?cgocall(?:\.abi0)?$")
# The C library's resolver as package net calls it, Go 1.21 to 1.27: a look-up, no C of the user's.
RESOLVER_C = re.compile(r"net\.(?:_C2?func_\w+|_C_\w+|cgo\w+)")
# Looking a name up, Go 1.21 to 1.27: the goroutine that asks waits in lookupIPAddr, whichever the resolver,
# or in the method for what else it asks for.
LOOKUP = re.compile(r"net\.\(\*Resolver\)\.(?:l|goL|L)ookup\w+$")
# A connection's own dialling goroutine under an HTTP client: queueForDial starts it up to 1.22,
# startDialConnForLocked since 1.23. It runs dialConnFor.
HTTP_DIALLER = re.compile(r"net/http\.\(\*Transport\)\.dialConnFor$")
HTTP_WAITS_FOR_DIAL = re.compile(r"net/http\.\(\*Transport\)\.getConn$")


def is_lock_wait(stack: Stack) -> bool:
    """Whether a goroutine parked here waits for a mutex (not a WaitGroup, a Cond, or the runtime)."""
    for frame in stack:
        if _PARK.match(frame.function):
            continue
        return LOCK.match(frame.function) is not None
    return False


def is_pool_wait(stack: Stack) -> bool:
    """Whether a goroutine parked here waits for a free connection of a database/sql pool."""
    for frame in stack:
        if frame.function.startswith("runtime."):
            continue
        return frame.function == "database/sql.(*DB).conn"
    return False


def in_driver(stack: Stack) -> bool:
    """Whether a stack is inside a database driver that database/sql called (no driver is in the library)."""
    for i, frame in enumerate(stack):
        if SQL.match(frame.function):
            return any(not is_standard(f.function) for f in stack[:i])
    return False


def is_internal(stack: Stack) -> bool:
    """Whether a stack is the runtime's own business or that of the recorder."""
    return any(_is_internal(frame.function) for frame in stack)


@lru_cache(maxsize=65536)
def _is_internal(function: str) -> bool:
    return _INTERNAL.match(function) is not None


def is_recorder(stack: Stack) -> bool:
    """Whether a stack belongs to the trace or profile that is being taken."""
    return any(_RECORDER.match(frame.function) for frame in stack)


def caller_of(stack: Stack, pattern: re.Pattern[str]) -> Frame | None:
    """The innermost user frame outside (towards the root of) the outermost frame that matches."""
    last = -1
    for i, frame in enumerate(stack):
        if pattern.match(frame.function):
            last = i
    if last < 0:
        return None
    return user_frame(stack[last + 1 :])


def nearest_caller(stack: Stack, pattern: re.Pattern[str]) -> Frame | None:
    """As ``caller_of``; where no user's frame is there, the innermost frame of a dependency."""
    frame = caller_of(stack, pattern)
    if frame is not None:
        return frame
    last = max((i for i, f in enumerate(stack) if pattern.match(f.function)), default=len(stack))
    return next((f for f in stack[last + 1 :] if not is_standard(f.function)), None)


def of_main(stack: Stack) -> bool:
    """Whether a stack is the main goroutine's: the program's start (init, and main before it serves), or all
    of a program that does its work in main. Traces leave out the outermost frame, ``runtime.main``.
    """
    return outermost(stack) in ("runtime.main", "main.main") or of_init(stack)


def of_init(stack: Stack) -> bool:
    """Whether a stack is in the initialisation of packages (doInit up to Go 1.20, doInit1 since)."""
    return any(frame.function in ("runtime.doInit", "runtime.doInit1") for frame in stack)


def c_caller(stack: Stack) -> Frame | None:
    """The user's function that called the C function in which this goroutine is; None where it is in none.

    The innermost frames have to be the call's own: a callback from C into Go is Go again. The resolver of the
    C library is no function of the user's. Where arguments are checked, cgo wraps the call in a literal of
    the calling function: the function is named, not the literal.
    """
    inside = 0
    while inside < len(stack) and C_CALL.match(stack[inside].function):
        inside += 1
    if not inside or any(RESOLVER_C.match(frame.function) for frame in stack[: inside + 2]):
        return None
    frames = user_frames(stack[inside:])
    if not frames:
        return None
    if len(frames) > 1 and is_closure_of(frames[0].function, frames[1].function):
        return frames[1]
    return frames[0]


def handler_frame(stack: Stack) -> Frame | None:
    """The user's handler in a server's goroutine: the first user frame inward of the innermost dispatcher.

    Middleware lies between dispatchers, so the innermost one calls the handler proper; a user's own ServeHTTP
    is one that was called directly.
    """
    for i, frame in enumerate(stack):
        if frame.function.endswith(".ServeHTTP") and is_user(frame.function, frame.file):
            return frame
        if HANDLER.match(frame.function) or _calls_handler(frame.function):
            inner = [f for f in user_frames(stack[:i]) if not _calls_handler(f.function)]
            if inner:
                return inner[-1]
    return None


@lru_cache(maxsize=65536)
def _calls_handler(function: str) -> bool:
    return CALLS_HANDLER.match(function) is not None


# What parks a goroutine, by the innermost frame that tells, in the words of the runtime's wait reasons
# (waitReasonStrings in runtime/runtime2.go). Mutexes before 1.20 say "semacquire" in dumps.
_PARKED = tuple(
    (re.compile(pattern), state)
    for pattern, state in (
        (r"runtime\.chansend1?$", "chan send"),
        (r"runtime\.chanrecv[12]?$", "chan receive"),
        (r"runtime\.selectgo$", "select"),
        (r"runtime\.block$", "select (no cases)"),
        (r"time\.Sleep$|runtime\.timeSleep$", "sleep"),
        (r"internal/poll\.runtime_pollWait$|runtime\.netpollblock$", "IO wait"),
        (r"(?:internal/)?sync\.\(\*Mutex\)\.(?:Lock|lockSlow)$", "sync.Mutex.Lock"),
        (r"sync\.\(\*RWMutex\)\.RLock$", "sync.RWMutex.RLock"),
        (r"sync\.\(\*RWMutex\)\.Lock$", "sync.RWMutex.Lock"),
        (r"sync\.\(\*WaitGroup\)\.Wait$", "sync.WaitGroup.Wait"),
        (r"sync\.\(\*Cond\)\.Wait$|sync\.runtime_notifyListWait$", "sync.Cond.Wait"),
        (
            r"(?:internal/runtime/|runtime/internal/)?syscall\.|runtime\.cgocall$|os/signal\.signal_recv$",
            "syscall",
        ),
    )
)
_BELOW_PARKED = re.compile(
    r"runtime\.|(?:internal/)?sync\.(?:runtime_|throw|fatal)|internal/poll\.|internal/runtime/|syscall\."
)


def parked_in(stack: Stack) -> str | None:
    """What a goroutine with this stack waits for, by its innermost frames; None where they do not tell."""
    for frame in stack:
        for pattern, state in _PARKED:
            if pattern.match(frame.function):
                return state
        if not _BELOW_PARKED.match(frame.function):
            return None
    return None


# Connections of net/http between requests: a server's, and both sides of a client's. HTTP/2 keeps one
# goroutine for each side (net/http's copy of x/net/http2, which Go 1.27 moved to a package of its own).
IDLE_CONNECTION = re.compile(
    r"net/http\.\(\*conn\)\.serve$|net/http\.\(\*connReader\)\.backgroundRead$"
    r"|net/http\.\(\*persistConn\)\.(?:readLoop|writeLoop)$"
    r"|(?:net/http\.\(\*http2|net/http/internal/http2\.\(\*|golang\.org/x/net/http2\.\(\*)"
    r"(?:ClientConn\)\.readLoop|clientConnReadLoop\)\.run|serverConn\)\.(?:serve|readFrames))$"
)
