"""A run is the same every time, learns, counts tokens right and ends when it diverges."""

import math
from types import SimpleNamespace

import pytest
import torch
import torch.nn.functional as F

from course.lab import text, training


def trace(**arguments):
    return [(r.step, r.loss, r.lr, r.grad_norm) for r in training.tiny_run(**arguments)]


class Fixed(torch.nn.Module):
    """Logits that depend on the token alone, and dropout to be left on by mistake."""

    def __init__(self):
        super().__init__()
        self.table = torch.nn.Parameter(torch.randn(259, 259, generator=torch.Generator().manual_seed(0)))
        self.dropout = torch.nn.Dropout(0.5)

    def forward(self, input_ids, attention_mask=None):
        return SimpleNamespace(logits=self.dropout(self.table[input_ids]))


def rows(*lengths):
    generator = torch.Generator().manual_seed(1)
    return text.batch([torch.randint(256, (n,), generator=generator).tolist() for n in lengths])


def test_a_run_repeated_is_identical_and_leaves_the_global_generator_alone():
    torch.manual_seed(1)
    state = torch.get_rng_state()
    first = trace(steps=12)
    assert torch.equal(state, torch.get_rng_state())
    torch.manual_seed(2)
    assert trace(steps=12) == first
    assert trace(steps=12, seed=1) != first


def test_it_learns():
    losses = [r.loss for r in training.tiny_run(steps=200)]
    assert losses[0] == pytest.approx(math.log(259), abs=1e-3)
    assert sum(losses[-20:]) / 20 < 3.0


@pytest.mark.parametrize("optimizer", training.OPTIMIZERS)
def test_every_optimizer_lowers_the_loss(optimizer):
    losses = [r.loss for r in training.tiny_run(0.02 if optimizer == "adamw" else 0.3, steps=40, optimizer=optimizer)]
    assert losses[-1] < losses[0] - 0.5


def test_an_unknown_optimizer_is_refused_with_the_known_ones():
    with pytest.raises(ValueError, match="adamw"):
        next(training.tiny_run(optimizer="adam2"))


def test_loss_is_cross_entropy_of_the_next_token_over_the_labels_that_count():
    model, batch = Fixed().eval(), rows(7, 3, 5)
    logits = model(batch["input_ids"]).logits
    expected = F.cross_entropy(logits[:, :-1].reshape(-1, 259), batch["labels"][:, 1:].reshape(-1))
    assert training.loss(model, batch).item() == pytest.approx(expected.item(), abs=1e-6)


def test_evaluate_weighs_tokens_not_batches_and_restores_every_mode():
    model, batches = Fixed(), [rows(40), rows(3, 2)]
    model.train()
    model.dropout.eval()
    value = training.evaluate(model, iter(batches))
    assert model.training and not model.dropout.training
    model.eval()
    counts = [39, 3]
    means = [training.loss(model, b).item() for b in batches]
    assert value == pytest.approx(sum(m * n for m, n in zip(means, counts, strict=True)) / 42, abs=1e-5)
    assert abs(value - sum(means) / 2) > 1e-3, "these batches do not tell the two apart"


def test_evaluate_keeps_no_graph_and_leaves_gradients_alone():
    model = Fixed()
    assert isinstance(training.evaluate(model, [rows(4)]), float) and model.table.grad is None
    assert math.isnan(training.evaluate(model, []))


def test_schedule_and_clipping_reach_the_optimizer():
    model = Fixed().eval()
    optimizer = torch.optim.SGD(model.parameters(), lr=9.0)
    before = model.table.detach().clone()
    records = list(
        training.train(model, [rows(9)] * 3, optimizer, max_norm=0.01, schedule=lambda step: [0.0, 0.0, 1.0][step])
    )
    assert [r.lr for r in records] == [0.0, 0.0, 1.0] and records[0].grad_norm > 0.01
    assert (model.table - before).norm().item() == pytest.approx(0.01, rel=1e-3)


def test_a_diverged_run_ends_with_a_flag_and_does_not_touch_the_weights_again():
    model = Fixed()
    optimizer = torch.optim.SGD(model.parameters(), lr=1.0)
    run = training.train(model, [rows(9)] * 5, optimizer)
    assert not next(run).diverged
    model.table.data[:] = torch.inf
    last = next(run)
    assert last.diverged and last.step == 2 and next(run, None) is None


def test_a_run_pauses_between_steps():
    taken = []
    run = training.train(
        Fixed(),
        (taken.append(i) or rows(4) for i in range(5)),
        torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=1.0),
    )
    next(run)
    assert taken == [0]


def test_one_thread_restores_the_number_of_threads():
    before = torch.get_num_threads()
    with pytest.raises(KeyError), training.one_thread():
        assert torch.get_num_threads() == 1
        raise KeyError
    assert torch.get_num_threads() == before


def test_seed_tuples_give_streams_of_their_own():
    seeds = {training.generator(a, b).initial_seed() for a in range(20) for b in range(20)}
    assert len(seeds) == 400


def test_a_transformers_llama_trains_the_same_way():
    transformers = pytest.importorskip("transformers")
    config = transformers.LlamaConfig(
        vocab_size=259,
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=1,
        num_attention_heads=2,
        max_position_embeddings=64,
    )
    model = transformers.LlamaForCausalLM(config)
    batch = rows(30, 12)
    assert training.loss(model.eval(), batch).item() == pytest.approx(model(**batch).loss.item(), abs=1e-5)
    records = list(training.train(model, [batch] * 15, torch.optim.AdamW(model.parameters(), lr=1e-2)))
    assert records[-1].loss < records[0].loss - 1
