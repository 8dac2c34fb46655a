"""week4.global_norm: the length of all gradients taken as one vector."""

import torch

from autograde.exercise import Case, Exercise, Misconception, Tolerance
from autograde.exercises.draws import integer, normal, uniform


def _global_norm_probe(target, inputs):
    import torch.nn.utils.clip_grad as library

    from autograde.guard import LibraryCall

    tensors = inputs["tensors"]

    def refused(*args, **kwargs):
        raise LibraryCall("get_total_norm")

    groups = getattr(library, "_group_tensors_by_device_and_dtype", None)
    library._group_tensors_by_device_and_dtype = refused
    try:
        return target((tensor for tensor in tensors) if inputs["given as"] == "a generator" else tensors)
    finally:
        library._group_tensors_by_device_and_dtype = groups


def _global_norm_cases(rng):
    def case(name, *tensors, generator=False, **options):
        return Case(name, {"tensors": list(tensors), "given as": "a generator" if generator else "a list"}, **options)

    yield case("two matrices and a vector", normal(rng, 3, 4), normal(rng, 4, 2, scale=2), normal(rng, 5))
    yield case("a generator", normal(rng, 2, 3), normal(rng, 4, scale=3), normal(rng, 2, 2), generator=True)
    yield case("very unequal tensors", normal(rng, 3, 3, scale=1e-3), normal(rng, 7, scale=40), normal(rng, 2))
    yield case("all entries negative", -normal(rng, 6).abs() - 0.1, -normal(rng, 2, 5).abs() - 0.1)
    yield case("float64", normal(rng, 3, 3).double(), normal(rng, 4).double())
    yield case("three axes, and none", normal(rng, 2, 3, 2), torch.tensor(uniform(rng, 1, 3)), normal(rng, 1))
    halves = [(100 + 400 * torch.rand(n, generator=rng)).half() for n in (4, integer(rng, 2, 6))]
    yield case("float16, entries of some hundreds", *halves, tolerance=Tolerance(rtol=2e-3))
    yield case("one tensor", normal(rng, 2, 4))
    yield case("zeros", torch.zeros(3), torch.zeros(2, 2), edge=True)
    yield case("no tensor at all", edge=True)
    poisoned = normal(rng, 2, 3)
    poisoned[1, integer(rng, 0, 2)] = torch.nan
    yield case("a NaN in one tensor", normal(rng, 4), poisoned, edge=True)
    poisoned = normal(rng, 5)
    poisoned[integer(rng, 0, 4)] = -torch.inf
    yield case("an infinite entry", poisoned, normal(rng, 2, 2), edge=True)


def _library_norm(inputs):
    return torch.nn.utils.get_total_norm([tensor.double() for tensor in inputs["tensors"]])


def _flat(tensors):
    return torch.cat([torch.zeros(1), *(tensor.flatten().double() for tensor in tensors)])


def _sum_of_norms(tensors):
    return sum((tensor.double().norm() for tensor in tensors), torch.zeros(()))


def _squared(tensors):
    return _flat(tensors).square().sum()


def _one_per_tensor(tensors):
    return [tensor.double().norm() for tensor in tensors]


def _in_their_own_dtype(tensors):
    return sum((tensor.square().sum() for tensor in tensors), torch.zeros(())).sqrt()


def _largest_norm(tensors):
    return torch.stack([torch.zeros((), dtype=torch.float64), *_one_per_tensor(tensors)]).max()


def _root_mean_square(tensors):
    return _flat(tensors)[1:].square().mean().sqrt()


def _needs_a_tensor(tensors):
    return torch.stack([tensor.double().norm() for tensor in tensors]).norm()


GLOBAL_NORM = Exercise(
    id="week4.global_norm",
    title="The norm of all gradients together",
    points=1,
    minutes=5,
    why="Clipping needs one length for the whole gradient. A length for each layer answers another question.",
    oracle="torch.nn.utils.get_total_norm",
    cases=_global_norm_cases,
    probe=_global_norm_probe,
    expected=_library_norm,
    library=("get_total_norm",),
    misconceptions=(
        Misconception(
            "sum of the norms",
            _sum_of_norms,
            "You add up lengths: {got} instead of {expected}. Two steps at a right angle, 3 and 4 long, lead 5 away. "
            "What adds up, if not the lengths?",
        ),
        Misconception(
            "the square of the norm",
            _squared,
            "{got} is the sum of all squares. What is still to be done with it?",
        ),
        Misconception(
            "one norm for each tensor",
            _one_per_tensor,
            "You return a norm for each tensor. One number was asked for, the length of all of them taken as one "
            "vector.",
        ),
        Misconception(
            "squares in float16",
            _in_their_own_dtype,
            "The largest number in float16 is 65504; the square of 300 lies above it. In which dtype do you square?",
        ),
        Misconception(
            "the largest of the norms",
            _largest_norm,
            "You return the norm of one tensor, the largest: {got}. The others belong to the vector too.",
        ),
        Misconception(
            "the largest entry",
            lambda tensors: _flat(tensors).abs().max(),
            "You return the largest absolute value. That is a norm as well, but not the L2 norm.",
        ),
        Misconception(
            "the sum of absolute values",
            lambda tensors: _flat(tensors).abs().sum(),
            "You return the sum of absolute values, the L1 norm. L2 is the length in the sense of Pythagoras.",
        ),
        Misconception(
            "root of the mean square",
            _root_mean_square,
            "You divide by the number of entries. A vector does not get shorter by having more of them.",
        ),
        Misconception(
            "an empty list raises",
            _needs_a_tensor,
            "Without any tensor your answer raises an error: there is nothing to stack. How long is a vector of "
            "nothing?",
        ),
    ),
)
