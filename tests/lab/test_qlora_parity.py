"""The loop of the course and transformers' Trainer take the same steps."""

import pytest
import torch
from transformers import Trainer, TrainingArguments

from course.lab import qlora
from tests.lab import qlora_bench as bench

UPDATES, ACCUMULATION, WARMUP = 50, 2, 5


class Recorded(Trainer):
    """Keeps the loss of each update unrounded: its micro-batches' losses, already divided by the update's tokens."""

    def __init__(self, *arguments, **options):
        super().__init__(*arguments, **options)
        self.losses, self.norms, self.rates, self._parts = [], [], [], []

    def training_step(self, *arguments, **options):
        loss = super().training_step(*arguments, **options)
        self._parts.append(loss.item())
        if len(self._parts) == ACCUMULATION:
            self.losses.append(sum(self._parts))
            self._parts = []
        return loss

    def _get_grad_norm(self, *arguments, **options):
        norm = super()._get_grad_norm(*arguments, **options)
        self.norms.append(float(norm))
        self.rates.append(self.optimizer.param_groups[0]["lr"])
        return norm


def by_trainer(folder, out, dtype, quantize, recorded):
    model, tokenizer = bench.adapted(folder, dtype, quantize=quantize)

    def collate(features):
        recorded.append(qlora.collate(features, tokenizer.pad_token_id))
        return {name: tensor.clone() for name, tensor in recorded[-1].items()}

    arguments = TrainingArguments(
        str(out),
        max_steps=UPDATES,
        per_device_train_batch_size=4,
        gradient_accumulation_steps=ACCUMULATION,
        learning_rate=5e-3,
        warmup_steps=WARMUP,
        lr_scheduler_type="linear",
        max_grad_norm=1.0,
        weight_decay=0.0,
        optim="adamw_torch",
        bf16=dtype == torch.bfloat16,
        use_cpu=True,
        seed=3,
        report_to="none",
        save_strategy="no",
        logging_strategy="no",
        disable_tqdm=True,
        remove_unused_columns=False,
    )
    trainer = Recorded(model, arguments, train_dataset=bench.features(tokenizer, 120), data_collator=collate)
    trainer.train()
    return trainer, bench.values(model)


@pytest.mark.parametrize(
    ("dtype", "quantize", "bound"),
    [(torch.float32, False, 1e-5), (torch.bfloat16, True, 1e-3)],
    ids=["float32", "nf4-bfloat16"],
)
def test_fifty_updates_have_the_losses_of_transformers_trainer(tiny, tmp_path, one_thread, dtype, quantize, bound):
    recorded = []
    trainer, theirs = by_trainer(tiny, tmp_path, dtype, quantize, recorded)
    batches = [recorded[i * ACCUMULATION : (i + 1) * ACCUMULATION] for i in range(UPDATES)]
    counts = [[int((batch["labels"][:, 1:] != -100).sum()) for batch in pair] for pair in batches]
    assert sum(one != other for one, other in counts) > UPDATES / 2, "these batches do not tell a mean of means apart"

    model, _ = bench.adapted(tiny, dtype, quantize=quantize)
    config = qlora.Config(lr=5e-3, warmup=WARMUP / UPDATES, dtype=dtype)
    records = list(qlora.train(model, batches, config))
    pairs = list(zip([r.loss for r in records], trainer.losses, strict=True))
    difference = max(abs(mine - other) for mine, other in pairs)
    adapters = bench.apart(bench.values(model), theirs)
    largest = max(tensor.abs().max().item() for tensor in theirs.values())
    norms = max(abs(r.grad_norm - n) / n for r, n in zip(records, trainer.norms, strict=True))
    print(f"\n{dtype}: losses differ by {difference:.2e} at most, from {pairs[0][1]:.3f} to {pairs[-1][1]:.3f};")
    print(f"adapters by {adapters:.2e} of {largest:.2f}; gradient norms by {norms:.1e} of themselves")
    assert difference <= bound
    assert adapters <= (1e-4 if dtype == torch.float32 else 0.05)
    assert [r.lr for r in records] == pytest.approx(trainer.rates, abs=1e-12)
    assert any(r.grad_norm > 1 for r in records), "nothing was clipped"
    assert records[-1].loss < records[0].loss - 0.5, "nothing was learned"
