"""Answers to week 6's four schedules whose worth is known."""

import math
from dataclasses import dataclass

import numpy as np
import torch

from autograde.audit import right, wrong

# --- warmup_linear ----------------------------------------------------------------------------------------------------

LINEAR = "week6.warmup_linear"


@right(LINEAR)
def smaller_of_two_shares(step, peak_lr, warmup_steps, total_steps):
    up = step / warmup_steps if warmup_steps > 0 else math.inf
    down = (total_steps - step) / (total_steps - warmup_steps)
    return peak_lr * max(min(up, down), 0.0)


@right(LINEAR)
def three_returns(step, peak_lr, warmup_steps, total_steps):
    if step >= total_steps:
        return 0.0
    if step >= warmup_steps:
        left = total_steps - step
        return peak_lr * left / (total_steps - warmup_steps)
    return peak_lr * (step / warmup_steps)


@right(LINEAR)
def interpolated_by_numpy(step, peak_lr, warmup_steps, total_steps):
    places, values = [warmup_steps, total_steps], [peak_lr, 0.0]
    if warmup_steps:
        places, values = [0, *places], [0.0, *values]
    return np.interp(step, places, values)


@right(LINEAR)
def ramps_of_torch(step, peak_lr, warmup_steps, total_steps):
    now = torch.tensor(float(step), dtype=torch.float64)
    left = torch.relu(total_steps - now) / (total_steps - warmup_steps)
    return peak_lr * (left.clamp(max=1) if not warmup_steps else torch.minimum(now / warmup_steps, left))


@right(LINEAR)
def step_by_step(step, peak_lr, warmup_steps, total_steps):
    share = 0.0 if warmup_steps else 1.0
    for now in range(min(step, total_steps)):
        if now < warmup_steps:
            share += 1 / warmup_steps
        else:
            share -= 1 / (total_steps - warmup_steps)
    return peak_lr * share


@right(LINEAR)
def by_distance_from_the_peak(step, peak_lr, warmup_steps, total_steps):
    distance = step - warmup_steps
    side = total_steps - warmup_steps if distance >= 0 else warmup_steps
    return max(0.0, peak_lr - peak_lr * abs(distance) / side)


@right(LINEAR)
def float32_throughout(step, peak_lr, warmup_steps, total_steps):
    step, peak_lr = np.float32(step), np.float32(peak_lr)
    match bool(step < warmup_steps), bool(step > total_steps):
        case True, _:
            return peak_lr * step / np.float32(warmup_steps)
        case _, True:
            return np.float32(0)
    return peak_lr - peak_lr * (step - np.float32(warmup_steps)) / np.float32(total_steps - warmup_steps)


@wrong(LINEAR, "warmup one step ahead")
def first_update_counted_as_one(step, peak_lr, warmup_steps, total_steps):
    if step + 1 <= warmup_steps:
        return (step + 1) * (peak_lr / warmup_steps)
    return max(0.0, (total_steps - step) * (peak_lr / (total_steps - warmup_steps)))


@wrong(LINEAR, "the decay is counted from step 0")
def the_line_from_the_very_start(step, peak_lr, warmup_steps, total_steps):
    if warmup_steps > step:
        return step / warmup_steps * peak_lr
    return np.clip((total_steps - step) / total_steps, 0, 1) * peak_lr


@wrong(LINEAR, "negative after the end")
def interpolated_beyond(step, peak_lr, warmup_steps, total_steps):
    if step < warmup_steps:
        return peak_lr / warmup_steps * step
    return peak_lr + (step - warmup_steps) * (0 - peak_lr) / (total_steps - warmup_steps)


@wrong(LINEAR, "no decay")
def as_with_constant_with_warmup(step, peak_lr, warmup_steps, total_steps):
    return peak_lr * min(1.0, step / max(1, warmup_steps)) if warmup_steps else peak_lr


@wrong(LINEAR, "the factor alone")
def what_lambda_lr_wants(step, peak_lr, warmup_steps, total_steps):
    up = step / warmup_steps if warmup_steps else 1
    return float(max(0, min(1, up, (total_steps - step) / (total_steps - warmup_steps))))


@wrong(LINEAR, "division by a warmup of zero")
def line_by_interpolation_of_shares(step, peak_lr, warmup_steps, total_steps):
    rising = step / warmup_steps
    return rising * peak_lr if rising < 1 else peak_lr * max(0, total_steps - step) / (total_steps - warmup_steps)


@wrong(LINEAR)
def a_warmup_of_one_where_there_is_none(step, peak_lr, warmup_steps, total_steps):
    warmup_steps = max(1, warmup_steps)
    if step < warmup_steps:
        return peak_lr * step / warmup_steps
    return peak_lr * max(0, total_steps - step) / (total_steps - warmup_steps)


@wrong(LINEAR)
def back_up_after_the_end(step, peak_lr, warmup_steps, total_steps):
    if step < warmup_steps:
        return peak_lr * step / warmup_steps
    return peak_lr * abs(total_steps - step) / (total_steps - warmup_steps)


# --- warmup_cosine ----------------------------------------------------------------------------------------------------

COSINE = "week6.warmup_cosine"


@right(COSINE)
def weighted_mean_of_both_ends(step, max_lr, min_lr, warmup_steps, total_steps):
    if step >= total_steps:
        return min_lr
    if step >= warmup_steps:
        share = 0.5 + 0.5 * math.cos(math.pi * (step - warmup_steps) / (total_steps - warmup_steps))
        return share * max_lr + (1 - share) * min_lr
    return max_lr * step / warmup_steps


@right(COSINE)
def middle_and_amplitude(step, max_lr, min_lr, warmup_steps, total_steps):
    middle, amplitude = (max_lr + min_lr) / 2, (max_lr - min_lr) / 2
    if step < warmup_steps:
        return step * max_lr / warmup_steps
    angle = np.pi * min(step - warmup_steps, total_steps - warmup_steps) / (total_steps - warmup_steps)
    return middle + amplitude * np.cos(angle)


@right(COSINE)
def square_of_half_the_angle(step, max_lr, min_lr, warmup_steps, total_steps):
    """cos²(x/2) = (1 + cos x) / 2."""
    step = min(step, total_steps)
    if warmup_steps and step <= warmup_steps:
        return max_lr * step / warmup_steps
    half = math.pi / 2 * (step - warmup_steps) / (total_steps - warmup_steps)
    return min_lr + (max_lr - min_lr) * math.cos(half) ** 2


@right(COSINE)
def what_a_sine_has_taken_away(step, max_lr, min_lr, warmup_steps, total_steps):
    during = step < warmup_steps
    progress = step / warmup_steps if during else (step - warmup_steps) / (total_steps - warmup_steps)
    taken = math.sin(math.pi / 2 * (progress if progress < 1 else 1)) ** 2
    return progress * max_lr if during else max_lr - (max_lr - min_lr) * taken


@right(COSINE)
def torch_in_float32(step, max_lr, min_lr, warmup_steps, total_steps):
    if step < warmup_steps:
        return torch.tensor(max_lr) * step / warmup_steps
    progress = torch.tensor(step - warmup_steps).div(total_steps - warmup_steps).clamp(max=1.0)
    return torch.lerp(torch.tensor(min_lr), torch.tensor(max_lr), (torch.cos(progress * torch.pi) + 1) / 2)


@dataclass
class _Schedule:
    top: float
    low: float
    warmup: int
    total: int

    def __getitem__(self, step):
        if step < self.warmup:
            return self.top / self.warmup * step
        turned = complex(math.e) ** (1j * math.pi * (step - self.warmup) / (self.total - self.warmup))
        return self.low + (self.top - self.low) * (1 + turned.real) / 2


@right(COSINE)
def a_class_with_complex_numbers(step, max_lr, min_lr, warmup_steps, total_steps):
    return _Schedule(max_lr, min_lr, warmup_steps, total_steps)[min(step, total_steps)]


@right(COSINE)
def sum_of_all_the_steps_down(step, max_lr, min_lr, warmup_steps, total_steps):
    if step < warmup_steps:
        return math.fsum([max_lr / warmup_steps] * step)
    n, rate = total_steps - warmup_steps, max_lr
    for i in range(min(step - warmup_steps, n)):
        rate -= (max_lr - min_lr) / 2 * (math.cos(math.pi * i / n) - math.cos(math.pi * (i + 1) / n))
    return rate


@wrong(COSINE, "rises again after the end")
def cosine_without_an_end(step, max_lr, min_lr, warmup_steps, total_steps):
    if step < warmup_steps:
        return max_lr * step / warmup_steps
    angle = np.pi * (step - warmup_steps) / (total_steps - warmup_steps)
    return 0.5 * (max_lr + min_lr) + 0.5 * (max_lr - min_lr) * np.cos(angle)


@wrong(COSINE, "each rate from the one before")
def the_rate_before_shrunk(step, max_lr, min_lr, warmup_steps, total_steps):
    if step <= warmup_steps and warmup_steps:
        return step / warmup_steps * max_lr
    if step <= warmup_steps:
        return max_lr
    if step > total_steps:
        return the_rate_before_shrunk(total_steps, max_lr, min_lr, warmup_steps, total_steps)
    before = the_rate_before_shrunk(step - 1, max_lr, min_lr, warmup_steps, total_steps)
    share = 0.5 + 0.5 * math.cos(math.pi * (step - warmup_steps) / (total_steps - warmup_steps))
    return before * share + min_lr * (1 - share)


@wrong(COSINE, "progress counted from step 0")
def the_cosine_runs_from_the_start(step, max_lr, min_lr, warmup_steps, total_steps):
    low = (1 - math.cos(math.pi * min(step, total_steps) / total_steps)) / 2
    return max_lr * step / warmup_steps if step < warmup_steps else max_lr * (1 - low) + min_lr * low


@wrong(COSINE, "min_lr as a floor")
def cut_off_below(step, max_lr, min_lr, warmup_steps, total_steps):
    if step < warmup_steps:
        return max_lr * step / warmup_steps
    angle = math.pi * min(step - warmup_steps, total_steps - warmup_steps) / (total_steps - warmup_steps)
    return np.clip(max_lr * (0.5 + 0.5 * np.cos(angle)), min_lr, None)


@wrong(COSINE, "warmup from min_lr")
def both_ends_at_the_lowest(step, max_lr, min_lr, warmup_steps, total_steps):
    if step < warmup_steps:
        return min_lr + step * (max_lr - min_lr) / warmup_steps
    angle = math.pi * min(step - warmup_steps, total_steps - warmup_steps) / (total_steps - warmup_steps)
    return (max_lr + min_lr) / 2 + (max_lr - min_lr) / 2 * math.cos(angle)


@wrong(COSINE, "a straight line")
def down_along_a_line(step, max_lr, min_lr, warmup_steps, total_steps):
    if step < warmup_steps:
        return max_lr * step / warmup_steps
    return max(min_lr, max_lr - (max_lr - min_lr) * (step - warmup_steps) / (total_steps - warmup_steps))


@wrong(COSINE)
def degrees(step, max_lr, min_lr, warmup_steps, total_steps):
    if step < warmup_steps:
        return max_lr * step / warmup_steps
    progress = min(1.0, (step - warmup_steps) / (total_steps - warmup_steps))
    return min_lr + (max_lr - min_lr) * (1 + math.cos(180 * progress)) / 2


@wrong(COSINE)
def warmup_along_a_cosine_too(step, max_lr, min_lr, warmup_steps, total_steps):
    if step < warmup_steps:
        return max_lr * (1 - math.cos(math.pi * step / warmup_steps)) / 2
    progress = min(1.0, (step - warmup_steps) / (total_steps - warmup_steps))
    return min_lr + (max_lr - min_lr) * (1 + math.cos(math.pi * progress)) / 2


# --- warmup_stable_decay ----------------------------------------------------------------------------------------------

STABLE = "week6.warmup_stable_decay"


@right(STABLE)
def lengths_used_up_one_by_one(step, peak_lr, min_lr, warmup_steps, stable_steps, decay_steps):
    if step < warmup_steps:
        return (min_lr * (warmup_steps - step) + peak_lr * step) / warmup_steps
    step -= warmup_steps
    if step < stable_steps:
        return peak_lr
    step -= stable_steps
    if step < decay_steps:
        share = (1 + math.cos(math.pi * step / decay_steps)) / 2
        return peak_lr * share + min_lr * (1 - share)
    return min_lr


@right(STABLE)
def the_later_ends_first(step, peak_lr, min_lr, warmup_steps, stable_steps, decay_steps):
    bounds = np.cumsum([warmup_steps, stable_steps, decay_steps])
    span = peak_lr - min_lr
    if step >= bounds[2]:
        return min_lr
    if step >= bounds[1]:
        return peak_lr - span * np.sin(np.pi / 2 * (step - bounds[1]) / decay_steps) ** 2
    return peak_lr if step >= bounds[0] else min_lr + span * step / warmup_steps


@right(STABLE)
def phase_by_a_loop(step, peak_lr, min_lr, warmup_steps, stable_steps, decay_steps):
    shapes = (
        (warmup_steps, lambda x: x),
        (stable_steps, lambda x: 1.0),
        (decay_steps, lambda x: 0.5 + 0.5 * math.cos(math.pi * x)),
    )
    share = 0.0
    for length, shape in shapes:
        if 0 <= step < length:
            share = shape(step / length)
            break
        step -= length
    return min_lr + (peak_lr - min_lr) * share


@right(STABLE)
def the_smallest_of_the_shares(step, peak_lr, min_lr, warmup_steps, stable_steps, decay_steps):
    """Each phase as an upper limit."""
    up = step / warmup_steps if step < warmup_steps else 1.0
    late = step - (warmup_steps + stable_steps)
    down = 1.0 if late < 0 else 0.0 if late >= decay_steps else math.cos(math.pi / 2 * late / decay_steps) ** 2
    return min_lr + min(up, down) * (peak_lr - min_lr)


@right(STABLE)
def a_whole_table_first(step, peak_lr, min_lr, warmup_steps, stable_steps, decay_steps):
    up = [min_lr + (peak_lr - min_lr) * i / warmup_steps for i in range(warmup_steps)]
    down = [min_lr + (peak_lr - min_lr) * (1 + math.cos(math.pi * i / decay_steps)) / 2 for i in range(decay_steps)]
    table = up + [peak_lr] * stable_steps + down
    return table[step] if step < len(table) else min_lr


@right(STABLE)
def torch_tables(step, peak_lr, min_lr, warmup_steps, stable_steps, decay_steps):
    double = torch.float64
    up = torch.arange(warmup_steps, dtype=double) / max(warmup_steps, 1)
    angles = torch.arange(decay_steps, dtype=double).mul(math.pi).div(max(decay_steps, 1))
    shares = torch.cat([up, torch.ones(stable_steps, dtype=double), angles.cos().add(1).div(2), torch.zeros(1)])
    return torch.lerp(torch.tensor(min_lr, dtype=double), torch.tensor(peak_lr, dtype=double), shares)[
        min(step, shares.numel() - 1)
    ]


@right(STABLE)
def by_a_clock_of_the_decay(step, peak_lr, min_lr, warmup_steps, stable_steps, decay_steps):
    if (now := step - warmup_steps) < 0:
        return peak_lr + (peak_lr - min_lr) * now / warmup_steps
    begun = max(0, now - stable_steps)
    if now < stable_steps or (begun == 0 and decay_steps):
        return peak_lr
    angle = math.pi * min(begun, decay_steps) / decay_steps if decay_steps else math.pi
    return (peak_lr + min_lr + (peak_lr - min_lr) * math.cos(angle)) / 2


@wrong(STABLE, "no stable phase")
def one_long_cosine(step, peak_lr, min_lr, warmup_steps, stable_steps, decay_steps):
    if step < warmup_steps:
        return min_lr + (peak_lr - min_lr) * step / warmup_steps
    n = stable_steps + decay_steps
    done = min(step - warmup_steps, n)
    return min_lr + (peak_lr - min_lr) * math.cos(math.pi / 2 * (done / n if n else 1)) ** 2


@wrong(STABLE, "warmup from 0")
def from_nothing(step, peak_lr, min_lr, warmup_steps, stable_steps, decay_steps):
    if warmup_steps > step:
        return step * peak_lr / warmup_steps
    return lengths_used_up_one_by_one(step, peak_lr, min_lr, warmup_steps, stable_steps, decay_steps)


@wrong(STABLE, "lengths taken for steps")
def ends_taken_from_the_arguments(step, peak_lr, min_lr, warmup_steps, stable_steps, decay_steps):
    stable_ends = stable_steps if stable_steps > warmup_steps else warmup_steps
    share = step / warmup_steps if step < warmup_steps else 1.0
    late = step - stable_ends
    if late >= 0:
        share = math.cos(math.pi / 2 * late / decay_steps) ** 2 if late < decay_steps else 0
    return min_lr + (peak_lr - min_lr) * share


@wrong(STABLE, "a straight way down")
def a_trapezoid(step, peak_lr, min_lr, warmup_steps, stable_steps, decay_steps):
    up = step / warmup_steps if step < warmup_steps else 1
    left = warmup_steps + stable_steps + decay_steps - step
    down = left / decay_steps if decay_steps else float(left > 0)
    return min_lr + (peak_lr - min_lr) * max(0, min(up, down))


@wrong(STABLE, "rises again after the end")
def a_cosine_that_goes_on(step, peak_lr, min_lr, warmup_steps, stable_steps, decay_steps):
    late = step - warmup_steps - stable_steps
    if late < 0 or not decay_steps:
        return lengths_used_up_one_by_one(step, peak_lr, min_lr, warmup_steps, stable_steps, decay_steps)
    return min_lr + (peak_lr - min_lr) * math.cos(math.pi / 2 * late / decay_steps) ** 2


@wrong(STABLE, "zero after the end")
def nothing_when_it_is_over(step, peak_lr, min_lr, warmup_steps, stable_steps, decay_steps):
    over = step >= warmup_steps + stable_steps + decay_steps
    rate = lengths_used_up_one_by_one(step, peak_lr, min_lr, warmup_steps, stable_steps, decay_steps)
    return rate * (not over)


@wrong(STABLE)
def stable_and_decay_exchanged(step, peak_lr, min_lr, warmup_steps, stable_steps, decay_steps):
    return lengths_used_up_one_by_one(step, peak_lr, min_lr, warmup_steps, decay_steps, stable_steps)


# --- one_cycle --------------------------------------------------------------------------------------------------------

CYCLE = "week6.one_cycle"


@right(CYCLE)
def from_middle_and_amplitude(step, max_lr, total_steps, pct_start=0.3, div_factor=25, final_div_factor=1e4):
    def swing(begin, end, progress):
        return (begin + end) / 2 + (begin - end) / 2 * math.cos(math.pi * progress)

    initial = max_lr / div_factor
    peak = pct_start * total_steps - 1
    if step > peak:
        return swing(max_lr, initial / final_div_factor, (step - peak) / (total_steps - 1 - peak))
    return swing(initial, max_lr, step / peak)


@right(CYCLE)
def with_squares_of_a_sine(step, max_lr, total_steps, pct_start=0.3, div_factor=25, final_div_factor=1e4):
    up = total_steps * pct_start - 1
    if step < up:
        low = max_lr / div_factor
        return low + (max_lr - low) * math.sin(math.pi / 2 * step / up) ** 2
    lowest = max_lr / div_factor / final_div_factor
    return lowest + (max_lr - lowest) * math.sin(math.pi / 2 * (total_steps - 1 - step) / (total_steps - 1 - up)) ** 2


@right(CYCLE)
def one_angle_for_both_ways(step, max_lr, total_steps, pct_start=0.3, div_factor=25, final_div_factor=1e4):
    """From 0 to 2π: π at the peak."""
    angle = np.pi * np.interp(step, [0, pct_start * total_steps - 1, total_steps - 1], [0, 1, 2])
    low = max_lr / div_factor
    if angle > np.pi:
        low /= final_div_factor
    return low + (max_lr - low) * (1 - np.cos(angle)) / 2


@right(CYCLE)
def torch_in_float64(step, max_lr, total_steps, pct_start=0.3, div_factor=25, final_div_factor=1e4):
    ends = torch.tensor([1 / div_factor, 1.0, 1 / div_factor / final_div_factor], dtype=torch.float64) * max_lr
    places = torch.tensor([0.0, pct_start * total_steps - 1, total_steps - 1.0], dtype=torch.float64)
    i = int(step > places[1])
    progress = (step - places[i]) / (places[i + 1] - places[i])
    return ends[i + 1] + (ends[i] - ends[i + 1]) * (1 + torch.cos(torch.pi * progress)) / 2


@right(CYCLE)
def a_list_of_phases(step, max_lr, total_steps, pct_start=0.3, div_factor=25, final_div_factor=1e4):
    initial, up, last = max_lr / div_factor, pct_start * total_steps - 1, total_steps - 1
    phases = [(0, up, initial, max_lr), (up, last, max_lr, initial / final_div_factor)]
    for begins, ends, first, then in phases:
        if begins <= step <= ends:
            weight = (1 - math.cos(math.pi * (step - begins) / (ends - begins))) / 2
            return first * (1 - weight) + then * weight


@right(CYCLE)
def both_shares_multiplied_out(step, max_lr, total_steps, pct_start=0.3, div_factor=25, final_div_factor=1e4):
    up = pct_start * total_steps - 1
    rising = step <= up
    length = up if rising else total_steps - 1 - up
    cosine = math.cos(math.pi * abs(up - step) / length)
    bottom = 1 / div_factor if rising else 1 / (div_factor * final_div_factor)
    return max_lr * ((1 + bottom) + (1 - bottom) * cosine) / 2


@right(CYCLE)
def exponent_of_i(step, max_lr, total_steps, pct_start=0.3, div_factor=25, final_div_factor=1e4):
    up, low = pct_start * total_steps - 1, max_lr / div_factor
    match step <= up:
        case True:
            first, second, done = low, max_lr, step / up
        case False:
            first, second, done = max_lr, low / final_div_factor, 1 - (total_steps - 1 - step) / (total_steps - 1 - up)
    return second + (first - second) * abs(1 + np.exp(1j * np.pi * done)) ** 2 / 4


@wrong(CYCLE, "straight lines")
def a_triangle(step, max_lr, total_steps, pct_start=0.3, div_factor=25, final_div_factor=1e4):
    low = max_lr / div_factor
    places = [0, pct_start * total_steps - 1, total_steps - 1]
    return np.interp(step, places, [low, max_lr, low / final_div_factor])


@wrong(CYCLE, "the peak one step late")
def the_peak_at_the_share_itself(step, max_lr, total_steps, pct_start=0.3, div_factor=25, final_div_factor=1e4):
    angle = np.pi * np.interp(step, [0, pct_start * total_steps, total_steps - 1], [0, 1, 2])
    low = max_lr / div_factor if angle <= np.pi else max_lr / div_factor / final_div_factor
    return low + (max_lr - low) * (1 - np.cos(angle)) / 2


@wrong(CYCLE, "the end is measured from the peak")
def a_share_of_the_peak_at_the_end(step, max_lr, total_steps, pct_start=0.3, div_factor=25, final_div_factor=1e4):
    angle = np.pi * np.interp(step, [0, pct_start * total_steps - 1, total_steps - 1], [0, 1, 2])
    low = max_lr / (div_factor if angle <= np.pi else final_div_factor)
    return low + (max_lr - low) * (1 - np.cos(angle)) / 2


@wrong(CYCLE, "phases swapped")
def the_share_of_the_way_down(step, max_lr, total_steps, pct_start=0.3, div_factor=25, final_div_factor=1e4):
    return with_squares_of_a_sine(step, max_lr, total_steps, 1 - pct_start, div_factor, final_div_factor)


@wrong(CYCLE, "the settings not used")
def the_usual_settings(step, max_lr, total_steps, pct_start=0.3, div_factor=25, final_div_factor=1e4):
    return with_squares_of_a_sine(step, max_lr, total_steps, 0.3, 25.0, 10_000)


@wrong(CYCLE, "the end is where the start was")
def back_to_where_it_began(step, max_lr, total_steps, pct_start=0.3, div_factor=25, final_div_factor=1e4):
    return with_squares_of_a_sine(step, max_lr, total_steps, pct_start, div_factor, 1)


@wrong(CYCLE)
def products_instead_of_shares(step, max_lr, total_steps, pct_start=0.3, div_factor=25, final_div_factor=1e4):
    return with_squares_of_a_sine(step, max_lr, total_steps, pct_start, div_factor * final_div_factor, div_factor)


@wrong(CYCLE)
def geometric_instead_of_cosine(step, max_lr, total_steps, pct_start=0.3, div_factor=25, final_div_factor=1e4):
    up = pct_start * total_steps - 1
    if step <= up:
        return max_lr * div_factor ** (step / up - 1)
    return max_lr * (div_factor * final_div_factor) ** (-(step - up) / (total_steps - 1 - up))
