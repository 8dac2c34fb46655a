"""week2.split: training and validation data."""

import math
import random

import numpy as np
import torch

from autograde.exercise import Case, Exercise, Misconception
from autograde.exercises.draws import integer, uniform

MANY = 40  # other seeds whose splits show whether the shuffle is fair


def _split_probe(target, inputs):
    import hashlib
    import operator
    import random

    import numpy as np
    import torch

    n, val_fraction, seed = inputs["n"], inputs["val_fraction"], inputs["seed"]

    def state():
        _, words, place, *_ = np.random.get_state()
        parts = torch.get_rng_state().numpy().tobytes(), random.getstate(), words.tobytes(), place
        return hashlib.sha256(repr(parts).encode()).hexdigest()

    def drawn(seed):
        train, val = target(n, val_fraction, seed)
        return [[operator.index(i) for i in part] for part in (train, val)]

    seen = {"state before": state(), "split": drawn(seed), "state after": state()}
    torch.manual_seed(inputs["elsewhere"]), random.seed(inputs["elsewhere"]), np.random.seed(inputs["elsewhere"])
    return seen | {"again": drawn(seed), "others": [drawn(seed + 1 + i) for i in range(inputs["others"])]}


def _observed(inputs, seen):
    """What the indices show: sizes and habits, told on the trusted side."""
    n, (train, val), splits = inputs["n"], seen["split"], [seen["split"], *seen["others"]]
    result = {
        "training indices": _size(part for part, _ in splits),
        "validation indices": _size(part for _, part in splits),
        "no index is on both sides": not set(train) & set(val),
        "every index is there, once": sorted(train + val) == list(range(n)),
        "the same arguments give the same split": [*map(sorted, seen["again"])] == [sorted(train), sorted(val)],
        "global generators are left alone": seen["state before"] == seen["state after"],
    }
    if len(splits) > MANY:
        sides = [sorted(part) for _, part in splits]
        result["the order is shuffled"] = sum(map(_regular, sides)) <= len(sides) / 2
        result["other seeds give other splits"] = len({tuple(side) for side in sides}) > len(sides) / 8
        result["every index has its chance"] = _is_fair(n, sides)
    return result


def _size(parts):
    sizes = {len(part) for part in parts}
    return sizes.pop() if len(sizes) == 1 else "not the same for every seed"


def _regular(side):
    """A run of neighbours, or every k-th index."""
    return len({b - a for a, b in zip(side, side[1:], strict=False)}) <= 1


def _is_fair(n, sides):
    """How often each index is held out, by a chi-squared that a fair shuffle exceeds once in 10^20 times."""
    indices = torch.tensor([i for side in sides for i in side if 0 <= i < n], dtype=torch.int64)
    share = min(max(len(indices) / len(sides) / n, 0.01), 0.99)
    off = torch.bincount(indices, minlength=n).double() - len(sides) * share
    return float(off.square().sum() / (len(sides) * share * (1 - share))) < 3 * n


def _split_cases(rng):
    def case(name, n, val_fraction, seed=None, others=8, edge=False):
        inputs = {"n": n, "val_fraction": val_fraction, "seed": integer(rng, 1, 10_000) if seed is None else seed}
        return Case(name, inputs | {"others": others, "elsewhere": integer(rng, 0, 10_000)}, edge=edge)

    def share(n, low, high, off):
        """A share of n that lies `off` beside a whole number."""
        return round((integer(rng, round(low * n), round(high * n)) + off) / n, 6)

    n = integer(rng, 40, 60)
    yield case("forty-one seeds", n, share(n, 0.3, 0.4, uniform(rng, -0.3, 0.3)), others=MANY)
    yield case("one in ten", 10 * integer(rng, 5, 12), 0.1)
    n = integer(rng, 31, 49)
    yield case("a share just below a whole number", n, share(n, 0.2, 0.4, -0.2))
    yield case("a share just above a whole number", n, share(n, 0.2, 0.4, 0.2))
    yield case("100 times 0.29 in floating point", 100, 0.29)  # 28.999999999999996
    yield case("seed 0", n, share(n, 0.2, 0.4, 0.1), seed=0)
    yield case("more validation than training", n, share(n, 0.7, 0.8, uniform(rng, -0.3, 0.3)))
    yield case("no validation at all", integer(rng, 20, 30), 0.0)
    yield case("validation alone", integer(rng, 20, 30), 1.0)
    yield case("a single index", 1, 1e-3, edge=True)


def _right_split(inputs):
    n_val = math.floor(inputs["n"] * inputs["val_fraction"] + 0.5)
    expected = {
        "training indices": inputs["n"] - n_val,
        "validation indices": n_val,
        "no index is on both sides": True,
        "every index is there, once": True,
        "the same arguments give the same split": True,
        "global generators are left alone": True,
    }
    if inputs["others"] >= MANY:
        names = "the order is shuffled", "other seeds give other splits", "every index has its chance"
        expected |= dict.fromkeys(names, True)
    return expected


def _order(n, seed):
    return torch.randperm(n, generator=torch.Generator().manual_seed(seed)).tolist()


def _cut(order, n_val):
    return order[n_val:], order[:n_val]


def _unshuffled_tail(n, val_fraction, seed):
    n_val = round(n * val_fraction)
    return list(range(n - n_val)), list(range(n - n_val, n))


def _every_kth(n, val_fraction, seed):
    step = max(1, round(1 / val_fraction)) if val_fraction else n + 1
    val = list(range(0, n, step))
    return [i for i in range(n) if i not in val], val


def _a_run_at_a_random_place(n, val_fraction, seed):
    start = _order(n, seed)[0]
    return _cut([(start + i) % n for i in range(n)], round(n * val_fraction))


def _a_window_at_a_random_place(n, val_fraction, seed):
    n_val = round(n * val_fraction)
    start = random.Random(seed).randint(0, n - n_val)
    return [i for i in range(n) if not start <= i < start + n_val], list(range(start, start + n_val))


def _seed_not_used(n, val_fraction, seed):
    return _cut(torch.randperm(n).tolist(), round(n * val_fraction))


def _seed_not_used_by_random(n, val_fraction, seed):
    order = list(range(n))
    random.shuffle(order)
    return _cut(order, round(n * val_fraction))


def _fresh_generator(n, val_fraction, seed):
    return _cut(np.random.default_rng().permutation(n).tolist(), round(n * val_fraction))


def _always_seed_0(n, val_fraction, seed):
    return _cut(_order(n, 0), round(n * val_fraction))


def _seed_0_is_no_seed(n, val_fraction, seed):
    return _cut(torch.randperm(n).tolist() if not seed else _order(n, seed), round(n * val_fraction))


def _global_torch(n, val_fraction, seed):
    torch.manual_seed(seed)
    return _cut(torch.randperm(n).tolist(), round(n * val_fraction))


def _global_random(n, val_fraction, seed):
    random.seed(seed)
    return _cut(random.sample(range(n), n), round(n * val_fraction))


def _global_numpy(n, val_fraction, seed):
    np.random.seed(seed)
    return _cut(np.random.permutation(n).tolist(), round(n * val_fraction))


def _two_shuffles(n, val_fraction, seed):
    generator = torch.Generator().manual_seed(seed)
    n_val = round(n * val_fraction)
    train, val = torch.randperm(n, generator=generator), torch.randperm(n, generator=generator)
    return train[n_val:], val[:n_val]


def _train_on_everything(n, val_fraction, seed):
    return list(range(n)), _order(n, seed)[: round(n * val_fraction)]


def _coin_for_each(n, val_fraction, seed):
    held_out = torch.rand(n, generator=torch.Generator().manual_seed(seed)) < val_fraction
    return (~held_out).nonzero().flatten(), held_out.nonzero().flatten()


def _one_lost(n, val_fraction, seed):
    order, n_val = _order(n, seed), round(n * val_fraction)
    return order[n_val + 1 :], order[:n_val]


SPLIT = Exercise(
    id="week2.split",
    title="Training and validation data",
    points=2,
    minutes=12,
    why="A validation loss means something only if no row of it was trained on, today and when you run it again.",
    oracle="the properties of a split, over many seeds",
    cases=_split_cases,
    probe=_split_probe,
    observe=_observed,
    expected=_right_split,
    misconceptions=(
        Misconception(
            "not shuffled: the tail",
            _unshuffled_tail,
            "Your validation indices are the last ones in their order. Data is often sorted: then you validate on one "
            "kind alone. And what does your answer do with the seed?",
        ),
        Misconception(
            "not shuffled: every k-th",
            _every_kth,
            "You hold out every k-th index, whatever the seed. Where the data repeats in the same rhythm, such a "
            "sample sees one kind alone.",
        ),
        *(
            Misconception(
                "a run at a random place",
                answer,
                "Your validation indices are neighbours: the seed moves them as a block. Rows that stand together are "
                "often alike, so mix the order first.",
            )
            for answer in (_a_run_at_a_random_place, _a_window_at_a_random_place)
        ),
        *(
            Misconception(
                "the seed is not used",
                answer,
                "The same arguments give two different splits: what you draw depends on what was drawn before. Then "
                "the next run trains on rows that you validate on today.",
            )
            for answer in (_seed_not_used, _seed_not_used_by_random, _fresh_generator)
        ),
        Misconception(
            "always the same seed",
            _always_seed_0,
            "You shuffle, but every seed gives the same split. Whose seed is it?",
        ),
        Misconception(
            "seed 0 taken for no seed",
            _seed_0_is_no_seed,
            "0 is a seed like any other, but `if seed` takes it for none.",
        ),
        *(
            Misconception(
                "a global generator",
                answer,
                "The split is right, but you seed a global generator: everything that is drawn afterwards, weights and "
                "dropout too, now depends on the split's seed. Can the shuffle have a generator of its own?",
            )
            for answer in (_global_torch, _global_random, _global_numpy)
        ),
        *(
            Misconception(
                "leak",
                answer,
                "Some indices are on both sides: the model is validated on rows that it has learned. Shuffle once, "
                "then cut.",
            )
            for answer in (_two_shuffles, _train_on_everything)
        ),
        Misconception(
            "rounded down",
            lambda n, val_fraction, seed: _cut(_order(n, seed), int(n * val_fraction)),
            "You cut off the decimals, and the docstring asks for the nearest whole number. (In floating point "
            "100 * 0.29 is a little less than 29.)",
        ),
        Misconception(
            "rounded up",
            lambda n, val_fraction, seed: _cut(_order(n, seed), math.ceil(n * val_fraction)),
            "You round up. The docstring asks for the nearest whole number.",
        ),
        Misconception(
            "a coin for each index",
            _coin_for_each,
            "You toss a coin for every index: the sides are only about as large as they should be. How many indices "
            "go to validation is fixed.",
        ),
        Misconception(
            "the shares exchanged",
            lambda n, val_fraction, seed: _cut(_order(n, seed), n - round(n * val_fraction)),
            "Your validation side has the size that training should have. Of which side is val_fraction the share?",
        ),
        Misconception(
            "cut from the end",
            lambda n, val_fraction, seed: (
                _order(n, seed)[: -round(n * val_fraction)],
                _order(n, seed)[-round(n * val_fraction) :],
            ),
            "You count from the end of the order. What are `order[:-k]` and `order[-k:]` when k is 0?",
        ),
        Misconception(
            "one index lost",
            _one_lost,
            "One index is on neither side. With Python's slices, where one side ends the other one begins.",
        ),
    ),
)
