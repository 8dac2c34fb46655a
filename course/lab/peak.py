"""How much memory a piece of code takes at its worst moment, and what was alive then."""

import weakref
from typing import NamedTuple

import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves


class Live(NamedTuple):
    """One storage that was alive at the peak, described by the tensor that it was made for."""

    shape: tuple[int, ...]
    dtype: torch.dtype
    bytes: int  # of the whole storage
    made_by: str  # the operator, such as "aten.mm.default"


class _Follow(TorchDispatchMode):
    """Adds up the storages that operators make, from their making until the last reference to them is gone."""

    def __init__(self):
        super().__init__()
        self.live, self.watches = {}, {}
        self.now = self.peak = 0
        self.at_peak = {}

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        kwargs = kwargs or {}
        # An output that shares its storage with an input (a view, an operator in place) takes no memory of its own.
        before = {_key(tensor) for tensor in _tensors((args, kwargs))}
        result = function(*args, **kwargs)
        for tensor in _tensors(result):
            key = _key(tensor)
            if key not in before and key not in self.live:
                self._add(key, tensor, function)
        return result

    def _add(self, key, tensor, function):
        storage = tensor.untyped_storage()
        self.live[key] = Live(tuple(tensor.shape), tensor.dtype, storage.nbytes(), str(function))
        self.now += storage.nbytes()
        self.watches[key] = weakref.ref(storage, lambda _: self._drop(key))
        if self.now > self.peak:
            self.peak, self.at_peak = self.now, dict(self.live)

    def _drop(self, key):
        self.watches.pop(key, None)
        gone = self.live.pop(key, None)
        self.now -= gone.bytes if gone else 0


class PeakMemory:
    """Measures the most memory that the code inside `with PeakMemory() as memory:` held, above what was there before.

    On a CPU every operator's new storages are followed until they are freed; what a kernel allocates and frees inside
    itself is not seen. With a CUDA `device` the allocator's own record is read, which sees that too, in blocks of 512
    bytes. The threads that run a CPU backward pass are followed; other threads of the caller are not.

        peak     bytes, 0 before the end of the block
        at_peak  [Live], the largest first; on CUDA empty, since its allocator keeps no shapes

    Storages that are older than the block count for nothing, also where the block frees them.
    """

    def __init__(self, device="cpu"):
        self.device = torch.device(device)
        self.peak, self.at_peak = 0, []

    def __enter__(self):
        if self.device.type == "cuda":
            torch.cuda.synchronize(self.device)
            torch.cuda.reset_peak_memory_stats(self.device)
            self._before = torch.cuda.memory_allocated(self.device)
        else:
            self._follow = _Follow()
            self._follow.__enter__()
        return self

    def __exit__(self, *error):
        if self.device.type == "cuda":
            torch.cuda.synchronize(self.device)
            self.peak = torch.cuda.max_memory_allocated(self.device) - self._before
        else:
            self._follow.__exit__(*error)
            self.peak = self._follow.peak
            self.at_peak = sorted(self._follow.at_peak.values(), key=lambda one: -one.bytes)


def static_bytes(model, optimizer=None) -> int:
    """Bytes of everything that a model, and its optimizer's state, hold between two updates; gradients not included.

    Counts parameters, buffers, what bitsandbytes keeps beside each 4-bit weight (QuantState: absmax, its own absmax
    of the second level, both code tables, the offset) and the optimizer's tensors; a storage that several share
    (tied weights, bitsandbytes' code tables) counts once.
    """
    tensors = [*model.parameters(), *model.buffers()]
    for parameter in model.parameters():
        tensors += _quantization_constants(parameter)
    if optimizer is not None:
        tensors += _tensors(list(optimizer.state.values()))
    return sum({_key(t): t.untyped_storage().nbytes() for t in tensors}.values())


def _quantization_constants(parameter):
    state = getattr(parameter, "quant_state", None)
    found = []
    while state is not None:
        found += [t for t in (state.absmax, state.code, state.offset) if torch.is_tensor(t)]
        state = state.state2
    return found


def _tensors(tree):
    return [leaf for leaf in tree_leaves(tree) if isinstance(leaf, torch.Tensor)]


def _key(tensor):
    return tensor.untyped_storage()._cdata
