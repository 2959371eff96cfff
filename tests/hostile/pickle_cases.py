"""Cases 32 to 56: streams that attack the machine which reads them, or the person who reads its reports."""

from __future__ import annotations

from case import ALARM, DANGEROUS, Case
from checkpoints import (
    FOUR_FLOATS,
    WEIGHT,
    Tensors,
    legacy,
    legacy_storage,
    loaded,
    nested,
    plain,
    tensor,
    zipped,
)
from pickles import (
    BUILD,
    DUP,
    EMPTY_DICT,
    EMPTY_LIST,
    EMPTY_TUPLE,
    EVAL,
    MARK,
    NONE,
    POP,
    REDUCE,
    SENTINEL,
    STACK_GLOBAL,
    STOP,
    SYSTEM,
    TUPLE,
    Code,
    call,
    dump,
    frame,
    integer,
    name,
    persistent,
    proto,
    text,
    u64,
    value,
)

PICKLE = ("MalformedPickle",)
CHECKPOINT = ("MalformedCheckpoint",)
LIMIT = ("LimitExceeded",)
NO_TENSORS = ("NoTensors",)
DANGER = ("DangerousContent",)

# A state dict in a bare pickle, as the last value of a stream whose beginning is the attack.
HONEST = tensor(loaded(legacy(legacy_storage())))
STATE = value({"weight": HONEST})


def bare(code: bytes, protocol: int = 2) -> bytes:
    """A bare pickle that comes to the honest state dict after `code`."""
    return proto(protocol) + code + STATE + STOP


def laughs(levels: int = 60) -> bytes:
    """Nine references to nine references to ..., of lists."""
    code = text("lol") + b"\x94"
    for level in range(levels):
        code += MARK + b"h" + bytes([level]) + (b"h" + bytes([level])) * 8 + b"l\x94"
    return proto(4) + code + STOP


def doubled(levels: int = 60) -> bytes:
    return proto(4) + text("lol") + (DUP + b"\x86") * levels + STOP


def dict_laughs(levels: int = 60) -> bytes:
    """Dicts of dicts: the values are shared, and so is the way to the end."""
    code = EMPTY_DICT + b"\x94"
    for level in range(levels):
        got = b"h" + bytes([level])
        code += EMPTY_DICT + b"\x94" + MARK + text("a") + got + text("b") + got + b"u"
    return proto(4) + code + STOP


def tensor_laughs(levels: int = 60) -> bytes:
    """Lists of lists as above, with a tensor at the end of every way."""
    made = HONEST + b"\x94"
    for level in range(levels):
        got = b"h" + bytes([level])
        made += MARK + got + got + b"l\x94"
    return proto(4) + made + STOP


def global_laughs(times: int = 200_000) -> bytes:
    """One global of a long name, again and again."""
    code = text("m" * 1000) + b"\x94" + text("n" * 1000) + b"\x94"
    return proto(4) + code + (b"h\0h\1" + STACK_GLOBAL + POP) * times + NONE + STOP


# Ten million deep, the machine itself is tested in tests/formats/pickle_hostile_test.cpp.
DEPTH = 2_000_000
FRAMED_TAIL = NONE + STOP


def straddling() -> dict[str, bytes]:
    """Eight ways for an opcode to reach over the end of its frame, or for frames to be no frames."""

    def framed(length: int, body: bytes) -> bytes:
        return proto(4) + frame(length) + body + STATE + STOP

    return {
        "argument": framed(3, b"J\1\0\0\0" + POP),
        "length": framed(1, text("abc") + POP),
        "payload": framed(6, text("abc") + POP),
        "long-payload": framed(10, b"\x8e" + u64(70_000) + bytes(70_000) + POP),
        "line": framed(3, b"I123\n" + POP),
        "two-lines": framed(4, b"cos\nsystem\n" + POP),
        "within": framed(20, NONE + POP + frame(1) + NONE + POP),
        "frame-length": framed(5, NONE + POP + frame(1) + NONE + POP),
    }


def hashed_equal(keys: int = 1_000_000) -> bytes:
    """An OrderedDict that sets one key a million times and then another."""
    made = call(name("collections", "OrderedDict"))
    same = (text("weight") + NONE) * keys + text("weight") + HONEST
    return proto(2) + made + MARK + same + b"u" + STOP


def storage_id(*identity: object) -> bytes:
    return zipped({"weight": tensor(persistent(*identity))})


FLOATS = name("torch", "FloatStorage")


def keyed(key: object) -> bytes:
    return storage_id("storage", FLOATS, key, "cpu", 4)


def source_in_persistent_id() -> bytes:
    """The old way to save a class: with its source, here 64 MiB of it."""
    module = persistent("module", name("models", "Net"), "net.py", "#" * (64 << 20))
    return legacy({"class": module, "weight": tensor(legacy_storage())})


def from_type(function: Code) -> Code:
    cls = name("torch", "Tensor")
    return call(name("torch._tensor", "_rebuild_from_type_v2"), function, cls, (f"touch {SENTINEL}",), EMPTY_DICT)


def getattr_of(target: Code, attribute: str) -> Code:
    return call(name("builtins", "getattr"), target, attribute)


def long_line(opcode: bytes) -> bytes:
    return bare(opcode + b"7" * 10_000_000 + b"\n" + POP)


def named(key: object) -> bytes:
    return zipped({key if isinstance(key, Code) else text(str(key)): tensor()})


ARRAY: Tensors = {"weight": ("F32", [4], FOUR_FLOATS)}
ENDS = b"\xff\xff\xff"


def eval_data(expression: str, names: object) -> bytes:
    return dump({"weight": call(name("builtins", "eval"), expression, names)}, 3)


def ndarray() -> Code:
    made = call(name("numpy.core.multiarray", "_reconstruct"), name("numpy", "ndarray"), (0,), b"b")
    kind = Code(call(name("numpy", "dtype"), "f4", False, True) + value((3, "<", None, None, None, -1, -1, 0)) + BUILD)
    return Code(made + value((1, (4,), kind, False, FOUR_FLOATS)) + BUILD)


MACHINE_CASES = [
    Case(32, "lists", "a billion laughs: lists of lists", laughs, NO_TENSORS),
    Case(32, "tuples", "2^60 laughs: pairs of pairs", doubled, NO_TENSORS),
    Case(32, "dicts", "2^60 laughs: dicts of dicts", dict_laughs, NO_TENSORS),
    Case(32, "tensors", "2^60 names of one tensor", tensor_laughs, LIMIT, slow=True),
    Case(32, "globals", "a name of 2000 bytes, 200 000 times", global_laughs, NO_TENSORS),
    Case(33, "long4", "an int of 2 GiB", lambda: bare(b"\x8b\xff\xff\xff\x7f"), ("LimitExceeded", *PICKLE)),
    Case(33, "long4-negative", "an int of -1 bytes", lambda: bare(b"\x8b\xff\xff\xff\xff"), PICKLE),
    Case(33, "binstring-negative", "a str of -1 bytes", lambda: bare(b"T\xff\xff\xff\xff"), PICKLE),
    Case(33, "binunicode8", "a str of 2^63 bytes", lambda: bare(b"\x8d" + u64(1 << 63), 4), PICKLE),
    Case(33, "binbytes8", "bytes of 2^64 - 1 bytes", lambda: bare(b"\x8e" + u64((1 << 64) - 1), 4), PICKLE),
    Case(34, "lists", "2 million lists, each in the next",
         lambda: proto(2) + EMPTY_LIST * DEPTH + b"a" * (DEPTH - 1) + STOP, NO_TENSORS, slow=True),
    Case(34, "marks", "2 million marks", lambda: proto(2) + MARK * DEPTH + STOP, PICKLE),
    Case(34, "tuples", "2 million tuples, each in the next", lambda: proto(2) + NONE + b"\x85" * DEPTH + STOP,
         NO_TENSORS, slow=True),
    Case(34, "way-to-tensor", "a tensor below 10 000 lists",
         lambda: proto(2) + EMPTY_LIST * 10_000 + HONEST + b"a" * 10_000 + STOP, LIMIT),
    Case(35, "2-63", "a frame of 2^63 bytes", lambda: bare(frame(1 << 63), 4), PICKLE),
    *[Case(35, form, "a frame that readers cut differently", lambda made=made: made, PICKLE,
           scan=ALARM if form == "two-lines" else (0, 1))
      for form, made in straddling().items()],
    Case(36, "memo-number", "number 2^32 - 1 of the memo",
         lambda: bare(NONE + b"r\xff\xff\xff\xff" + POP), tensors=WEIGHT),
    Case(37, "missing-memo", "a number that nothing was put under", lambda: bare(b"h\x07" + POP), PICKLE),
    Case(37, "empty-stop", "nothing to stop with", lambda: proto(2) + STOP, PICKLE),
    Case(37, "no-mark", "TUPLE without a mark", lambda: bare(TUPLE + POP), PICKLE),
    Case(37, "underflow", "POP of nothing", lambda: bare(POP), PICKLE),
    Case(37, "popped-mark", "POP that takes a mark away, as CPython's does", lambda: bare(MARK + POP), tensors=WEIGHT),
    Case(38, "list", "a list in itself", lambda: proto(2) + b"]q\0h\0a" + STOP, NO_TENSORS),
    Case(38, "dict", "a state dict in itself",
         lambda: proto(2) + b"}q\0" + text("self") + b"h\0s" + text("weight") + HONEST + b"s" + STOP, tensors=WEIGHT),
    Case(39, "tensor", "an item set in a tensor", lambda: bare(HONEST + text("k") + NONE + b"s" + POP), PICKLE),
    Case(39, "tuple", "an item set in a tuple", lambda: bare(EMPTY_TUPLE + text("k") + NONE + b"s" + POP), PICKLE),
    Case(39, "global", "an item set in a class", lambda: bare(name("a", "B") + text("k") + NONE + b"s" + POP), PICKLE),
    Case(39, "appends", "values appended to a dict", lambda: bare(EMPTY_DICT + MARK + NONE + b"e" + POP), PICKLE),
    Case(39, "additems", "values added to a list", lambda: bare(EMPTY_LIST + MARK + NONE + b"\x90" + POP, 4), PICKLE),
    Case(39, "build", "state for a number", lambda: bare(integer(1) + EMPTY_DICT + BUILD + POP), PICKLE),
    Case(40, "ext1", "a name by a number of one byte", lambda: bare(b"\x82\1" + POP), PICKLE, scan=ALARM),
    Case(40, "ext2", "a name by a number of two bytes", lambda: bare(b"\x83\1\0" + POP), PICKLE, scan=ALARM),
    Case(40, "ext4", "a name by a number of four bytes", lambda: bare(b"\x84\1\0\0\0" + POP), PICKLE, scan=ALARM),
    Case(40, "next-buffer", "a buffer that is in no file", lambda: bare(b"\x97" + POP, 5), PICKLE),
    Case(41, "proto-6", "protocol 6", lambda: proto(2) + proto(6) + STATE + STOP, PICKLE),
    Case(41, "proto-6-first", "protocol 6 from the start", lambda: proto(6) + STATE + STOP, ("UnknownFormat", *PICKLE)),
    Case(41, "proto-mid-stream", "protocol 2 and then 5", lambda: bare(proto(5)), tensors=WEIGHT),
    Case(42, "ints", "a global named by numbers", lambda: bare(integer(1) + integer(2) + STACK_GLOBAL + POP), PICKLE,
         scan=ALARM),
    Case(42, "memo-miss", "a global named by what is not there", lambda: bare(b"h\1h\2" + STACK_GLOBAL + POP), PICKLE),
    Case(43, "inst", "INST that calls exec", lambda: bare(MARK + text(f"open({SENTINEL!r}, 'w')")
         + b"i__builtin__\nexec\n" + POP), DANGER, scan=DANGEROUS),
    Case(43, "obj", "OBJ that calls exec, thrown away", lambda: bare(MARK + name("builtins", "exec")
         + text(f"open({SENTINEL!r}, 'w')") + b"o" + POP), DANGER, scan=DANGEROUS),
    Case(43, "newobj-ex", "NEWOBJ_EX of a process", lambda: bare(name("subprocess", "Popen")
         + value((f"touch {SENTINEL}",)) + value({"shell": True}) + b"\x92" + POP, 4), DANGER, scan=DANGEROUS),
    Case(44, "second-stream", "a second stream behind the first; nobody runs it", lambda: bare(b"") + dump(SYSTEM),
         tensors=WEIGHT, findings=("TrailingBytes",), scan=(0, 1, 4)),
    Case(44, "rest", "bytes behind STOP", lambda: bare(b"") + b"rest", tensors=WEIGHT, findings=("TrailingBytes",)),
    Case(45, "truncated", "cut off behind the payload", lambda: proto(2) + SYSTEM, DANGER, scan=DANGEROUS),
    Case(45, "broken", "no opcode behind the payload", lambda: proto(2) + SYSTEM + ENDS, DANGER, scan=DANGEROUS),
    Case(45, "in-zip", "the same within a checkpoint", lambda: zipped(Code(SYSTEM + ENDS)), DANGER, scan=DANGEROUS),
    Case(46, "name", "a name that is no UTF-8", lambda: bare(name(b"os\xff", b"system") + POP), PICKLE),
    Case(47, "int", "10 million digits", lambda: long_line(b"I"), LIMIT),
    Case(47, "long", "10 million digits of a LONG", lambda: long_line(b"L"), LIMIT),
    Case(47, "float", "10 million digits of a float", lambda: long_line(b"F"), LIMIT),
    *[Case(48, variant, "a name that only looks like torch's",
           lambda made=made: bare(made + EMPTY_TUPLE + REDUCE + POP), tensors=WEIGHT, findings=("UnknownGlobal",))
      for variant, made in {
          "zero-width": name("torch._utils\u200b", "_rebuild_tensor_v2"),
          "fullwidth": name("\uff54orch._utils", "_rebuild_tensor_v2"),
          "spaces": name("torch . _utils", "_rebuild_tensor_v2"),
          "escape": name("torch\x1b[2J", "_rebuild_tensor_v2"),
      }.items()],
    Case(49, "from-type", "a tensor that is to be made by os.system",
         lambda: bare(from_type(name("os", "system")) + POP), DANGER, scan=DANGEROUS),
    Case(49, "from-type-inert", "a tensor that is to be made by a class", lambda: zipped(
         {"weight": from_type(name("models", "Net"))}), ("NoTensors", *CHECKPOINT)),
    Case(50, "depth", "a stream within a stream, 100 times",
         lambda: plain({"weight": tensor(loaded(nested(100)))}), LIMIT),
    Case(50, "zip", "an archive in place of the inner stream",
         lambda: plain({"weight": tensor(loaded(zipped()))}), CHECKPOINT),
    Case(50, "tar", "a tar in place of the inner stream",
         lambda: plain({"weight": tensor(loaded(b"pickle".ljust(257, b"\0") + b"ustar\x0000".ljust(767, b"\0")))}),
         CHECKPOINT),
    Case(50, "evil", "a payload in the inner stream",
         lambda: plain({"weight": tensor(loaded(legacy(SYSTEM)))}), DANGER, scan=DANGEROUS),
    Case(51, "eval-class", "eval of more than a name", lambda: eval_data("data.__class__", {"data": ndarray()}), DANGER,
         scan=DANGEROUS),
    Case(51, "eval-more-names", "eval over more than the one array",
         lambda: eval_data("data", {"data": ndarray(), "x": 1}), DANGER, scan=DANGEROUS),
    Case(51, "eval-no-array", "eval of code", lambda: bare(EVAL + POP), DANGER, scan=DANGEROUS),
    Case(52, "getattr", "the old way to write torch.x", lambda: bare(getattr_of(name("torch", "Size"), "numel") + POP),
         tensors=WEIGHT),
    Case(52, "getattr-twice", "getattr of getattr", lambda: bare(
         getattr_of(getattr_of(name("torch", "nn"), "os"), "system") + POP), DANGER, scan=DANGEROUS),
    Case(52, "getattr-os", "getattr of os", lambda: bare(getattr_of(name("os", "path"), "system") + POP), DANGER,
         scan=DANGEROUS),
    Case(53, "equal-keys", "one key, a million times", hashed_equal, tensors=WEIGHT),
    Case(54, "items-4", "4 items where 5 belong", lambda: storage_id("storage", FLOATS, "0", "cpu"), CHECKPOINT),
    Case(54, "items-7", "7 items where 5 belong", lambda: storage_id("storage", FLOATS, "0", "cpu", 4, None, None),
         CHECKPOINT),
    Case(54, "key-number", "a key that is a float", lambda: keyed(1.5), CHECKPOINT),
    Case(54, "key-climbs", "a key that climbs to /etc/passwd", lambda: keyed("../../etc/passwd"), CHECKPOINT),
    Case(54, "key-path", "a key that goes round", lambda: keyed("1/../2"), CHECKPOINT),
    Case(54, "key-long", "a key of 1 MB", lambda: keyed("7" * 1_000_000), CHECKPOINT),
    Case(54, "key-newline", "a key with a line end", lambda: keyed("0\n"), CHECKPOINT),
    Case(55, "source", "a class with 64 MiB of source", source_in_persistent_id, tensors=WEIGHT, memory=1 << 28),
    Case(56, "reserved", "a tensor named __metadata__", lambda: named("__metadata__"), ("ReservedName",)),
    Case(56, "empty", "a tensor without a name", lambda: named(""), tensors={"": WEIGHT["weight"]}),
    Case(56, "nul", "a name with a NUL", lambda: named("a\0b"), tensors={"a\0b": WEIGHT["weight"]}),
    Case(56, "surrogate", "half a character", lambda: named(text("a\ud800")),
         tensors={"a\\ud800": WEIGHT["weight"]}, findings=("EscapedName",)),
    Case(56, "collision", "two ways to one name", lambda: zipped({"a": {"b": tensor()}, "a.b": tensor()}),
         ("NameCollision",)),
    Case(56, "long", "a name of 1 MB", lambda: named("n" * 1_000_000), LIMIT),
]  # fmt: skip

# What needs numpy arrays to be read.
ARRAY_CASES = [
    Case(51, "eval-data", "the one eval that paddle writes", lambda: eval_data("data", {"data": ndarray()}),
         tensors=ARRAY),
]  # fmt: skip

MACHINE_CASES += ARRAY_CASES
