"""A device that torch takes for another one, though its tensors lie on the CPU: what CUDA would refuse is refused.

Tensors made there are wrappers around tensors of the CPU. Operations run on these, so numbers are the CPU's to the bit,
after a look at where the arguments lie: tensors of different devices do not mix, but for what CUDA lets pass (copies,
indices from the CPU, a single number from the CPU beside an elementwise operation). Draws on the device are refused,
since its streams would give others than the CPU's; so is numpy.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache
from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves, tree_map
from torch.utils.backend_registration import _setup_privateuseone_for_python_backend

aten = torch.ops.aten
_COPIES = {aten.copy_.default, aten._to_copy.default}
_INDEXED = {aten.index.Tensor, aten.index_put.default, aten.index_put_.default, aten._index_put_impl_.default}
_LAZY = {aten._conj.default: aten.conj_physical.default, aten._neg_view.default: aten.neg.default}
_DRAWS = ("rand", "multinomial", "_standard_gamma", "bernoulli", "poisson", "normal", "uniform")


class PretendTensor(Tensor):
    """A tensor that says it lies on the device; ``raw`` is where its numbers are."""

    raw: Tensor

    @staticmethod
    def __new__(cls, raw: Tensor) -> "PretendTensor":
        return Tensor._make_wrapper_subclass(
            cls,
            raw.size(),
            strides=raw.stride(),
            storage_offset=raw.storage_offset(),
            dtype=raw.dtype,
            device=torch.device("pretend", 0),
        )

    def __init__(self, raw: Tensor) -> None:
        self.raw = raw

    __torch_function__ = torch._C._disabled_torch_function_impl

    @classmethod
    def __torch_dispatch__(cls, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        return _run(func, args, kwargs or {})

    def tolist(self) -> Any:
        return self.raw.tolist()

    def numpy(self, *, force: bool = False) -> Any:
        del force
        raise TypeError("can't convert a tensor of the pretend device to numpy; use Tensor.cpu() first")

    def __array__(self, dtype: Any = None) -> Any:
        return self.numpy()

    def __repr__(self) -> str:
        return f"PretendTensor({self.raw!r})"


class _Pretending(TorchDispatchMode):
    """Catches what is made on the device."""

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        return _run(func, args, kwargs or {})


@cache
def _register() -> None:
    _setup_privateuseone_for_python_backend("pretend")


@contextmanager
def pretend_device() -> Iterator[None]:
    """Inside, tensors are made on the pretend device by default."""
    _register()
    before = torch._C._only_lift_cpu_tensors()
    torch._C._set_only_lift_cpu_tensors(True)  # torch.tensor: made on the CPU, then moved, so that the move is seen
    try:
        with _Pretending(), torch.device("pretend", 0):
            yield
    finally:
        torch._C._set_only_lift_cpu_tensors(before)


def _run(func: Any, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
    func, kwargs = _LAZY.get(func, func), dict(kwargs)  # below autograd, nobody would see to what is put off
    device = kwargs.get("device")
    tensors = [leaf for leaf in tree_leaves((args, kwargs)) if isinstance(leaf, Tensor)]
    there = [tensor for tensor in tensors if isinstance(tensor, PretendTensor)]
    placed = bool(there) if device is None else torch.device(device).type == "pretend"
    if device is not None:
        kwargs["device"] = torch.device("cpu")
    if func not in _COPIES and (there or placed):
        _check(func, args, tensors)
    wrappers = {id(tensor.raw): tensor for tensor in there}
    found = func(*tree_map(_raw, args), **tree_map(_raw, kwargs))
    for wrapper in there:
        assert wrapper.shape == wrapper.raw.shape, f"{func} changes the size of its argument"
    return tree_map(_wrapping(wrappers), found) if placed else found


def _raw(leaf: Any) -> Any:
    return leaf.raw if isinstance(leaf, PretendTensor) else leaf


def _wrapping(known: Mapping[int, Tensor]) -> Callable[[Any], Any]:
    def wrap(leaf: Any) -> Any:
        if not isinstance(leaf, Tensor) or isinstance(leaf, PretendTensor):
            return leaf
        return known.get(id(leaf)) if id(leaf) in known else PretendTensor(leaf)

    return wrap


def _check(func: Any, args: Sequence[Any], tensors: Sequence[Tensor]) -> None:
    """RuntimeError for what CUDA does not do."""
    name = func._schema.name.removeprefix("aten::")
    if name.startswith(_DRAWS):
        raise RuntimeError(f"{name}: draws on the device are not those of the CPU's stream")
    if func in _INDEXED:  # indices may come from the CPU, and so may a single value that is put
        value = args[2] if len(args) > 2 else None
        tensors = [args[0], *([value] if isinstance(value, Tensor) and value.dim() > 0 else [])]
    elementwise = torch.Tag.pointwise in func.tags
    strays = [t for t in tensors if not isinstance(t, PretendTensor) and not (elementwise and t.dim() == 0)]
    written = func._schema.is_mutable and not isinstance(tensors[0], PretendTensor)
    if strays or written:
        shapes = [tuple(stray.shape) for stray in strays]
        raise RuntimeError(f"{name}: expected all tensors to be on the same device; on the CPU are {shapes}")
