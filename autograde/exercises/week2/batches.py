"""Batches that keep the course's contract, drawn for the exercises that take one."""

import torch

from autograde.exercises.draws import integer, integers

VOCABULARY = 12


def batch(rng, rows=3, length=7, left=False, counted=True):
    """→ `input_ids`, `attention_mask`, unshifted `labels`, each (rows, length) int64, with padding and prompts.

    Padding holds ids like any other and stands on the right, or on the left. A prompt's labels are -100. Each row has
    a label that counts behind its first column, the first row many; with counted=False no label counts.
    """
    ids = integers(rng, 0, VOCABULARY - 1, rows, length)
    mask, labels = torch.ones_like(ids), ids.clone()
    for row in range(rows):
        padding = 0 if row == 0 else integer(rng, 1, length - 3)
        prompt = 0 if row == 0 else integer(rng, 1, length - padding - 2)
        mask[row, length - padding :] = 0
        labels[row, :prompt] = -100
        if left:
            mask[row], labels[row] = mask[row].flip(0), labels[row].roll(padding)
    labels = labels.masked_fill((mask == 0) | (not counted), -100)
    return {"input_ids": ids, "attention_mask": mask, "labels": labels.where(labels == -100, ids)}
