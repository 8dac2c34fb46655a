"""From conversations to batches: prompts masked, EOS learned, order fixed by a seed."""

from collections.abc import Sequence

import torch

from course.lab.qlora.base import SetupError


def encode(records, tokenizer, max_length=512) -> list[dict]:
    """One {"input_ids": [int], "labels": [int]} per record, of equal lengths, labels -100 over the prompt.

    A record is {"messages": [{"role", "content"}, ...]} whose last message is the assistant's: the answer to be
    learned, with the end of turn that the chat template writes after it. Raises SetupError for no records, a record
    without an answer, one longer than `max_length` tokens, or a tokenizer without a chat template.
    """
    records = list(records)
    if not records:
        raise SetupError("the data set is empty: there is nothing to train on.")
    if not tokenizer.chat_template:
        raise SetupError("this tokenizer has no chat template: take an instruction-tuned model, or set one.")
    features = [_encode_one(index, record, tokenizer) for index, record in enumerate(records)]
    lengths = [len(feature["input_ids"]) for feature in features]
    if max(lengths) > max_length:
        raise SetupError(
            f"{sum(length > max_length for length in lengths)} of {len(lengths)} records are longer than {max_length} "
            f"tokens (record {lengths.index(max(lengths))} has {max(lengths)}): raise max_length or shorten them; "
            "cutting them would cut off their EOS."
        )
    return features


def _encode_one(index, record, tokenizer):
    messages = record.get("messages") or []
    if not messages or messages[-1].get("role") != "assistant" or not (messages[-1].get("content") or "").strip():
        raise SetupError(f"record {index} has no answer: its last message must be the assistant's, and not empty.")
    prompt = tokenizer.apply_chat_template(messages[:-1], add_generation_prompt=True, tokenize=False)
    whole = tokenizer.apply_chat_template(messages, tokenize=False)
    if not whole.startswith(prompt):
        raise SetupError(f"record {index}: the chat template writes the prompt otherwise once the answer follows.")
    # Encoded apart, so that no token straddles the border. The template has written BOS: a second one would shift all.
    before, answer = tokenizer([prompt, whole[len(prompt) :]], add_special_tokens=False)["input_ids"]
    return {"input_ids": before + answer, "labels": [-100] * len(before) + answer}


def collate(features, pad_id: int) -> dict:
    """A batch {"input_ids", "attention_mask", "labels"}, each (B, T) int64, padded on the right to the longest."""
    longest = max(len(feature["input_ids"]) for feature in features)
    batch = {
        "input_ids": torch.full((len(features), longest), pad_id),
        "attention_mask": torch.zeros(len(features), longest, dtype=torch.long),
        "labels": torch.full((len(features), longest), -100),
    }
    for row, feature in enumerate(features):
        length = len(feature["input_ids"])  # the mask follows the lengths: PAD may be a token that texts use
        batch["input_ids"][row, :length] = torch.tensor(feature["input_ids"])
        batch["attention_mask"][row, :length] = 1
        batch["labels"][row, :length] = torch.tensor(feature["labels"])
    return batch


class Updates(Sequence):
    """The micro-batches of every update of a run, `updates[i]` a list of batches; nothing but the seed decides them.

    Each epoch is shuffled anew; its last update holds what remains. `config.group_by_length` puts examples of similar
    length into one micro-batch, which saves the padding and still mixes the micro-batches. Raises SetupError if no
    label counts in any example.
    """

    def __init__(self, features: list[dict], pad_id: int, config):
        if not features:
            raise SetupError("the data set is empty: there is nothing to train on.")
        # Position t predicts t+1: a label in the first place is never predicted.
        if not any(label != -100 for feature in features for label in feature["labels"][1:]):
            raise SetupError("every label is masked (-100): no token would be learned; look at how prompts are masked.")
        self.features, self.pad_id, self.config = features, pad_id, config
        self.per_epoch = -(-len(features) // (config.micro_batch_size * config.accumulation_steps))
        self._epoch, self._order = None, None

    def __len__(self):
        return self.per_epoch * self.config.epochs

    def __getitem__(self, index):
        if isinstance(index, slice):
            return [self[i] for i in range(*index.indices(len(self)))]
        if not 0 <= index < len(self):
            raise IndexError(index)
        epoch, within = divmod(index, self.per_epoch)
        if epoch != self._epoch:
            self._epoch, self._order = epoch, self._micro_batches(epoch)
        k = self.config.accumulation_steps
        rows = self._order[within * k : (within + 1) * k]
        return [collate([self.features[i] for i in row], self.pad_id) for row in rows]

    def _micro_batches(self, epoch):
        """The examples' indices in micro-batches, in the order of this epoch."""
        size, generator = self.config.micro_batch_size, torch.Generator().manual_seed(self.config.seed * 1000 + epoch)
        order = torch.randperm(len(self.features), generator=generator).tolist()
        if not self.config.group_by_length:
            return [order[i : i + size] for i in range(0, len(order), size)]
        pool = 16 * size  # sorted within pools alone, so that the micro-batches of two epochs differ
        rows = []
        for i in range(0, len(order), pool):
            near = sorted(order[i : i + pool], key=lambda j: len(self.features[j]["input_ids"]))
            rows += [near[j : j + size] for j in range(0, len(near), size)]
        return [rows[i] for i in torch.randperm(len(rows), generator=generator).tolist()]
