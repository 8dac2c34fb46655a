"""Answers to week 6's exercises on batch size, averages and the range test whose worth is known."""

import copy
import math
import statistics

import numpy as np
import torch

from autograde.audit import right, wrong

# --- noise_scale ------------------------------------------------------------------------------------------------------


@right("week6.noise_scale")
def scale_by_numpy(grad_sq_small, grad_sq_big, b_small, b_big):
    s, b = np.mean(grad_sq_small), np.mean(grad_sq_big)
    g2 = (b * b_big - s * b_small) / (b_big - b_small)
    if not g2 > 0:
        return np.nan
    return (s - b) / (1 / b_small - 1 / b_big) / g2


@right("week6.noise_scale")
def scale_by_elimination(grad_sq_small, grad_sq_big, b_small, b_big):
    """S first, then |G|² from the big batch's equation."""
    small, big = statistics.fmean(grad_sq_small), statistics.fmean(grad_sq_big)
    variance = (small - big) * b_small * b_big / (b_big - b_small)
    square = big - variance / b_big
    if square <= 0:
        return float("nan")
    return variance / square


@right("week6.noise_scale")
def scale_from_averaged_estimates(grad_sq_small, grad_sq_big, b_small, b_big):
    """Both estimates of every pair, averaged over the pairs."""
    signals, noises = [], []
    for one, other in zip(grad_sq_small, grad_sq_big, strict=True):
        signals.append((b_big * other - b_small * one) / (b_big - b_small))
        noises.append((one - other) / (1 / b_small - 1 / b_big))
    signal = sum(signals) / len(signals)
    return math.nan if signal <= 0 else sum(noises) / len(noises) / signal


@right("week6.noise_scale")
def scale_by_torch(grad_sq_small, grad_sq_big, b_small, b_big):
    small = torch.tensor(grad_sq_small, dtype=torch.float64).mean()
    big = torch.tensor(grad_sq_big, dtype=torch.float64).mean()
    signal = torch.true_divide(b_big * big - b_small * small, b_big - b_small)
    noise = (small - big) / (b_small**-1 - b_big**-1)
    return torch.where(signal > 0, noise / signal, torch.nan)


@right("week6.noise_scale")
def scale_from_sums(grad_sq_small, grad_sq_big, b_small, b_big):
    """The number of draws and the difference of the batch sizes cancel."""
    small, big = math.fsum(grad_sq_small), math.fsum(grad_sq_big)
    below = b_big * big - b_small * small
    return b_small * b_big * (small - big) / below if below > 0 else math.nan


@right("week6.noise_scale")
def scale_by_a_straight_line(grad_sq_small, grad_sq_big, b_small, b_big):
    """The squared norm over 1/b is a line: its slope is S, its height at 0 is |G|²."""
    means = [np.average(grad_sq_small), np.average(grad_sq_big)]
    slope = (means[1] - means[0]) / (1 / b_big - 1 / b_small)
    height = means[0] - slope / b_small
    try:
        return slope / height if height > 1e-14 * means[0] else math.nan
    except ZeroDivisionError:
        return math.nan


@wrong("week6.noise_scale", "ratios averaged")
def mean_of_quotients(grad_sq_small, grad_sq_big, b_small, b_big):
    small, big = np.array(grad_sq_small), np.array(grad_sq_big)
    signal = (b_big * big - b_small * small) / (b_big - b_small)
    noise = (small - big) / (1 / b_small - 1 / b_big)
    good = signal > 0
    return float((noise[good] / signal[good]).mean()) if good.any() else math.nan


@wrong("week6.noise_scale", "the biased ratio")
def trusts_the_big_batch(grad_sq_small, grad_sq_big, b_small, b_big):
    big = statistics.fmean(grad_sq_big)
    noise = (statistics.fmean(grad_sq_small) - big) * b_small * b_big / (b_big - b_small)
    return noise / big if big > 0 else math.nan


@wrong("week6.noise_scale", "upside down")
def signal_to_noise(grad_sq_small, grad_sq_big, b_small, b_big):
    small, big = np.mean(grad_sq_small), np.mean(grad_sq_big)
    noise = (small - big) / (1 / b_small - 1 / b_big)
    signal = big - noise / b_big
    if signal <= 1e-12 or noise == 0:
        return math.nan
    return signal / noise


@wrong("week6.noise_scale", "no NaN")
def infinite_without_a_signal(grad_sq_small, grad_sq_big, b_small, b_big):
    small, big = sum(grad_sq_small), sum(grad_sq_big)
    below = b_big * big - b_small * small
    if below <= 0:
        return float("inf")
    return b_small * b_big * (small - big) / below


@wrong("week6.noise_scale", "norms averaged, not their squares")
def squared_mean_of_norms(grad_sq_small, grad_sq_big, b_small, b_big):
    small, big = (float(np.sqrt(x).mean()) ** 2 for x in (grad_sq_small, grad_sq_big))
    signal = (b_big * big - b_small * small) / (b_big - b_small)
    return b_small * b_big * (small - big) / (b_big - b_small) / signal if signal > 0 else math.nan


@wrong("week6.noise_scale")
def scale_in_batches(grad_sq_small, grad_sq_big, b_small, b_big):
    small, big = np.mean(grad_sq_small), np.mean(grad_sq_big)
    signal = (b_big * big - b_small * small) / (b_big - b_small)
    return (small - big) / (1 / b_small - 1 / b_big) / signal / b_small if signal > 0 else math.nan


# --- weight_ema -------------------------------------------------------------------------------------------------------


@right("week6.weight_ema")
@torch.no_grad()
def ema_by_lerp(average, model, decay):
    for p, q in zip(average.parameters(), model.parameters(), strict=True):
        p.lerp_(q, 1 - decay)
    for p, q in zip(average.buffers(), model.buffers(), strict=True):
        p.copy_(q)


@right("week6.weight_ema")
def ema_by_names(average, model, decay):
    weights, buffers = dict(model.named_parameters()), dict(model.named_buffers())
    for name, mean in average.named_parameters():
        mean.data = decay * mean.data + (1 - decay) * weights[name].data
    for name, buffer in average.named_buffers():
        buffer.data = buffers[name].clone()


@right("week6.weight_ema")
def ema_by_a_state_dict(average, model, decay):
    """New tensors, loaded at the end: what a state_dict names twice is computed twice and moved once."""
    old, new, weights = average.state_dict(), {}, set()
    for name, _ in model.named_parameters(remove_duplicate=False):
        weights.add(name)
    for name, tensor in model.state_dict().items():
        new[name] = old[name] * decay + tensor * (1 - decay) if name in weights else tensor
    average.load_state_dict(new)


@right("week6.weight_ema")
def ema_by_foreach(average, model, decay):
    with torch.inference_mode(False), torch.no_grad():
        torch._foreach_lerp_(list(average.parameters()), list(model.parameters()), weight=1.0 - decay)
        mine, theirs = list(average.buffers()), list(model.buffers())
        if mine:
            torch._foreach_copy_(mine, theirs)


@right("week6.weight_ema")
def ema_by_torch(average, model, decay):
    step = torch.optim.swa_utils.get_ema_avg_fn(decay)
    for mean, weight in zip(average.parameters(), model.parameters(), strict=True):
        mean.detach().copy_(step(mean.detach(), weight.detach(), 1))
    [mine.copy_(theirs.detach()) for mine, theirs in zip(average.buffers(), model.buffers(), strict=True)]


@right("week6.weight_ema")
def ema_as_a_step_towards_the_model(average, model, decay):
    def move(target, source, share):
        target += share * (source - target)

    with torch.set_grad_enabled(False):
        for module, trained in zip(average.modules(), model.modules(), strict=True):
            for name, buffer in trained.named_buffers(recurse=False):
                getattr(module, name).copy_(buffer)
        pairs = {id(p): (p, q) for p, q in zip(average.parameters(), model.parameters(), strict=True)}
        for mean, weight in pairs.values():
            move(mean.data, weight.data, 1 - decay)


@right("week6.weight_ema")
def ema_by_module(average, model, decay):
    """Module by module, each weight once."""
    done = set()
    for name, module in average.named_modules():
        other = model.get_submodule(name)
        for key, mean in module._parameters.items():
            if mean is not None and id(mean) not in done:
                done.add(id(mean))
                mean.detach().mul_(decay).add_(other._parameters[key].detach() * (1 - decay))
        for key, buffer in module._buffers.items():
            if buffer is not None:
                buffer.copy_(other._buffers[key])


@wrong("week6.weight_ema", "decay on the wrong side")
@torch.no_grad()
def ema_lerped_by_decay(average, model, decay):
    for p, q in zip(average.parameters(), model.parameters(), strict=True):
        p.lerp_(q, decay)
    for p, q in zip(average.buffers(), model.buffers(), strict=True):
        p.copy_(q)


@wrong("week6.weight_ema", "only a copy")
def ema_by_loading(average, model, decay):
    average.load_state_dict(model.state_dict())


@wrong("week6.weight_ema", "buffers forgotten")
def ema_of_weights_alone(average, model, decay):
    for p, q in zip(average.parameters(), model.parameters(), strict=True):
        p.data.lerp_(q.data, 1 - decay)


@wrong("week6.weight_ema", "a shared weight averaged twice")
def ema_with_duplicates(average, model, decay):
    weights = dict(model.named_parameters(remove_duplicate=False))
    for name, mean in average.named_parameters(remove_duplicate=False):
        mean.data.lerp_(weights[name].data, 1 - decay)
    for mine, theirs in zip(average.buffers(), model.buffers(), strict=True):
        mine.copy_(theirs)


@wrong("week6.weight_ema", "the result is lost")
@torch.no_grad()
def ema_of_a_dict(average, model, decay):
    state = dict(average.named_parameters())
    for name, weight in model.named_parameters():
        state[name] = state[name] * decay + weight * (1 - decay)
    for mine, theirs in zip(average.buffers(), model.buffers(), strict=True):
        mine.copy_(theirs)


@wrong("week6.weight_ema")
def ema_on_the_model_instead(average, model, decay):
    for mean, weight in zip(average.parameters(), model.parameters(), strict=True):
        weight.data.lerp_(mean.data, 1 - decay)
    for mine, theirs in zip(average.buffers(), model.buffers(), strict=True):
        mine.copy_(theirs)


@wrong("week6.weight_ema")
def ema_of_a_fresh_copy(average, model, decay):
    """Works on a copy that nobody keeps."""
    mean = copy.deepcopy(average)
    for p, q in zip(mean.parameters(), model.parameters(), strict=True):
        p.data.lerp_(q.data, 1 - decay)
    return mean


# --- lr_range_test ----------------------------------------------------------------------------------------------------


@right("week6.lr_range_test")
def steepest_by_numpy(lrs, losses):
    """A moving mean of five that gets shorter at the ends, and numpy's slopes."""
    losses = np.array(losses)
    if not np.isfinite(losses).all():
        losses = losses[: np.argmin(np.isfinite(losses))]
    weights = np.convolve(np.ones(len(losses)), np.ones(5), "same")
    smooth = np.convolve(losses, np.ones(5), "same") / weights
    end = np.argmin(smooth) + 1
    return lrs[np.gradient(smooth[:end]).argmin()]


@right("week6.lr_range_test")
def steepest_of_whole_windows(lrs, losses):
    """Means of five whole entries: the window's middle is two entries on."""
    means = []
    for k in range(len(losses) - 4):
        window = losses[k : k + 5]
        if not all(map(math.isfinite, window)):
            break
        means.append(statistics.fmean(window))
    low = min(range(len(means)), key=means.__getitem__)
    best = max(range(low), key=lambda k: means[k] - means[k + 1])
    return lrs[best + 2]


@right("week6.lr_range_test")
def steepest_by_torch(lrs, losses):
    values = torch.tensor(losses, dtype=torch.float64)
    bad = (~values.isfinite()).nonzero()
    values = values[: int(bad[0])] if len(bad) else values
    padded = torch.nn.functional.pad(values[None, None], (2, 2), mode="replicate")
    smooth = padded.unfold(-1, 5, 1).mean(-1).squeeze()
    down = smooth[: int(smooth.argmin()) + 1]
    return torch.tensor(lrs)[down.diff().argmin()].item()


@right("week6.lr_range_test")
def steepest_of_running_means(lrs, losses):
    """Week 1's ema; slopes per unit of the logarithm; the middle of the two rates."""
    mean, weight, smooth = 0.0, 0.0, []
    for loss in losses:
        if loss != loss or loss in (math.inf, -math.inf):
            break
        mean, weight = 0.8 * mean + 0.2 * loss, 0.8 * weight + 0.2
        smooth += [mean / weight]
    best, where = 0.0, 0
    for k, (left, right_) in enumerate(zip(smooth[: smooth.index(min(smooth))], smooth[1:], strict=False)):
        slope = (right_ - left) / (math.log(lrs[k + 1]) - math.log(lrs[k]))
        if slope < best:
            best, where = slope, k
    return math.sqrt(lrs[where] * lrs[where + 1])


@right("week6.lr_range_test")
def steepest_of_a_mean_of_seven(lrs, losses):
    finite = losses[: next((k for k, x in enumerate(losses) if not math.isfinite(x)), len(losses))]
    smooth = [float(np.mean(finite[max(0, k - 3) : k + 4])) for k in range(len(finite))]
    low = smooth.index(min(smooth))
    slopes = {smooth[k + 1] - smooth[k - 1]: lrs[k] for k in range(1, low)}
    return slopes[min(slopes)]


@right("week6.lr_range_test")
def steepest_recursively(lrs, losses):
    def smoothed(mean, rest, count):
        if not rest or not math.isfinite(rest[0]):
            return []
        mean = mean + 0.2 * (rest[0] - mean)
        return [mean / (1 - 0.8**count)] + smoothed(mean, rest[1:], count + 1)

    smooth = smoothed(0.0, list(losses), 1)
    until = np.array(smooth)[: np.argmin(smooth) + 1]
    return float(lrs[int(np.argmax(-np.diff(until)))])


@wrong("week6.lr_range_test", "the lowest loss")
def rate_of_the_minimum(lrs, losses):
    return lrs[int(np.nanargmin([loss if math.isfinite(loss) else math.nan for loss in losses]))]


@wrong("week6.lr_range_test", "not smoothed")
def luckiest_step(lrs, losses):
    best, where, low = 0.0, 0, math.inf
    lowest = min((x, k) for k, x in enumerate(losses) if math.isfinite(x))[1]
    for k in range(lowest):
        low = losses[k + 1] - losses[k]
        if low < best:
            best, where = low, k
    return lrs[where]


@wrong("week6.lr_range_test", "per unit of learning rate")
def steepest_over_the_rate_itself(lrs, losses):
    mean, smooth = 0.0, []
    for count, loss in enumerate(losses, 1):
        if not math.isfinite(loss):
            break
        mean = 0.8 * mean + 0.2 * loss
        smooth.append(mean / (1 - 0.8**count))
    end = smooth.index(min(smooth)) + 1
    return lrs[int(np.argmin(np.diff(smooth[:end]) / np.diff(lrs[:end])))]


@wrong("week6.lr_range_test", "just before it diverges")
def largest_rate_that_lives(lrs, losses):
    return max(lr for lr, loss in zip(lrs, losses, strict=True) if math.isfinite(loss))


@wrong("week6.lr_range_test")
def always_one_hundredth(lrs, losses):
    return 0.01


@wrong("week6.lr_range_test")
def always_the_same_entry(lrs, losses):
    return lrs[len(lrs) // 2]
