"""This course's loop against transformers' Trainer on the same job: speed, memory and loss, in one run.

python -m course.lab.qlora.cost
"""

import statistics
import tempfile
import time
from collections.abc import Callable

import torch
from transformers import DataCollatorForSeq2Seq, PrinterCallback, Trainer, TrainingArguments

from course.lab import banking, qlora
from course.lab.peak import PeakMemory

ROUNDS = 3  # of each, in turn: other programs then slow both
EXAMPLES, HELD_OUT = 240, 60
CONFIG = qlora.Config()


def _ours(model, tokenizer, features):
    for _ in qlora.train(model, qlora.Updates(features, tokenizer.pad_token_id, CONFIG), CONFIG):
        pass


def _trainer(model, tokenizer, features):
    """Trainer as people call it: the model's own attention, its own data order, logits for every token."""
    model.set_attn_implementation("sdpa")
    with tempfile.TemporaryDirectory() as folder:
        arguments = TrainingArguments(
            folder,
            per_device_train_batch_size=CONFIG.micro_batch_size,
            num_train_epochs=CONFIG.epochs,
            learning_rate=CONFIG.lr,
            warmup_steps=CONFIG.warmup,
            lr_scheduler_type=CONFIG.schedule,
            weight_decay=CONFIG.weight_decay,
            max_grad_norm=CONFIG.max_norm,
            bf16=True,
            use_cpu=not torch.cuda.is_available(),
            dataloader_pin_memory=False,
            report_to="none",
            save_strategy="no",
            logging_strategy="no",
            disable_tqdm=True,
        )
        collator = DataCollatorForSeq2Seq(tokenizer)
        trainer = Trainer(model, arguments, train_dataset=features, data_collator=collator, processing_class=tokenizer)
        trainer.remove_callback(PrinterCallback)
        trainer.train()


WAYS: dict[str, Callable] = {"loop": _ours, "trainer": _trainer}


def compare(device="cpu", threads: int = 1, source=None) -> dict:
    """{"loop": {...}, "trainer": {...}, "ratio"}: medians over the rounds of tokens of examples per second, the most
    bytes held at once by one update's tensors, and the held-out loss in nats after one epoch.

    On a CPU the clock is the process's own, so that other programs count less.
    """
    clock = time.perf_counter if torch.device(device).type == "cuda" else time.process_time
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        found = {name: {"seconds": [], "loss": None, "peak_bytes": None} for name in WAYS}
        for number in range(ROUNDS + 1):
            for name, way in WAYS.items():
                model, tokenizer = qlora.load_base(source or qlora.shipped(), device)
                model = qlora.add_lora(model)
                features = qlora.encode(list(banking.load("train"))[:EXAMPLES], tokenizer)
                if number == ROUNDS:  # the last round measures memory, which slows what it measures
                    with PeakMemory() as memory:
                        way(model, tokenizer, features[: 4 * CONFIG.micro_batch_size])
                    found[name]["peak_bytes"] = memory.peak
                    continue
                began = clock()
                way(model, tokenizer, features)
                found[name]["seconds"].append(clock() - began)
                if number == 0:
                    held_out = qlora.encode(list(banking.load("held_out"))[:HELD_OUT], tokenizer)
                    found[name]["loss"] = qlora.evaluate(model, [qlora.collate(held_out, tokenizer.pad_token_id)])
    finally:
        torch.set_num_threads(before)
    tokens = sum(len(feature["input_ids"]) for feature in features)
    for one in found.values():
        one["tokens_per_s"] = tokens / statistics.median(one["seconds"])
    return found | {"ratio": found["loop"]["tokens_per_s"] / found["trainer"]["tokens_per_s"]}


if __name__ == "__main__":
    result = compare()
    for name in WAYS:
        facts = result[name]
        print(
            f"{name:8}{facts['tokens_per_s']:8,.0f} tokens/s   peak {facts['peak_bytes'] / 2**20:6.1f} MiB   "
            f"held-out loss {facts['loss']:.3f}"
        )
    print(f"ratio   {result['ratio']:8.2f}")
