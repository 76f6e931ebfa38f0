"""The classes and functions that a checkpoint may name, and the errors for others."""

from __future__ import annotations

from collections.abc import Sequence

from ..languages.catalogue import Phrase
from .fault import CheckpointFault, printable


def refuse_code(names: Sequence[str]) -> None:
    """Raise CheckpointFault if ``names``, the classes and functions of a pickle, are code, or tensors as they
    lay on a TPU."""
    refused = [name for name in names if not _is_allowed(name)]
    for name in refused:
        if _is_code(name):
            raise CheckpointFault("checkpoint_holds_code", type=printable(name))
    if FROM_A_TPU in refused:
        raise CheckpointFault("checkpoint_from_tpu")


def refuse_objects(names: Sequence[str], whole: str = "", has_numbers: bool = True) -> None:
    """Raise CheckpointFault for a file without a state dict if ``names``, those of its pickle, tell what is
    there in its place. ``whole`` is the class of what is pickled, where that is an object of one;
    ``has_numbers`` tells whether it has any."""
    refused = [name for name in names if not _is_allowed(name)]
    if any(name.startswith(DISTRIBUTED) for name in refused):
        raise CheckpointFault("checkpoint_is_distributed")
    if any(name.startswith("torch.nn.") for name in refused) or (whole in refused and has_numbers):
        first = next((name for name in refused if _advice(name) is None), refused[0])
        raise CheckpointFault("checkpoint_is_whole_model", type=printable(first.rpartition(".")[2]))
    if whole in refused and not whole.startswith(("numpy.", "joblib.")):
        raise CheckpointFault("checkpoint_not_state_dict", what=Phrase("an_object", type=printable(whole)))
    for name in refused:
        raise CheckpointFault(
            "checkpoint_holds_more", type=printable(name), advice=_advice(name) or Phrase("save_alone")
        )


def _is_allowed(name: str) -> bool:
    module, _, last = name.rpartition(".")
    return name in ALLOWED or (
        module in ("torch", "torch.cuda", "torch.storage") and last.endswith("Storage")
    )


def _is_code(name: str) -> bool:
    """Whether a name is a function's, which a pickle names to call it: functions are written in lower case by
    custom, and what is not lies in some modules all the same."""
    module, last = name.partition(".")[0], name.rpartition(".")[2]
    return module in CODE_MODULES or (last[:1].islower() and not name.startswith(LOWER_CASE))


def _advice(name: str) -> Phrase | None:
    """What to do about a class, where there is more to say than to save the weights alone."""
    return next((advice for start, advice in ADVICE.items() if name.startswith(start)), None)


FROM_A_TPU = "torch._utils._rebuild_device_tensor_from_numpy"  # how torch.save writes a tensor of XLA

# What weights and an optimiser's state are made of: about what torch.load admits with weights_only.
ALLOWED = {
    "collections.OrderedDict",
    "collections.defaultdict",
    "collections.Counter",
    "_codecs.encode",
    *(
        f"builtins.{name}"
        for name in ("set", "frozenset", "bytearray", "complex", "dict", "list", "int", "float")
    ),
    "torch._tensor._rebuild_from_type_v2",
    "torch.Tensor",
    "torch.Size",
    "torch.device",
    "torch.nn.parameter.Parameter",
    "torch.serialization._get_layout",
    *(
        f"torch._utils._rebuild_{what}"
        for what in (
            "tensor",
            "tensor_v2",
            "tensor_v3",
            "parameter",
            "parameter_with_state",
            "qtensor",
            "sparse_tensor",
            "meta_tensor_no_storage",
            "device_tensor_from_cpu_tensor",
            "wrapper_subclass",
        )
    ),
    *(
        f"torch.{dtype}"
        for dtype in (
            "float16",
            "float32",
            "float64",
            "bfloat16",
            "complex32",
            "complex64",
            "complex128",
            "bool",
            "int8",
            "int16",
            "int32",
            "int64",
            "uint8",
            "uint16",
            "uint32",
            "uint64",
            "qint8",
            "quint8",
            "qint32",
            "float8_e4m3fn",
            "float8_e5m2",
            "float8_e4m3fnuz",
            "float8_e5m2fnuz",
            "per_tensor_affine",
            "per_tensor_symmetric",
            "per_channel_affine",
            "per_channel_symmetric",
            "per_channel_affine_float_qparams",
        )
    ),
}

# Modules whose every name is code to a pickle; and where classes, types and the functions of an honest model
# are written in lower case.
CODE_MODULES = {
    "builtins",
    "os",
    "posix",
    "nt",
    "ntpath",
    "posixpath",
    "sys",
    "subprocess",
    "commands",
    "shutil",
    "socket",
    "ctypes",
    "importlib",
    "runpy",
    "pty",
    "code",
    "codeop",
    "types",
    "marshal",
    "pickle",
    "_pickle",
    "webbrowser",
    "multiprocessing",
    "asyncio",
}
LOWER_CASE = (
    "torch.nn.",
    "torch._C.",
    "torch._utils.",
    "torch.optim.",
    "numpy.core.",
    "numpy._core.",
    "numpy.dtype",
    "numpy.float",
    "numpy.int",
    "numpy.bool",
    "numpy.ndarray",
    "numpy.random._pickle",
    "datetime.",
    "collections.",
    "functools.partial",
    "copyreg.",
    "copy_reg.",
)

DISTRIBUTED = "torch.distributed.checkpoint."
ADVICE = {
    "torch.distributed.": Phrase("gather_tensors"),
    "torch.storage.": Phrase("unpickle_and_save_alone"),
    "numpy": Phrase("write_numpy_plainly"),
    "argparse": Phrase("write_arguments_plainly"),
    "pathlib": Phrase("write_paths_plainly"),
}
