"""Answers to spike and diagnose whose worth is known, for `autograde audit`."""

import itertools
import math
import re
import statistics

import numpy as np
import pandas as pd
import torch

from autograde.audit import right, wrong

# --- spike ------------------------------------------------------------------------------------------------------------


@right("week2.spike")
def spike_by_torch(losses, start, length, window=20, hold=3):
    series = torch.tensor(losses, dtype=torch.float64)
    before, clean = series[:start][-window:], series[start + length :]
    spread, mean = torch.std_mean(before)
    limit = mean + 2 * spread
    steps = None
    if len(clean) >= hold:
        held = (clean <= limit).unfold(0, hold, 1).all(dim=1).nonzero()
        steps = held[0].item() if len(held) else None
    top = torch.nan_to_num(clean, nan=math.inf, posinf=math.inf).max()
    return {"limit": limit, "height": top - mean, "steps": steps}


@right("week2.spike")
def spike_by_one_walk(losses, start, length, window=20, hold=3):
    before = losses[:start]
    while len(before) > window:
        before = before[1:]
    mean = sum(before) / len(before)
    limit = mean + 2 * math.sqrt(sum((x - mean) ** 2 for x in before) / (len(before) - 1))
    highest, streak, back = -math.inf, 0, None
    for count, loss in enumerate(losses[start + length :], 1):
        highest = loss if loss > highest else highest
        if not math.isfinite(loss):
            highest = math.inf
        streak = streak + 1 if loss <= limit else 0
        if streak == hold and back is None:
            back = count - hold
    return {"limit": limit, "height": highest - mean, "steps": back}


@right("week2.spike")
def spike_by_a_pattern(losses, start, length, window=20, hold=3):
    past = np.asarray(losses[:start][-window:])
    limit = past.mean() + 2 * np.std(past, ddof=1)
    flags = "".join(("#" if loss <= limit else ".") for loss in losses[start + length :])
    found = re.search("#" * hold, flags)
    clean = np.asarray(losses[start + length :])
    height = clean.max() if np.all(np.isfinite(clean)) else np.inf
    return dict(height=height - past.mean(), limit=limit, steps=found.start() if found else None)


@right("week2.spike")
def spike_by_runs_of_flags(losses, start, length, window=20, hold=3):
    before = list(itertools.islice(losses, max(start - window, 0), start))
    clean = list(itertools.islice(losses, start + length, None))
    level, spread = statistics.fmean(before), statistics.stdev(before)

    def steps():
        passed = 0
        for back, run in itertools.groupby(loss <= level + 2 * spread for loss in clean):
            n = len(list(run))
            if back and n >= hold:
                return passed
            passed += n
        return None

    lost = [loss for loss in clean if loss != loss or loss == math.inf]
    return {"limit": level + 2 * spread, "height": math.inf if lost else max(clean) - level, "steps": steps()}


@right("week2.spike")
def spike_by_pandas(losses, start, length, window=20, hold=3):
    series = pd.Series(losses, dtype=float)
    before, clean = series.iloc[:start].tail(window), series.iloc[start + length :]
    limit = before.mean() + 2 * before.std()
    held = clean.le(limit).rolling(hold).sum().eq(hold)
    steps = int(np.flatnonzero(held)[0]) - hold + 1 if held.any() else None
    height = clean.max(skipna=False) - before.mean()
    return {"limit": limit, "height": height if np.isfinite(height) else np.inf, "steps": steps}


class _Watch:
    def __init__(self, past):
        self.mean = statistics.mean(past)
        self.limit = self.mean + 2 * statistics.stdev(past)

    def back(self, losses):
        return all(loss <= self.limit for loss in losses)

    def steps(self, clean, hold, waited=0):
        if len(clean) < hold:
            return None
        return waited if self.back(clean[:hold]) else self.steps(clean[1:], hold, waited + 1)


@right("week2.spike")
def spike_by_recursion(losses, start, length, window=20, hold=3):
    watch = _Watch(losses[start - min(start, window) : start])
    _, clean = losses[: start + length], losses[start + length :]
    total = sum(clean)
    height = math.inf if math.isnan(total) or math.isinf(total) else sorted(clean)[-1] - watch.mean
    return {"steps": watch.steps(clean, hold), "limit": watch.limit, "height": height, "mean": watch.mean}


@right("week2.spike")
def spike_by_convolution(losses, start, length, window=20, hold=3):
    past, clean = np.array(losses[:start])[-window:], np.array(losses)[start + length :]
    limit = past.mean() + 2 * np.sqrt(np.square(past - past.mean()).sum() / (past.size - 1))
    above = np.where(clean <= limit, 0, 1)
    free = np.convolve(above, np.ones(hold, dtype=int), "valid") if clean.size >= hold else np.ones(1)
    steps = int(np.argmin(free)) if free.min() == 0 else None
    with np.errstate(invalid="ignore"):
        height = np.where(np.isfinite(clean), clean, np.inf).max() - past.mean()
    return {"limit": float(limit), "height": float(height), "steps": steps}


@wrong("week2.spike", "divided by n")
def spike_with_numpys_default(losses, start, length, window=20, hold=3):
    answer, past = spike_by_torch(losses, start, length, window, hold), np.array(losses[:start])[-window:]
    limit = np.mean(past) + 2 * np.std(past)
    clean = np.array(losses[start + length :])
    held = [k for k in range(len(clean) - hold + 1) if (clean[k : k + hold] <= limit).all()]
    return {**answer, "limit": limit, "steps": held[0] if held else None}


@wrong("week2.spike", "the corrupt batches in the height")
def spike_of_the_whole_tail(losses, start, length, window=20, hold=3):
    answer = spike_by_one_walk(losses, start, length, window, hold)
    top = max(losses[start:], key=lambda loss: loss if math.isfinite(loss) else math.inf)
    top = top if math.isfinite(top) else math.inf
    return answer | {"height": top - statistics.fmean(losses[max(start - window, 0) : start])}


@wrong("week2.spike", "a single lucky batch")
def spike_over_at_the_first(losses, start, length, window=20, hold=3):
    answer = spike_by_one_walk(losses, start, length, window, hold)
    for count, loss in enumerate(losses[start + length :]):
        if loss <= answer["limit"]:
            return answer | {"steps": count}
    return answer | {"steps": None}


@wrong("week2.spike", "counted from the first corrupt batch")
def spike_by_index(losses, start, length, window=20, hold=3):
    answer = spike_by_one_walk(losses, start, length, window, hold)
    k = start + length
    while k + hold <= len(losses):
        if max(losses[k : k + hold], key=lambda x: math.inf if x != x else x) <= answer["limit"]:
            return answer | {"steps": k - start}
        k += 1
    return answer


@wrong("week2.spike", "a number for never")
def spike_none_is_the_rest(losses, start, length, window=20, hold=3):
    answer = spike_by_one_walk(losses, start, length, window, hold)
    if answer["steps"] is None:
        answer["steps"] = len(losses) - start - length
    return answer


@wrong("week2.spike", "a negative index")
def spike_slices_blindly(losses, start, length, window=20, hold=3):
    past, rest = losses[start - window : start], spike_by_one_walk(losses, start, length, window, hold)
    return rest | {"limit": statistics.mean(past) + 2 * statistics.stdev(past)}


@wrong("week2.spike", "too low is not back")
def spike_near_the_old_mean(losses, start, length, window=20, hold=3):
    answer, past = spike_by_one_walk(losses, start, length, window, hold), losses[max(0, start - window) : start]
    low, high = 2 * statistics.mean(past) - answer["limit"], answer["limit"]
    inside = [low <= loss <= high for loss in losses[start + length :]]
    held = [k for k in range(len(inside) - hold + 1) if False not in inside[k : k + hold]]
    return answer | {"steps": held[0] if held else None}


@wrong("week2.spike")
def spike_by_a_smoothed_curve(losses, start, length, window=20, hold=3):
    answer = spike_by_one_walk(losses, start, length, window, hold)
    clean = losses[start + length :]
    means = [sum(clean[k : k + hold]) / hold <= answer["limit"] for k in range(len(clean) - hold + 1)]
    return answer | {"steps": means.index(True) if True in means else None}


@wrong("week2.spike")
def spike_no_lower_than_zero(losses, start, length, window=20, hold=3):
    answer = spike_by_one_walk(losses, start, length, window, hold)
    return answer | {"height": max(0.0, answer["height"])}


@wrong("week2.spike")
def spike_of_the_first_clean_loss(losses, start, length, window=20, hold=3):
    answer = spike_by_one_walk(losses, start, length, window, hold)
    past = losses[max(0, start - window) : start]
    return answer | {"height": losses[start + length] - statistics.mean(past)}


@wrong("week2.spike")
def spike_with_its_own_window(losses, start, length, window=20, hold=3):
    return spike_by_one_walk(losses, start, length)


@wrong("week2.spike")
def spike_five_batches_always(losses, start, length, window=20, hold=3):
    return spike_by_one_walk(losses, start, 5, window, hold)


@wrong("week2.spike")
def spike_by_the_median(losses, start, length, window=20, hold=3):
    answer = spike_by_one_walk(losses, start, length, window, hold)
    past = losses[max(0, start - window) : start]
    return answer | {"limit": statistics.median(past) + 2 * statistics.stdev(past)}


@wrong("week2.spike")
def spike_steps_alone(losses, start, length, window=20, hold=3):
    return spike_by_one_walk(losses, start, length, window, hold)["steps"]


# --- diagnose ---------------------------------------------------------------------------------------------------------


@right("week2.diagnose")
def diagnose_by_numpy(train_losses, val_losses):
    curves = np.array([train_losses, val_losses])
    train, val = (np.convolve(curve, np.ones(3), "valid") / 3 for curve in curves)
    if not np.isfinite(curves).all():
        return "diverged"
    conditions = [train[-1] - train.min() > 0.5, val[-1] - val.min() > 0.1, 2 * train[-1] > train_losses[0]]
    return str(np.select(conditions, ["diverged", "overfit", "underfit"], default="well-fit"))


@right("week2.diagnose")
def diagnose_by_pooling(train_losses, val_losses):
    curves = torch.tensor([train_losses, val_losses], dtype=torch.float64)
    smooth = torch.nn.functional.avg_pool1d(curves.unsqueeze(1), 3, stride=1).squeeze(1)
    train_up, val_up = smooth[:, -1] - smooth.amin(dim=1)
    if bool(curves.isnan().any() | curves.isinf().any() | (train_up > 0.5)):
        return "diverged"
    elif val_up > 0.1:
        return "overfit"
    elif smooth[0, -1] > curves[0, 0].div(2):
        return "underfit"
    return "well-fit"


@right("week2.diagnose")
def diagnose_by_pandas(train_losses, val_losses):
    log = pd.DataFrame({"train": train_losses, "val": val_losses})
    if log.isin([math.inf, -math.inf]).any(axis=None) or log.isna().any(axis=None):
        return "diverged"
    smooth = log.rolling(3).mean().dropna()
    rise = smooth.iloc[-1] - smooth.min()
    rules = {
        "diverged": rise["train"] > 0.5,
        "overfit": rise["val"] > 0.1,
        "underfit": smooth["train"].iloc[-1] > log["train"][0] / 2,
    }
    return next((word for word, holds in rules.items() if holds), "well-fit")


@right("week2.diagnose")
def diagnose_by_matching(train_losses, val_losses):
    def shape(losses):
        smooth = [statistics.fmean(three) for three in zip(losses, losses[1:], losses[2:], strict=False)]
        return smooth[-1], max(smooth[-1] - loss for loss in smooth)

    for loss in itertools.chain(train_losses, val_losses):
        if loss != loss or loss in (math.inf, -math.inf):
            return "diverged"
    (end, train_up), (_, val_up) = shape(train_losses), shape(val_losses)
    match (train_up > 0.5, val_up > 0.1, end > 0.5 * train_losses[0]):
        case (True, _, _):
            return "diverged"
        case (_, True, _):
            return "overfit"
        case (_, _, True):
            return "underfit"
    return "well-fit"


@right("week2.diagnose")
def diagnose_in_sums_of_three(train_losses, val_losses):
    def sums(losses):
        total = [0.0, *itertools.accumulate(losses)]
        return [b - a for a, b in zip(total, total[3:], strict=False)]

    train, val = sums(train_losses), sums(val_losses)
    words = ["diverged"] * (not math.isfinite(sum(train_losses) + sum(val_losses)))
    words += ["diverged"] * any(train[-1] > loss + 1.5 for loss in train)
    words += ["overfit"] * any(val[-1] > loss + 0.3 for loss in val)
    words += ["underfit"] * (train[-1] > 1.5 * train_losses[0])
    return (words + ["well-fit"])[0]


class _Curve:
    def __init__(self, losses):
        self.first, self.losses = losses[0], losses

    @property
    def sound(self):
        return all(abs(loss) < math.inf for loss in self.losses)

    @property
    def smooth(self):
        for k in range(2, len(self.losses)):
            yield (self.losses[k - 2] + self.losses[k - 1] + self.losses[k]) / 3

    @property
    def last(self):
        *_, last = self.smooth
        return last

    def came_up_by(self, much):
        return self.last > min(self.smooth) + much


@right("week2.diagnose")
def diagnose_by_objects(train_losses, val_losses):
    train, val = _Curve(train_losses), _Curve(val_losses)
    if not (train.sound and val.sound) or train.came_up_by(0.5):
        verdict = "diverged"
    else:
        verdict = "overfit" if val.came_up_by(0.1) else ("well-fit", "underfit")[train.last > train.first / 2]
    return verdict


@right("week2.diagnose")
def diagnose_from_the_end(train_losses, val_losses):
    verdict = "well-fit"
    t, v = (torch.tensor(x).double().unfold(0, 3, 1).mean(-1) for x in (train_losses, val_losses))
    if t[-1] * 2 > train_losses[0]:
        verdict = "underfit"
    if (v[-1] - v > 0.1).any():
        verdict = "overfit"
    if (t[-1] - t > 0.5).any() or not torch.cat([t, v]).isfinite().all():
        verdict = "diverged"
    return verdict


@wrong("week2.diagnose", "still falling is underfit")
def diagnose_as_a_seed_says(train_losses, val_losses):
    """'The training loss continues to decrease until the end of training' is a mark of underfitting there."""
    word = diagnose_by_numpy(train_losses, val_losses)
    if word in ("diverged", "overfit"):
        return word
    smooth = np.convolve(train_losses, np.ones(3) / 3, "valid")
    return "underfit" if smooth[-1] < smooth[-1 - max(1, len(smooth) // 4)] - 0.02 else "well-fit"


@wrong("week2.diagnose")
def diagnose_by_the_lowest_point(train_losses, val_losses):
    word = diagnose_by_numpy(train_losses, val_losses)
    if word == "diverged":
        return word
    return "overfit" if np.argmin(val_losses) < len(val_losses) - 1 else word if word != "overfit" else "well-fit"


@wrong("week2.diagnose", "a gap is overfitting")
def diagnose_by_a_table_of_gaps(train_losses, val_losses):
    word = diagnose_by_numpy(train_losses, val_losses)
    if word == "diverged":
        return word
    train, val = np.mean(train_losses[-3:]), np.mean(val_losses[-3:])
    if val - train > 0.1:
        return "overfit"
    return "underfit" if train > train_losses[0] / 2 else "well-fit"


@wrong("week2.diagnose", "NaN goes unseen")
def diagnose_without_a_look(train_losses, val_losses):
    train, val = (np.convolve(curve, np.ones(3) / 3, "valid") for curve in (train_losses, val_losses))
    if train[-1] > min(train.tolist()) + 0.5:
        return "diverged"
    if val[-1] > min(val.tolist()) + 0.1:
        return "overfit"
    return "underfit" if train[-1] > train_losses[0] / 2 else "well-fit"


@wrong("week2.diagnose", "not smoothed")
def diagnose_by_single_entries(train_losses, val_losses):
    if not math.isfinite(sum(train_losses) + sum(val_losses)) or train_losses[-1] - min(train_losses) > 0.5:
        return "diverged"
    if val_losses[-1] - min(val_losses) > 0.1:
        return "overfit"
    return "underfit" if sum(train_losses[-3:]) > 1.5 * train_losses[0] else "well-fit"


@wrong("week2.diagnose", "a fixed level")
def diagnose_in_nats_of_this_tokenizer(train_losses, val_losses):
    word = diagnose_by_numpy(train_losses, val_losses)
    if word in ("diverged", "overfit"):
        return word
    return "underfit" if statistics.fmean(train_losses[-3:]) > math.log(259) / 2 else "well-fit"


@wrong("week2.diagnose")
def diagnose_by_shares(train_losses, val_losses):
    if not np.isfinite([train_losses, val_losses]).all():
        return "diverged"
    train, val = (np.convolve(curve, np.ones(3) / 3, "valid") for curve in (train_losses, val_losses))
    if train[-1] > 1.2 * train.min():
        return "diverged"
    return "overfit" if val[-1] > 1.05 * val.min() else "underfit" if train[-1] > train_losses[0] / 2 else "well-fit"


@wrong("week2.diagnose")
def diagnose_smoothed_by_five(train_losses, val_losses):
    train, val = (np.convolve(curve, np.ones(5) / 5, "valid") for curve in (train_losses, val_losses))
    if not np.isfinite([*train, *val]).all() or train[-1] > train.min() + 0.5:
        return "diverged"
    return "overfit" if val[-1] > val.min() + 0.1 else "underfit" if train[-1] > train_losses[0] / 2 else "well-fit"


@wrong("week2.diagnose")
def diagnose_smoothed_from_the_past(train_losses, val_losses):
    """The smoothed curve of week 1."""

    def smooth(losses, beta=0.6):
        mean, out = 0.0, []
        for t, loss in enumerate(losses, 1):
            mean = beta * mean + (1 - beta) * loss
            out.append(mean / (1 - beta**t))
        return out

    train, val = smooth(train_losses), smooth(val_losses)
    if not all(map(math.isfinite, train + val)) or train[-1] > min(train) + 0.5:
        return "diverged"
    return "overfit" if val[-1] > min(val) + 0.1 else "underfit" if train[-1] > train_losses[0] / 2 else "well-fit"


@wrong("week2.diagnose")
def diagnose_in_capitals(train_losses, val_losses):
    return diagnose_by_numpy(train_losses, val_losses).upper()


@wrong("week2.diagnose")
def diagnose_arguments_swapped(train_losses, val_losses):
    return diagnose_by_numpy(val_losses, train_losses)


@wrong("week2.diagnose")
def diagnose_well_fit_always(train_losses, val_losses):
    return "well-fit"


@wrong("week2.diagnose")
def diagnose_by_the_last_training_loss(train_losses, val_losses):
    last = train_losses[-1]
    if not math.isfinite(last) or last > train_losses[0]:
        return "diverged"
    return "overfit" if last < 1.7 else "well-fit" if last < 2.7 else "underfit"
