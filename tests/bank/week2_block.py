"""Answers to week 2's block, linear layer and attention whose worth is known, for `autograde audit`."""

import functools
import itertools
import math

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

from autograde.audit import right, wrong

# --- pre_norm_block ---------------------------------------------------------------------------------------------------


@right("week2.pre_norm_block")
def block_by_loop(x, norm1, attention, norm2, mlp):
    for norm, part in ((norm1, attention), (norm2, mlp)):
        x = x + part(norm(x))
    return x


@right("week2.pre_norm_block")
def block_by_reduce(x, norm1, attention, norm2, mlp):
    halves = [lambda h: attention(norm1(h)), lambda h: mlp(norm2(h))]
    return functools.reduce(lambda stream, half: torch.add(stream, half(stream)), halves, x)


class _Residual(nn.Module):
    def __init__(self, *parts):
        super().__init__()
        self.parts = parts

    def forward(self, stream):
        read = stream
        for part in self.parts:
            read = part(read)
        return stream + read


@right("week2.pre_norm_block")
def block_by_modules(x, norm1, attention, norm2, mlp):
    return nn.Sequential(_Residual(norm1, attention), _Residual(norm2, mlp))(x)


@right("week2.pre_norm_block")
def block_by_a_sum_of_three(x, norm1, attention, norm2, mlp):
    written = [x]
    written.append(attention(norm1(x)))
    written.append(mlp(norm2(torch.stack(written).sum(dim=0))))
    return torch.stack(written, -1).sum(-1)


@right("week2.pre_norm_block")
def block_added_to_what_a_part_wrote(x, norm1, attention, norm2, mlp):
    heard = attention(norm1(x))
    heard += x
    thought = mlp(norm2(heard))
    thought.add_(heard)
    return thought


@right("week2.pre_norm_block")
def block_added_in_float64(x, norm1, attention, norm2, mlp):
    def plus(stream, written):
        return (stream.to(torch.float64) + written.to(torch.float64)).to(stream.dtype)

    residual = x
    hidden = norm1(x)
    hidden = attention(hidden)
    residual = plus(residual, hidden)
    hidden = norm2(residual)
    hidden = mlp(hidden)
    return plus(residual, hidden)


@right("week2.pre_norm_block")
def block_in_one_expression(x, norm1, attention, norm2, mlp):
    return (middle := x + attention(norm1(x))) + mlp(norm2(middle))


@right("week2.pre_norm_block")
def block_written_into_a_copy(x, norm1, attention, norm2, mlp):
    stream = x.clone()
    stream = torch.lerp(stream, stream + 2 * attention(norm1(stream)), 0.5)
    return torch.sub(stream, mlp(norm2(stream)), alpha=-1)


@wrong("week2.pre_norm_block", "post-norm")
def post_norm_by_loop(x, norm1, attention, norm2, mlp):
    for norm, part in [(norm1, attention), (norm2, mlp)]:
        x = norm(torch.add(part(x), x))
    return x


@wrong("week2.pre_norm_block", "lost residual")
def stream_overwritten(x, norm1, attention, norm2, mlp):
    for norm, part in [(norm1, attention), (norm2, mlp)]:
        x = part(norm(x))
    return x


@wrong("week2.pre_norm_block", "lost residual")
def residual_saved_too_late(x, norm1, attention, norm2, mlp):
    x = attention(norm1(x))
    residual = x
    x = norm2(x)
    return residual + mlp(x)


@wrong("week2.pre_norm_block", "norm on the residual path")
def residual_saved_after_the_norm(x, norm1, attention, norm2, mlp):
    for norm, part in [(norm1, attention), (norm2, mlp)]:
        x = norm(x)
        residual = x
        x = residual + part(x)
    return x


@wrong("week2.pre_norm_block", "the second norm reads the old stream")
def parts_side_by_side(x, norm1, attention, norm2, mlp):
    return torch.stack([x, attention(norm1(x)), mlp(norm2(x))]).sum(0)


@wrong("week2.pre_norm_block", "the second part added to the old stream")
def first_residual_kept_to_the_end(x, norm1, attention, norm2, mlp):
    residual = x
    x = residual + attention(norm1(x))
    x = residual + mlp(norm2(x))
    return x


@wrong("week2.pre_norm_block", "added in place")
def stream_added_to_in_place(x, norm1, attention, norm2, mlp):
    stream = x.clone()
    for norm, part in [(norm1, attention), (norm2, mlp)]:
        stream.add_(part(norm(stream)))
    return stream


@wrong("week2.pre_norm_block")
def x_itself_added_to_in_place(x, norm1, attention, norm2, mlp):
    x += attention(norm1(x))
    x += mlp(norm2(x))
    return x


@wrong("week2.pre_norm_block", "norms exchanged")
def norms_taken_from_behind(x, norm1, attention, norm2, mlp):
    for norm, part in [(norm2, attention), (norm1, mlp)]:
        x = x + part(norm(x))
    return x


@wrong("week2.pre_norm_block")
def first_norm_for_both(x, norm1, attention, norm2, mlp):
    x = x + attention(norm1(x))
    return x + mlp(norm1(x))


@wrong("week2.pre_norm_block")
def first_stream_added_twice(x, norm1, attention, norm2, mlp):
    h = x + attention(norm1(x))
    return x + h + mlp(norm2(h))


@wrong("week2.pre_norm_block")
def norms_on_both_sides(x, norm1, attention, norm2, mlp):
    x = x + norm1(attention(norm1(x)))
    return x + norm2(mlp(norm2(x)))


@wrong("week2.pre_norm_block")
def residuals_halved(x, norm1, attention, norm2, mlp):
    x = (x + attention(norm1(x))) / 2
    return (x + mlp(norm2(x))) / 2


@wrong("week2.pre_norm_block")
def without_a_graph(x, norm1, attention, norm2, mlp):
    with torch.no_grad():
        x = x + attention(norm1(x))
        return x + mlp(norm2(x))


@wrong("week2.pre_norm_block", "the parts are cut off the graph")
def norms_read_a_detached_stream(x, norm1, attention, norm2, mlp):
    for norm, part in [(norm1, attention), (norm2, mlp)]:
        x = x + part(norm(x.detach()))
    return x


# --- linear_backward --------------------------------------------------------------------------------------------------


@right("week2.linear_backward")
def linear_by_einsum(x, weight, grad_output):
    grad_x = torch.einsum("...o,oi->...i", grad_output, weight)
    grad_weight = torch.einsum("...o,...i->oi", grad_output, x)
    return grad_x, grad_weight, torch.einsum("...o->o", grad_output)


@right("week2.linear_backward")
def linear_by_numpy(x, weight, grad_output):
    a, w, g = x.numpy(), weight.numpy(), grad_output.numpy()
    lead = tuple(range(g.ndim - 1))
    return g @ w, np.tensordot(g, a, axes=(lead, lead)), g.sum(axis=lead)


@right("week2.linear_backward")
def linear_row_by_row(x, weight, grad_output):
    grad_weight, grad_bias = torch.zeros_like(weight), torch.zeros(weight.shape[0], dtype=weight.dtype)
    grad_x = torch.empty_like(x)
    for place in itertools.product(*map(range, x.shape[:-1])):
        grad_weight += torch.outer(grad_output[place], x[place])
        grad_bias += grad_output[place]
        grad_x[place] = weight.T.mv(grad_output[place])
    return grad_x, grad_weight, grad_bias


@right("week2.linear_backward")
def linear_in_pure_python(x, weight, grad_output):
    outs, ins = weight.shape
    rows, grads, w = x.reshape(-1, ins).tolist(), grad_output.reshape(-1, outs).tolist(), weight.tolist()
    grad_x = [[sum(g[o] * w[o][i] for o in range(outs)) for i in range(ins)] for g in grads]
    grad_weight = [
        [sum(g[o] * row[i] for g, row in zip(grads, rows, strict=True)) for i in range(ins)] for o in range(outs)
    ]
    return torch.tensor(grad_x).view(x.shape), grad_weight, [sum(column) for column in zip(*grads, strict=True)]


@right("week2.linear_backward")
def linear_with_the_bias_as_one_more_weight(x, weight, grad_output):
    ones = x.new_ones(*x.shape[:-1], 1)
    wide = torch.cat([x, ones], dim=-1).flatten(end_dim=-2) if x.ndim > 1 else torch.cat([x, ones])[None]
    both = grad_output.reshape(len(wide), -1).t().mm(wide)
    return (weight.t() @ grad_output.unsqueeze(-1)).squeeze(-1), both[:, :-1], both[:, -1]


class _ByHand(torch.autograd.Function):
    @staticmethod
    def backward(saved, grad):
        x, weight = saved
        while x.ndim > 2:  # one leading axis at a time
            x, grad = torch.cat(x.unbind()), torch.cat(grad.unbind())
        x, grad = x.view(-1, x.shape[-1]), grad.view(-1, grad.shape[-1])
        return grad.mm(weight), (x.mT @ grad).mT, grad.sum(dim=0)


@right("week2.linear_backward")
def linear_by_a_function_of_torch(x, weight, grad_output):
    grad_x, *others = _ByHand.backward((x, weight), grad_output)
    return grad_x.view_as(x), *others


@right("week2.linear_backward")
def linear_by_broadcasting(x, weight, grad_output):
    outer = grad_output.unsqueeze(-1).double() * x.unsqueeze(-2).double()
    bias = grad_output.double()
    while outer.ndim > 2:
        outer, bias = outer.sum(0), bias.sum(0)
    return (grad_output.unsqueeze(-1).double() * weight).sum(-2), outer, bias


@right("week2.linear_backward")
def linear_by_linear_layers(x, weight, grad_output):
    """Forward's own function leads back: with the weight transposed, and with rows in the place of features."""
    tall, flat = grad_output.view(-1, weight.size(0)).t(), x.view(-1, weight.size(1)).t()
    return F.linear(grad_output, weight.t()), F.linear(tall, flat), F.linear(tall, torch.ones_like(tall[:1]))[:, 0]


@wrong("week2.linear_backward", "mean over the batch")
def weight_averaged_over_rows(x, weight, grad_output):
    rows, grads = x.reshape(-1, x.shape[-1]), grad_output.reshape(-1, weight.shape[0])
    return grads.reshape(grad_output.shape) @ weight, grads.T @ rows / len(rows), grads.mean(0)


@wrong("week2.linear_backward", "mean over the batch")
def bias_averaged(x, weight, grad_output):
    lead = tuple(range(x.ndim - 1))
    grad_bias = grad_output.mean(lead) if lead else grad_output
    return grad_output @ weight, torch.einsum("...o,...i->oi", grad_output, x), grad_bias


@wrong("week2.linear_backward", "the gradient of the weight lies on its side")
def weight_by_einsum_on_its_side(x, weight, grad_output):
    grad_bias = torch.einsum("...o->o", grad_output)
    return grad_output @ weight, torch.einsum("...i,...o->io", x, grad_output), grad_bias


@wrong("week2.linear_backward", "the bias sums the first axis only")
def bias_summed_over_axis_0(x, weight, grad_output):
    grad_bias = grad_output.sum(dim=0) if grad_output.ndim > 1 else grad_output
    return grad_output @ weight, torch.einsum("...o,...i->oi", grad_output, x), grad_bias


@wrong("week2.linear_backward", "a weight for each sequence")
def weight_by_a_batched_product(x, weight, grad_output):
    grads, rows = (grad_output[None], x[None]) if x.ndim == 1 else (grad_output, x)
    grad_bias = grad_output.flatten(0, -2).sum(0) if grad_output.ndim > 1 else grad_output
    return grad_output @ weight, grads.transpose(-2, -1) @ rows, grad_bias


@wrong("week2.linear_backward", "results in another order")
def weight_first(x, weight, grad_output):
    grad_bias = torch.einsum("...o->o", grad_output)
    return torch.einsum("...o,...i->oi", grad_output, x), grad_bias, grad_output @ weight


@wrong("week2.linear_backward")
def rows_of_a_batch_only(x, weight, grad_output):
    if x.ndim != 2:
        raise ValueError("expected (N, inputs)")
    return grad_output @ weight, grad_output.T @ x, grad_output.sum(0)


@wrong("week2.linear_backward")
def sign_turned(x, weight, grad_output):
    rows, grads = x.reshape(-1, x.shape[-1]), grad_output.reshape(-1, weight.shape[0])
    return -grad_output @ weight, -grads.T @ rows, -grads.sum(0)


@wrong("week2.linear_backward")
def input_written_over(x, weight, grad_output):
    rows, grads = x.reshape(-1, x.shape[-1]), grad_output.reshape(-1, weight.shape[0])
    results = grads.T @ rows, grads.sum(0)
    x.copy_(grad_output @ weight)
    return x, *results


@wrong("week2.linear_backward")
def autograd_itself(x, weight, grad_output):
    leaves = x.clone().requires_grad_(), weight.clone().requires_grad_(), torch.zeros(len(weight), requires_grad=True)
    return torch.autograd.grad(F.linear(*leaves[:2], leaves[2].to(x.dtype)), leaves, grad_output)


@wrong("week2.linear_backward")
def autograd_in_forward_mode(x, weight, grad_output):
    def loss(x, weight, bias):
        return (F.linear(x, weight, bias) * grad_output).sum()

    return torch.func.jacfwd(loss, argnums=(0, 1, 2))(x, weight, torch.zeros(len(weight), dtype=x.dtype))


@wrong("week2.linear_backward")
def autograd_as_a_pullback(x, weight, grad_output):
    _, pullback = torch.func.vjp(F.linear, x, weight, torch.zeros(len(weight), dtype=x.dtype))
    return pullback(grad_output)


# --- causal_attention -------------------------------------------------------------------------------------------------


@right("week2.causal_attention")
def attention_by_an_added_mask(q, k, v):
    bias = torch.full((q.shape[-2], k.shape[-2]), float("-inf"), dtype=q.dtype).triu(1)
    weights = F.softmax(q @ k.transpose(-1, -2) * q.shape[-1] ** -0.5 + bias, dim=-1)
    return weights @ v


@right("week2.causal_attention")
def attention_query_by_query(q, k, v):
    rows = []
    for t in range(q.size(-2)):
        seen_k, seen_v = k[..., : t + 1, :], v[..., : t + 1, :]
        scores = (seen_k * q[..., t : t + 1, :]).sum(-1) / math.sqrt(q.size(-1))
        rows.append((scores.softmax(-1).unsqueeze(-1) * seen_v).sum(-2))
    return torch.stack(rows, dim=-2)


@right("week2.causal_attention")
def attention_with_a_softmax_by_hand(q, k, v):
    scores = torch.einsum("...qd,...kd->...qk", q, k) / q.shape[-1] ** 0.5
    visible = torch.tril(torch.ones_like(scores))
    top = torch.where(visible.bool(), scores, torch.finfo(scores.dtype).min).amax(-1, keepdim=True).detach()
    weights = torch.exp(torch.where(visible.bool(), scores - top, -math.inf))
    return torch.einsum("...qk,...kd->...qd", weights / weights.sum(-1, keepdim=True), v)


@right("week2.causal_attention")
def attention_in_float64_with_minus_a_billion(q, k, v):
    time = torch.arange(q.shape[-2])
    scores = (q.double() / math.sqrt(q.shape[-1])).matmul(k.double().mT)
    scores[..., time[:, None] < time] = -1e9
    return torch.matmul(torch.nn.Softmax(dim=-1)(scores), v.double())


@right("week2.causal_attention")
def attention_by_logarithms(q, k, v):
    scores = (q.unsqueeze(-2) * k.unsqueeze(-3)).sum(-1).div(q.shape[-1] ** 0.5)
    hidden = torch.ones_like(scores, dtype=torch.bool).tril().logical_not()
    scores = scores.masked_fill(hidden, -torch.inf)
    return (scores - scores.logsumexp(-1, keepdim=True)).exp() @ v


@right("week2.causal_attention")
def attention_key_by_key(q, k, v):
    """The running softmax of flash attention: one key at a time, with a maximum that may still rise."""
    length = q.shape[-2]
    top = torch.full((*q.shape[:-1], 1), -1e30, dtype=q.dtype)
    below, above = torch.zeros_like(top), torch.zeros_like(v)
    for s in range(length):
        score = (q * k[..., s : s + 1, :]).sum(-1, keepdim=True) / q.shape[-1] ** 0.5
        score = torch.where(torch.arange(length)[:, None] >= s, score, -math.inf)
        higher = torch.maximum(top, score).detach()
        shrink, weight = torch.exp(top - higher), torch.exp(score - higher)
        below, above, top = below * shrink + weight, above * shrink + weight * v[..., s : s + 1, :], higher
    return above / below


class _Attention(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.scale = 1 / math.sqrt(width)

    def mask(self, length):
        return torch.tensor([[s > t for s in range(length)] for t in range(length)])

    def forward(self, q, k, v):
        scores = torch.matmul(self.scale * q, k.swapaxes(-1, -2))
        scores = scores.masked_fill_(self.mask(scores.size(-1)), torch.finfo(scores.dtype).min)
        return scores.softmax(dim=-1).matmul(v)


@right("week2.causal_attention")
def attention_by_a_module(q, k, v):
    return _Attention(q.shape[-1])(q, k, v)


@right("week2.causal_attention")
def attention_over_flat_heads(q, k, v):
    lead, length = q.shape[:-2], q.shape[-2]
    flat = [x.reshape(-1, length, x.shape[-1]) for x in (q, k, v)]

    def one_head(q, k, v):
        rows = [
            F.pad(torch.softmax(k[: t + 1] @ q[t] / len(q[t]) ** 0.5, 0), (0, length - t - 1)) for t in range(length)
        ]
        return torch.stack(rows).mm(v)

    return torch.stack([one_head(*head) for head in zip(*flat, strict=True)]).reshape(*lead, length, -1)


@wrong("week2.causal_attention", "masked after the softmax")
def weights_of_the_future_dropped(q, k, v):
    weights = F.softmax(torch.einsum("...qd,...kd->...qk", q, k) / math.sqrt(q.shape[-1]), dim=-1)
    return torch.where(torch.ones_like(weights).tril() == 1, weights, 0.0) @ v


@wrong("week2.causal_attention", "masked after the softmax, then divided again")
def weights_of_the_future_dropped_and_mended(q, k, v):
    weights = F.softmax(torch.einsum("...qd,...kd->...qk", q, k) / math.sqrt(q.shape[-1]), dim=-1)
    return F.normalize(weights * torch.ones_like(weights).tril(), p=1, dim=-1, eps=0.0) @ v


@wrong("week2.causal_attention", "future scores set to zero")
def scores_multiplied_by_the_mask(q, k, v):
    scores = q @ k.transpose(-2, -1) / math.sqrt(q.shape[-1])
    return torch.softmax(scores * torch.ones_like(scores).tril(), -1) @ v


@wrong("week2.causal_attention", "future scores set to zero")
def scores_cut_to_a_triangle(q, k, v):
    return torch.tril(q @ k.transpose(-2, -1) / math.sqrt(q.shape[-1])).softmax(-1) @ v


@wrong("week2.causal_attention", "the mask is transposed")
def upper_triangle_kept(q, k, v):
    scores = q @ k.transpose(-2, -1) / math.sqrt(q.shape[-1])
    return scores.masked_fill(torch.ones_like(scores).triu() == 0, -math.inf).softmax(-1) @ v


@wrong("week2.causal_attention", "a token does not see itself")
def diagonal_hidden_too(q, k, v):
    scores = q @ k.transpose(-2, -1) / math.sqrt(q.shape[-1])
    time = torch.arange(q.shape[-2])
    return torch.where(time[:, None] > time, scores, -math.inf).softmax(-1) @ v


@wrong("week2.causal_attention", "one token of the future is seen")
def lower_triangle_and_one_more(q, k, v):
    scores = q @ k.transpose(-2, -1) / math.sqrt(q.shape[-1])
    visible = torch.ones_like(scores, dtype=torch.bool).tril(1)
    return torch.where(visible, scores, -math.inf).softmax(-1) @ v


@wrong("week2.causal_attention", "divided by the width")
def scale_of_the_width(q, k, v):
    scores = torch.einsum("...qd,...kd->...qk", q / q.shape[-1], k)
    bias = torch.full(scores.shape[-2:], -math.inf).triu(1)
    return (scores + bias).softmax(-1) @ v


@wrong("week2.causal_attention", "softmax over the queries")
def softmax_over_the_wrong_axis(q, k, v):
    scores = q @ k.transpose(-2, -1) / math.sqrt(q.shape[-1])
    bias = torch.full(scores.shape[-2:], -math.inf, dtype=scores.dtype).triu(1)
    return F.softmax(scores + bias, dim=scores.ndim - 2) @ v


@wrong("week2.causal_attention", "overflow")
def exp_by_hand_over_the_visible(q, k, v):
    weights = torch.exp(q @ k.transpose(-2, -1) / math.sqrt(q.shape[-1]))
    weights = torch.where(torch.ones_like(weights).tril().bool(), weights, 0.0)
    return torch.matmul(weights, v) / weights.sum(dim=-1, keepdim=True)


@wrong("week2.causal_attention")
def mask_by_the_log_of_a_small_number(q, k, v):
    scores = q @ k.transpose(-2, -1) / math.sqrt(q.shape[-1])
    return (scores + torch.log(torch.ones_like(scores).tril() + 1e-9)).softmax(-1) @ v


@wrong("week2.causal_attention")
def running_sums_without_a_softmax(q, k, v):
    weights = (q * k).sum(-1, keepdim=True) / math.sqrt(q.shape[-1])
    return (weights * v).cumsum(-2)


@wrong("week2.causal_attention")
def attention_cut_off_the_graph(q, k, v):
    scores = torch.from_numpy((q.detach() @ k.detach().mT).numpy() / np.sqrt(q.shape[-1]))
    return scores.masked_fill(torch.ones_like(scores).triu(1) == 1, -math.inf).softmax(-1) @ v.detach()


@wrong("week2.causal_attention")
def four_axes_only(q, k, v):
    b, h, t, d = q.shape
    scores = torch.bmm(q.reshape(b * h, t, d), k.reshape(b * h, t, d).mT) / d**0.5
    weights = scores.masked_fill(torch.ones(t, t).triu(1) == 1, -math.inf).softmax(-1)
    return torch.bmm(weights, v.reshape(b * h, t, -1)).reshape(b, h, t, -1)


@wrong("week2.causal_attention")
def the_library_itself(q, k, v):
    return F.scaled_dot_product_attention(q, k, v, is_causal=True)


@wrong("week2.causal_attention")
def the_library_with_a_mask(q, k, v):
    visible = torch.ones(q.shape[-2], q.shape[-2], dtype=torch.bool).tril()
    return torch.nn.functional.scaled_dot_product_attention(q.double(), k.double(), v.double(), attn_mask=visible)


@wrong("week2.causal_attention")
def the_library_by_its_operator(q, k, v):
    return torch.ops.aten.scaled_dot_product_attention(q, k, v, is_causal=True)


@wrong("week2.causal_attention")
def scores_not_scaled_for_wide_heads(q, k, v):
    scores = q @ k.transpose(-2, -1) / min(math.sqrt(q.shape[-1]), 2.0)
    return scores.masked_fill(torch.ones_like(scores).triu(1) == 1, -math.inf).softmax(-1) @ v
