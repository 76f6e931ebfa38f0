"""What a stranger's pickle describes, read as text and not unpickled: no class is looked up and nothing is
called. A tensor comes out as the ``Claim`` that the file makes about it, to be held against the file.

``torch.load(map_location="meta", weights_only=True)`` runs no code either, and allocates no numbers, whatever
a file claims. It is not enough for files of strangers (measured with torch 2.14):

- Its time is not bounded. It hashes whatever a file gives as a key, and a tuple that holds another one twice,
  and so on, takes twice as long for each more: a pickle of 167 bytes with 32 of them went on beyond 25 s.
  Here keys that are no text or small numbers are left out, and every step counts towards a limit.
- Nor is its memory, beyond the numbers: a pickle of 1.9 MB that only sets marks took 143 MB, one of empty
  dicts 110 MB. Here it is 30 MB at most.
- A meta tensor does not tell which record of the file its numbers lie in, so that they would have to be found
  and checked otherwise; records that are too short and strides beyond the end load without a word."""

from __future__ import annotations

import math
import pickletools
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, BinaryIO, NamedTuple

from .allowlist import refuse_code, refuse_objects
from .fault import CheckpointFault

MAX_PICKLE = 2_000_000  # bytes
MAX_OPS = 300_000  # a tensor takes about 40, and an op makes at most some 100 bytes
MAX_NAMES = 500  # classes and functions
MAX_KEY = 500  # characters
MAX_SIDES = 16  # of a tensor's shape

GETATTR = "builtins.getattr"  # which mmengine's logs are made with, see ``_PickleMachine.suspect_names``


@dataclass(frozen=True, slots=True)
class Storage:
    """A run of numbers somewhere in the file."""

    kind: str  # as torch calls it: "FloatStorage"
    key: str
    count: int  # numbers, not bytes


@dataclass(frozen=True, slots=True)
class Claim:
    """A tensor as the file describes it, in numbers of its storage; nothing is checked but the types."""

    storage: Storage
    offset: int
    shape: tuple[int, ...]
    stride: tuple[int, ...]

    @property
    def size(self) -> int:
        """How many numbers it has."""
        return math.prod(self.shape)

    @property
    def last(self) -> int:
        """Where in the storage its last number lies."""
        return self.offset + sum((side - 1) * step for side, step in zip(self.shape, self.stride))

    @property
    def span(self) -> int:
        """How many numbers of the storage lie between its first and its last, both included."""
        return self.last - self.offset + 1 if self.size else 0


@dataclass(frozen=True, slots=True)
class NamedObject:
    """A class or function, or whatever was made with it: only the name is known."""

    name: str  # "module.name"


class Pickled(NamedTuple):
    """What a pickle describes."""

    value: Any  # numbers, text, dicts, lists, tuples, Claims, Storages, NamedObjects
    storages: dict[str, Storage]  # every one, by its key
    names: tuple[str, ...]  # of all classes and functions in it

    @property
    def whole(self) -> str:
        """The class of the value, where that is an object of one; else ""."""
        return self.value.name if isinstance(self.value, NamedObject) else ""


def read_pickle(stream: BinaryIO) -> Pickled:
    """What is pickled; the stream then stands behind the pickle. Objects beside the weights are only names.

    Raises CheckpointFault for code, and beyond a limit, and whatever error damage leads to."""
    pickle = _PickleMachine()
    try:
        value = pickle.read(stream)
    except Exception:
        refuse_code(pickle.suspect_names)  # code is called code, even where the rest is damaged
        refuse_objects(pickle.suspect_names)
        raise
    refuse_code(pickle.suspect_names)
    return Pickled(value, pickle.storages, pickle.suspect_names)


def claim_of(kind: str, key: str, shape: Any) -> Claim:
    """A tensor of this shape whose numbers are all of a storage, row by row. Raises ValueError for what is no
    shape."""
    if not isinstance(shape, list | tuple) or len(shape) > MAX_SIDES or not _are_counts(shape):
        raise ValueError("not a shape")
    stride = [math.prod(shape[side + 1 :]) for side in range(len(shape))]
    return Claim(Storage(kind, key, math.prod(shape)), 0, tuple(shape), tuple(stride))


class _PickleMachine:
    """The pickle machine with its stack, its marks and its memo, for one pickle; its ops are in the table
    ``OPS`` at the foot.

    No step may take longer than what the file spends on it: a long tuple can be handed over a hundred
    thousand times."""

    def __init__(self) -> None:
        self.names: dict[str, NamedObject] = {}
        self.storages: dict[str, Storage] = {}
        self.attributes_of: list[bool] = []  # for each call of getattr whether it is a class's that it takes
        self.steps = 0
        self.stack: list[Any] = []
        self.marks: list[int] = []
        self.memo: dict[int, Any] = {}

    @property
    def suspect_names(self) -> tuple[str, ...]:
        """All names but that of getattr, where it only takes attributes of classes, as mmengine's logs do."""
        harmless = GETATTR if self.attributes_of and all(self.attributes_of) else ""
        return tuple(name for name in self.names if name != harmless)

    def read(self, stream: BinaryIO) -> Any:
        """The value of the next pickle in a stream. Raises whatever error damage leads to."""
        for op, argument, _ in pickletools.genops(stream):
            self.spend(1)
            if op.name == "STOP":
                return self.stack.pop()
            if op.name in PUSHED:
                self.stack.append(argument)
            else:
                OPS[op.name](self, argument)
        raise ValueError("no end")

    def spend(self, steps: int) -> None:
        """Count steps towards the limit. Raises CheckpointFault beyond it."""
        self.steps += steps
        if self.steps > MAX_OPS or len(self.names) > MAX_NAMES:
            raise CheckpointFault("checkpoint_describes_too_much")

    def push(self, value: Any) -> None:
        self.stack.append(value)

    def take(self, count: int) -> list[Any]:
        """The last ``count`` things, off the stack."""
        start = len(self.stack) - count
        if start < 0:
            raise ValueError("nothing there")
        items = self.stack[start:]
        del self.stack[start:]
        return items

    def marked(self) -> list[Any]:
        """What was pushed since the last mark, off the stack."""
        return self.take(len(self.stack) - self.marks.pop())

    def put(self, index: int | None) -> None:
        """Remember the last thing under a number, the next one if it is None."""
        self.memo[len(self.memo) if index is None else index] = self.stack[-1]

    def get(self, index: int) -> None:
        """Push what is remembered."""
        self.push(self.memo[index])

    def name(self, module: Any, name: Any) -> None:
        """Push a class or function, by its name only."""
        if not isinstance(module, str) or not isinstance(name, str):
            raise ValueError("not a name")
        room = "builtins" if module == "__builtin__" else module[:100]  # as Python 2 called it
        full = f"{room}.{name[:100]}"
        self.push(self.names.setdefault(full, NamedObject(full)))

    def instance(self, names: str) -> None:
        """Push an object of a class with the arguments since the last mark, as older pickles have it."""
        self.marked()
        self.name(*names.split(" ", 1))

    def extend(self, items: list[Any]) -> None:
        """Add to the list that is last on the stack."""
        if type(self.stack[-1]) is list:
            self.stack[-1].extend(items)

    def fill(self, items: list[Any]) -> None:
        """Add keys and values in turn to the dict that is last on the stack."""
        if type(self.stack[-1]) is dict:
            self.stack[-1].update(_paired(items[::2], items[1::2]))

    def call(self, function: Any, arguments: Any) -> None:
        """Push what a call would give: of the functions in ``REBUILT`` their own, of others their name."""
        if not isinstance(function, NamedObject) or not isinstance(arguments, tuple) or len(arguments) > 10:
            raise ValueError("not a call")
        if function.name == GETATTR:
            owner = arguments[0] if arguments else None
            is_class = isinstance(owner, NamedObject) and owner.name.rpartition(".")[2][:1].isupper()
            self.attributes_of.append(is_class)
        if function.name == "collections.OrderedDict":
            items = arguments[0] if arguments else []  # Python 2 put them here
            self.spend(len(items))
            self.push(_paired([key for key, _ in items], [value for _, value in items]))
        else:
            self.push(REBUILT[function.name](*arguments) if function.name in REBUILT else function)

    def storage(self, identity: Any) -> None:
        """Push the storage that torch.save names outside of the pickle."""
        if not isinstance(identity, tuple) or len(identity) not in (4, 5, 6):
            raise ValueError("not a storage")
        if identity[0] == "module":  # the class of a whole model, with its source, before torch 1.6
            return self.push(identity[1])
        sort, kind, key, _, count, *view = identity
        if (
            sort != "storage"
            or not isinstance(kind, NamedObject)
            or not _are_counts((count,))
            or view not in ([], [None])
        ):
            raise ValueError("not a storage")
        if not isinstance(key, str) or len(key) > MAX_KEY:
            raise ValueError("not a key")
        storage = Storage(kind.name.rpartition(".")[2], key, count)
        if count and self.storages.setdefault(key, storage) != storage:
            raise ValueError("one storage claimed twice")
        self.push(storage)


def _paired(keys: list[Any], values: list[Any]) -> dict[Any, Any]:
    """A dict of the flat keys; the others are left out with their values."""
    if any(isinstance(key, str) and len(key) > MAX_KEY for key in keys):
        raise CheckpointFault("checkpoint_key_too_long", limit=MAX_KEY)
    # Nothing but flat keys: to hash nested tuples or endless numbers can take for ever.
    flat = [isinstance(key, str) or (type(key) is int and -(2**63) <= key < 2**63) for key in keys]
    return {key: value for key, value, is_flat in zip(keys, values, flat, strict=True) if is_flat}


def _are_counts(numbers: Iterable[Any]) -> bool:
    """Whether all are whole numbers that could count something in a file."""
    return all(type(number) is int and 0 <= number < 2**40 for number in numbers)


def _tensor(
    storage: Any,
    offset: Any,
    shape: Any,
    stride: Any,
    grad: Any = None,
    hooks: Any = None,
    metadata: Any = None,
) -> Any:
    if not isinstance(storage, Storage) or not isinstance(shape, tuple) or not isinstance(stride, tuple):
        raise ValueError("not a tensor")
    if len(shape) != len(stride) or len(shape) > MAX_SIDES or not _are_counts((offset, *shape, *stride)):
        raise ValueError("not a shape")
    return NamedObject("torch.conj") if metadata else Claim(storage, offset, shape, stride)


def _parameter(tensor: Any, *more: Any) -> Any:
    return tensor


def _with_attributes(function: Any, kind: Any, arguments: Any, state: Any) -> Any:
    plain = (
        kind in (NamedObject("torch.Tensor"), NamedObject("torch.nn.parameter.Parameter"))
        and len(arguments) <= 10
    )
    rebuild = PLAIN.get(function.name) if plain else None
    return rebuild(*arguments) if rebuild else kind


PLAIN: dict[str, Callable[..., Any]] = {
    "torch._utils._rebuild_tensor": _tensor,
    "torch._utils._rebuild_tensor_v2": _tensor,
    "torch._utils._rebuild_parameter": _parameter,
    "torch._utils._rebuild_parameter_with_state": _parameter,
    "torch.nn.parameter.Parameter": _parameter,
}
REBUILT: dict[str, Callable[..., Any]] = {
    **PLAIN,
    "torch._utils._rebuild_device_tensor_from_cpu_tensor": _parameter,  # of an accelerator, copied here
    "torch._tensor._rebuild_from_type_v2": _with_attributes,
    "collections.defaultdict": lambda *more: {},
}

PUSHED = {
    "INT",
    "BININT",
    "BININT1",
    "BININT2",
    "LONG",
    "LONG1",
    "LONG4",
    "FLOAT",
    "BINFLOAT",
    "STRING",
    "BINSTRING",
    "SHORT_BINSTRING",
    "UNICODE",
    "BINUNICODE",
    "SHORT_BINUNICODE",
    "BINUNICODE8",
    "BINBYTES",
    "SHORT_BINBYTES",
    "BINBYTES8",
    "BYTEARRAY8",
}
OPS: dict[str, Callable[[_PickleMachine, Any], Any]] = {
    "PROTO": lambda pickle, _: None,
    "FRAME": lambda pickle, _: None,
    "MARK": lambda pickle, _: pickle.marks.append(len(pickle.stack)),
    "POP": lambda pickle, _: pickle.take(1),
    "POP_MARK": lambda pickle, _: pickle.marked(),
    "DUP": lambda pickle, _: pickle.push(pickle.stack[-1]),
    "NONE": lambda pickle, _: pickle.push(None),
    "NEWTRUE": lambda pickle, _: pickle.push(True),
    "NEWFALSE": lambda pickle, _: pickle.push(False),
    "EMPTY_TUPLE": lambda pickle, _: pickle.push(()),
    "EMPTY_LIST": lambda pickle, _: pickle.push([]),
    "EMPTY_DICT": lambda pickle, _: pickle.push({}),
    "EMPTY_SET": lambda pickle, _: pickle.push(NamedObject("builtins.set")),
    "TUPLE1": lambda pickle, _: pickle.push(tuple(pickle.take(1))),
    "TUPLE2": lambda pickle, _: pickle.push(tuple(pickle.take(2))),
    "TUPLE3": lambda pickle, _: pickle.push(tuple(pickle.take(3))),
    "TUPLE": lambda pickle, _: pickle.push(tuple(pickle.marked())),
    "LIST": lambda pickle, _: pickle.push(pickle.marked()),
    "APPEND": lambda pickle, _: pickle.extend(pickle.take(1)),
    "APPENDS": lambda pickle, _: pickle.extend(pickle.marked()),
    "ADDITEMS": lambda pickle, _: pickle.marked(),
    "DICT": lambda pickle, _: pickle.push(_paired((items := pickle.marked())[::2], items[1::2])),
    "SETITEM": lambda pickle, _: pickle.fill(pickle.take(2)),
    "SETITEMS": lambda pickle, _: pickle.fill(pickle.marked()),
    "GLOBAL": lambda pickle, names: pickle.name(*names.split(" ", 1)),
    "STACK_GLOBAL": lambda pickle, _: pickle.name(*pickle.take(2)),
    "INST": _PickleMachine.instance,
    "OBJ": lambda pickle, _: pickle.push(pickle.marked()[0]),
    "REDUCE": lambda pickle, _: pickle.call(*pickle.take(2)),
    "NEWOBJ": lambda pickle, _: pickle.call(*pickle.take(2)),
    "NEWOBJ_EX": lambda pickle, _: pickle.call(*pickle.take(3)[:2]),
    "BUILD": lambda pickle, _: pickle.take(1),
    "BINPERSID": lambda pickle, _: pickle.storage(*pickle.take(1)),
    "GET": _PickleMachine.get,
    "BINGET": _PickleMachine.get,
    "LONG_BINGET": _PickleMachine.get,
    "PUT": _PickleMachine.put,
    "BINPUT": _PickleMachine.put,
    "LONG_BINPUT": _PickleMachine.put,
    "MEMOIZE": _PickleMachine.put,
}
