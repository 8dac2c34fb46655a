"""Answers to next_token_pairs and sample whose worth is known, for `autograde audit`."""

import itertools
import math
import random
from dataclasses import dataclass

import numpy as np
import torch

from autograde.audit import right, wrong

# --- next_token_pairs -------------------------------------------------------------------------------------------------


@right("week1.next_token_pairs")
def pairs_by_lists(input_ids, attention_mask, ignore_index=-100):
    inputs, labels = [], []
    for ids, mask in zip(input_ids.tolist(), attention_mask.tolist(), strict=True):
        inputs.append(ids[:-1])
        labels.append([token if real else ignore_index for token, real in zip(ids[1:], mask[1:], strict=True)])
    return torch.tensor(inputs), torch.tensor(labels)


@right("week1.next_token_pairs")
def pairs_by_arithmetic(input_ids, attention_mask, ignore_index=-100):
    labels = input_ids * attention_mask + ignore_index * (1 - attention_mask)
    return [input_ids.narrow(1, 0, input_ids.shape[1] - 1), labels.narrow(1, 1, labels.shape[1] - 1)]


@right("week1.next_token_pairs")
def pairs_in_place_on_a_copy(input_ids, attention_mask, ignore_index=-100):
    labels = input_ids.clone()
    labels[~attention_mask.bool()] = ignore_index
    return input_ids[:, :-1].to(torch.int32), labels.roll(-1, dims=1)[:, :-1]


@right("week1.next_token_pairs")
def pairs_by_numpy(input_ids, attention_mask, ignore_index=-100):
    labels = np.where(attention_mask.numpy()[:, 1:] == 1, input_ids.numpy()[:, 1:], ignore_index)
    return input_ids.numpy()[:, :-1], labels


@right("week1.next_token_pairs")
def pairs_by_unfold(input_ids, attention_mask, ignore_index=-100):
    inputs, following = input_ids.unfold(1, 2, 1).unbind(-1)
    return inputs, following.where(attention_mask[:, 1:].bool(), ignore_index)


@right("week1.next_token_pairs")
def pairs_place_by_place(input_ids, attention_mask, ignore_index=-100):
    rows, length = input_ids.shape
    inputs = torch.empty(rows, length - 1, dtype=torch.long)
    labels = torch.full_like(inputs, ignore_index)
    for b, t in itertools.product(range(rows), range(length - 1)):
        inputs[b, t] = input_ids[b, t]
        if attention_mask[b, t + 1] == 1:
            labels[b, t] = input_ids[b, t + 1]
    return inputs, labels


@right("week1.next_token_pairs")
def pairs_by_a_generator(input_ids, attention_mask, ignore_index=-100):
    def labelled(ids, mask):
        for (token, _), (following, real) in itertools.pairwise(zip(ids, mask, strict=True)):
            yield token, following if real else ignore_index

    rows = [list(labelled(*row)) for row in zip(input_ids.tolist(), attention_mask.tolist(), strict=True)]
    both = torch.tensor(rows)
    return both[..., 0], both[..., 1]


@dataclass
class _Batch:
    ids: torch.Tensor
    mask: torch.Tensor

    def __getitem__(self, columns):
        return _Batch(self.ids[:, columns], self.mask[:, columns])

    def masked(self, value):
        return self.ids.masked_fill(self.mask.logical_not(), value)


@right("week1.next_token_pairs")
def pairs_by_a_dataclass(input_ids, attention_mask, ignore_index=-100):
    batch = _Batch(input_ids, attention_mask)
    return batch[:-1].ids, batch[1:].masked(ignore_index)


@wrong("week1.next_token_pairs", "no shift")
def copies_of_the_inputs(input_ids, attention_mask, ignore_index=-100):
    labels = torch.where(attention_mask.bool(), input_ids, ignore_index)
    return input_ids[:, :-1], labels[:, :-1]


@wrong("week1.next_token_pairs", "shifted twice")
def rolled_twice(input_ids, attention_mask, ignore_index=-100):
    labels = torch.where(attention_mask.bool(), input_ids, ignore_index)[:, 1:].roll(-1, 1)
    labels[:, -1] = ignore_index
    return input_ids[:, :-1], labels


@wrong("week1.next_token_pairs", "masked by the input's place")
def masked_before_the_shift(input_ids, attention_mask, ignore_index=-100):
    labels = input_ids[:, 1:].clone()
    labels[attention_mask[:, :-1] == 0] = ignore_index
    return input_ids[:, :-1], labels


@wrong("week1.next_token_pairs", "padding kept as a label")
def mask_not_read(input_ids, attention_mask, ignore_index=-100):
    return input_ids[:, :-1].clone(), input_ids.roll(-1, 1)[:, :-1].clone()


@wrong("week1.next_token_pairs", "masked by the padding id")
def eos_never_a_label(input_ids, attention_mask, ignore_index=-100):
    special = torch.tensor([257, 258])
    labels = input_ids[:, 1:].clone()
    labels[torch.isin(labels, special)] = ignore_index
    return input_ids[:, :-1], labels


@wrong("week1.next_token_pairs")
def padding_id_read_off_the_mask(input_ids, attention_mask, ignore_index=-100):
    padding = input_ids[attention_mask == 0]
    labels = input_ids[:, 1:].clone()
    if len(padding):
        labels[labels == padding[0]] = ignore_index
    return input_ids[:, :-1], labels


@wrong("week1.next_token_pairs")
def written_into_the_callers_ids(input_ids, attention_mask, ignore_index=-100):
    labels = input_ids[:, 1:]
    inputs = input_ids[:, :-1].clone()
    labels[attention_mask[:, 1:] == 0] = ignore_index
    return inputs, labels


@wrong("week1.next_token_pairs")
def always_minus_100(input_ids, attention_mask, ignore_index=-100):
    return input_ids[:, :-1], input_ids[:, 1:].masked_fill(attention_mask[:, 1:] == 0, -100)


@wrong("week1.next_token_pairs")
def both_ends_must_be_real(input_ids, attention_mask, ignore_index=-100):
    both = (attention_mask[:, 1:] * attention_mask[:, :-1]).bool()
    return input_ids[:, :-1], input_ids[:, 1:].where(both, ignore_index)


@wrong("week1.next_token_pairs")
def labels_as_floats(input_ids, attention_mask, ignore_index=-100):
    labels = input_ids[:, 1:].masked_fill(attention_mask[:, 1:] == 0, ignore_index)
    return input_ids[:, :-1], labels.float()


@wrong("week1.next_token_pairs", "the token before")
def labels_and_inputs_exchanged(input_ids, attention_mask, ignore_index=-100):
    labels = torch.where(attention_mask.bool(), input_ids, ignore_index)
    return input_ids.narrow(1, 1, input_ids.shape[1] - 1), labels.narrow(1, 0, labels.shape[1] - 1)


@wrong("week1.next_token_pairs", "masked where an id repeats")
def runs_taken_for_padding(input_ids, attention_mask, ignore_index=-100):
    labels = input_ids[:, 1:].clone()
    labels[input_ids.diff(dim=1) == 0] = ignore_index
    return input_ids[:, :-1], labels


@wrong("week1.next_token_pairs", "masked where an id repeats")
def runs_of_special_ids_taken_for_padding(input_ids, attention_mask, ignore_index=-100):
    labels = input_ids[:, 1:].clone()
    labels[(labels == input_ids[:, :-1]) & (labels >= 257)] = ignore_index
    return input_ids[:, :-1], labels


# --- sample -----------------------------------------------------------------------------------------------------------


@right("week1.sample")
def sample_by_gumbel_noise(logits, temperature, top_k, generator):
    if top_k is not None and top_k < logits.shape[1]:
        logits = logits.masked_fill(logits < torch.sort(logits, descending=True).values[:, [top_k - 1]], -torch.inf)
    if temperature == 0:
        return torch.argmax(logits, 1)
    uniform = torch.rand(logits.shape, generator=generator, dtype=torch.float64)
    return (logits / temperature - torch.log(-torch.log(uniform))).argmax(1)


@right("week1.sample")
def sample_by_inverse_of_the_sum(logits, temperature, top_k, generator):
    k = min(top_k or logits.shape[1], logits.shape[1])
    values, places = logits.sort(dim=1, descending=True)
    if temperature == 0:
        return places[:, 0]
    sums = torch.softmax(values[:, :k].double() / temperature, 1).cumsum(1)
    rank = (torch.rand(len(logits), 1, generator=generator, dtype=torch.float64) * sums[:, -1:] > sums).sum(1)
    return places[torch.arange(len(logits)), rank]


@right("week1.sample")
def sample_row_by_row(logits, temperature, top_k, generator):
    ids = []
    for row in logits:
        values, places = row.topk(min(top_k or len(row), len(row)))
        if temperature == 0:
            ids.append(int(places[0]))
        else:
            weights = ((values - values[0]) / temperature).exp()
            ids.append(int(places[torch.multinomial(weights, 1, generator=generator)]))
    return torch.tensor(ids)


@right("week1.sample")
def sample_by_zeroed_probabilities(logits, temperature, top_k, generator):
    if not temperature:
        return logits.max(-1).indices
    p = torch.softmax(logits / temperature, -1)
    if top_k is not None:
        kept = p.topk(min(top_k, p.shape[-1]), -1)
        p = torch.zeros_like(p).scatter(-1, kept.indices, kept.values)
    return torch.multinomial(p / p.sum(-1, keepdim=True), 1, generator=generator)[:, 0]


@right("week1.sample")
def sample_from_the_kept_alone(logits, temperature, top_k, generator):
    match temperature, top_k:
        case 0, _:
            return logits.argmax(dim=1)
        case _, None:
            k = logits.size(1)
        case _, k:
            k = min(k, logits.size(1))
    kept, places = torch.topk(logits, k)
    picked = torch.multinomial((kept / temperature).softmax(1), num_samples=1, generator=generator)
    return places.gather(1, picked).squeeze(1)


@right("week1.sample")
def sample_in_pure_python(logits, temperature, top_k, generator):
    luck = random.Random(int(torch.randint(2**62, (), generator=generator)))

    def draw(row):
        order = sorted(range(len(row)), key=row.__getitem__, reverse=True)[:top_k]
        if not temperature:
            return order[0]
        weights = [math.exp((row[place] - row[order[0]]) / temperature) for place in order]
        return luck.choices(order, weights)[0]

    return torch.tensor([draw(row) for row in logits.tolist()])


@right("week1.sample")
def sample_by_a_race(logits, temperature, top_k, generator):
    """The token whose exponential clock rings first."""
    scores = logits.double().clone()
    if temperature > 0:
        scores /= temperature
    if top_k:
        rank = scores.argsort(1, descending=True).argsort(1)
        scores[rank >= top_k] = -math.inf
    if temperature > 0:
        scores -= torch.empty_like(scores).exponential_(generator=generator).log_()
    return torch.max(scores, 1)[1]


@right("week1.sample")
def sample_by_searchsorted(logits, temperature, top_k, generator):
    if temperature == 0.0:
        return torch.from_numpy(np.argmax(logits.numpy(), axis=-1))
    order = np.argsort(-logits.numpy(), axis=-1)[:, :top_k]
    kept = torch.take_along_dim(logits, torch.from_numpy(order), 1).double() / temperature
    sums = kept.softmax(1).cumsum(1)
    point = torch.rand((len(sums), 1), generator=generator, dtype=torch.float64) * sums[:, -1:]
    return torch.from_numpy(order).gather(1, torch.searchsorted(sums, point).clamp(max=order.shape[1] - 1)).view(-1)


def _softmax_draw(logits, generator):
    return torch.multinomial(torch.softmax(logits, -1), 1, generator=generator)[:, 0]


def _keep(logits, top_k):
    kept = logits.topk(min(top_k or logits.shape[1], logits.shape[1])).indices
    return logits + torch.full_like(logits, -torch.inf).scatter(1, kept, 0.0)


@wrong("week1.sample", "softmax before top-k")
def softmax_of_the_kept_probabilities(logits, temperature, top_k, generator):
    if temperature == 0:
        return logits.argmax(1)
    p = torch.softmax(logits / temperature, 1)
    values, places = p.topk(min(top_k or p.shape[1], p.shape[1]))
    return places.gather(1, torch.multinomial(torch.softmax(values, 1), 1, generator=generator))[:, 0]


@wrong("week1.sample", "temperature after the softmax")
def temperature_has_no_effect(logits, temperature, top_k, generator):
    return _softmax_draw(_keep(logits, top_k), generator) if temperature else logits.argmax(1)


@wrong("week1.sample", "temperature multiplied")
def inverse_temperature(logits, temperature, top_k, generator):
    return _softmax_draw(_keep(logits, top_k) / (1 / temperature), generator) if temperature else logits.argmax(1)


@wrong("week1.sample", "division by temperature 0")
def no_special_case(logits, temperature, top_k, generator):
    return _softmax_draw(_keep(logits, top_k).div(temperature), generator)


@wrong("week1.sample", "the global generator")
def global_noise(logits, temperature, top_k, generator):
    if temperature == 0:
        return logits.argmax(1)
    noise = -torch.empty_like(logits).exponential_().log()
    return (_keep(logits, top_k) / temperature + noise).argmax(1)


@wrong("week1.sample")
def global_generator_reseeded(logits, temperature, top_k, generator):
    torch.manual_seed(generator.initial_seed())
    return _softmax_draw(_keep(logits, top_k) / temperature, None) if temperature else logits.argmax(1)


@wrong("week1.sample")
def generator_of_its_own(logits, temperature, top_k, generator):
    own = torch.Generator().manual_seed(0)
    return _softmax_draw(_keep(logits, top_k) / temperature, own) if temperature else logits.argmax(1)


@wrong("week1.sample")
def threshold_of_the_first_row(logits, temperature, top_k, generator):
    if temperature == 0:
        return logits.argmax(1)
    smallest = logits[0].sort(descending=True).values[min(top_k or 99, logits.shape[1]) - 1]
    masked = logits.masked_fill(logits < smallest, -1e9)
    return _softmax_draw(masked / temperature, generator)


@wrong("week1.sample", "top_k ignored")
def top_k_ignored(logits, temperature, top_k, generator):
    return _softmax_draw(logits / temperature, generator) if temperature else logits.argmax(1)


@wrong("week1.sample")
def masked_with_zero(logits, temperature, top_k, generator):
    if temperature == 0:
        return logits.argmax(1)
    kept = logits.topk(min(top_k or logits.shape[1], logits.shape[1])).indices
    return _softmax_draw(torch.zeros_like(logits).scatter(1, kept, logits.gather(1, kept)) / temperature, generator)


@wrong("week1.sample")
def one_column_too_many(logits, temperature, top_k, generator):
    if temperature == 0:
        return logits.argmax(1, keepdim=True)
    return _softmax_draw(_keep(logits, top_k) / temperature, generator)[:, None]


@wrong("week1.sample")
def any_of_the_top_k(logits, temperature, top_k, generator):
    if temperature == 0:
        return logits.argmax(1)
    return _softmax_draw((_keep(logits, top_k) > -torch.inf).float().log(), generator)


@wrong("week1.sample", "neither setting is used")
def plain_softmax(logits, temperature, top_k, generator):
    return _softmax_draw(logits.double(), generator)


@wrong("week1.sample")
def plain_softmax_but_for_temperature_0(logits, temperature, top_k, generator):
    return _softmax_draw(logits, generator) if temperature else logits.argmax(1)


@wrong("week1.sample")
def large_top_k_cut_too_low(logits, temperature, top_k, generator):
    if temperature == 0:
        return logits.argmax(1)
    if top_k is not None:
        top_k = min(top_k, logits.shape[1] - 1)
    return _softmax_draw(_keep(logits, top_k) / temperature, generator)


@wrong("week1.sample")
def temperature_written_into_the_logits(logits, temperature, top_k, generator):
    if temperature == 0:
        return logits.argmax(1)
    logits /= temperature
    return _softmax_draw(_keep(logits, top_k), generator)


@wrong("week1.sample")
def masked_with_minus_ten(logits, temperature, top_k, generator):
    if temperature == 0:
        return logits.argmax(1)
    kept = logits.topk(min(top_k or logits.shape[1], logits.shape[1])).indices
    masked = torch.full_like(logits, -10.0).scatter(1, kept, logits.gather(1, kept))
    return _softmax_draw(masked / temperature, generator)


@wrong("week1.sample")
def softmax_by_hand(logits, temperature, top_k, generator):
    if temperature == 0:
        return logits.argmax(1)
    weights = (_keep(logits, top_k) / temperature).exp()
    return torch.multinomial(weights / weights.sum(-1, keepdim=True), 1, generator=generator)[:, 0]


@wrong("week1.sample")
def a_little_of_every_token(logits, temperature, top_k, generator):
    if temperature == 0:
        return logits.argmax(1)
    p = torch.softmax(_keep(logits, top_k) / temperature, -1)
    return torch.multinomial(0.9 * p + 0.1 / p.shape[1], 1, generator=generator)[:, 0]


@wrong("week1.sample")
def temperature_0_is_a_small_one(logits, temperature, top_k, generator):
    return _softmax_draw(_keep(logits, top_k) / max(temperature, 0.01), generator)


@wrong("week1.sample")
def low_temperatures_taken_for_0(logits, temperature, top_k, generator):
    if temperature < 0.35:
        return logits.argmax(1)
    return _softmax_draw(_keep(logits, top_k) / temperature, generator)


@wrong("week1.sample")
def temperature_lost_beside_top_k(logits, temperature, top_k, generator):
    if temperature == 0:
        return logits.argmax(1)
    return _softmax_draw(_keep(logits, top_k) if top_k else logits / temperature, generator)
