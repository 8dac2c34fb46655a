"""Ships a pretraining run: its weights as bf16 safetensors into assets/base_model, and the model card, measured.

    python assets/model_card.py .cache/pretrain/d256-l6        # then: python -m course.lab.assets

Every figure of the card is computed here from the run's checkpoint and log, on the weights as shipped.
"""

import argparse
import json
import re
import shutil
import tempfile
from pathlib import Path

import torch
from pretrain import BATCH, CONTEXT, MIX
from transformers import AutoModelForCausalLM, AutoTokenizer, LlamaConfig, LlamaForCausalLM

from course.lab import assets, corpus, hardware
from course.lab.qlora import generate

OUT = Path(__file__).parent / "base_model"
BYTES = 200_000  # of held-out text a domain
LONGEST = 48  # tokens of an answer
QUESTIONS = 100  # held-out words asked about
OPENINGS = [
    "The module provides",
    "def read(self",
    "And the king said unto",
    "One morning, Anna went to the market",
    "Question: What can I do with a knife?\nAnswer:",
    "Question: Why is the sky blue?\nAnswer:",
]

CARD = """\
---
license: apache-2.0
library_name: transformers
---
# The base model of this course

A Llama of {parameters:,} parameters ({config.num_hidden_layers} layers of width {config.hidden_size}, \
{config.num_attention_heads} heads, {config.num_key_value_heads} for keys and values, a vocabulary of \
{config.vocab_size:,}), small enough to be fine-tuned on a laptop in a minute. It is here to be measured, changed and \
broken. It knows very little, and what it says is not to be relied on.

## Data and training

{tokens:,} tokens in windows of {context}, drawn from the texts below (rebuilt by `assets/build_corpus.py`), \
{updates:,} updates of {batch} windows by `assets/pretrain.py`: {seconds:,.0f} s on {hardware}, {loss}. \
The text of a domain was read {epochs} times on average.

| domain | share | bytes | licence |
| --- | ---: | ---: | --- |
{data}

## Bits per byte

On the first {bytes:,} bytes (or all, if there are fewer) of each domain's held-out documents, which were never \
trained on; at least {half} tokens of the same stream precede each token that counts.

| domain | bits per byte |
| --- | ---: |
{bits}
| **mean, weighted by share** | **{weighted:.3f}** |
| mean without the generated text | {natural:.3f} |

## Does it answer?

Of {questions} held-out words asked for ("What does ... mean?"), {in_form} got an answer in form: one that begins \
with a capital, ends with a full stop and then stops by itself. In form is not in substance: see for yourself.

{answers}

## How it goes on

Sampled at temperature 0.7 from the opening in bold; the first sample of each, none picked.

{samples}
"""


def quoted(text):
    """Text as a quotation in Markdown, its own markup shown as it is."""
    escaped = re.sub(r"([\\*_#`\[\]])", r"\\\1", text).replace("<", "&lt;")
    return "\n".join(f"> {line}  " for line in escaped.splitlines())


def asked_words():
    """(question, answer) of held-out words, the first of the file."""
    pairs = []
    for document in corpus.documents("wordnet", "held_out"):
        if document.startswith('Question: What does "'):
            question, answer = document.removeprefix("Question: ").split("\nAnswer: ")
            pairs.append((question, answer))
    return pairs[:QUESTIONS]


def in_form(answer, tokenizer):
    """Begins with a capital, ends with a full stop, and ended before it was cut off."""
    length = len(tokenizer(answer, add_special_tokens=False)["input_ids"])
    return answer[:1].isupper() and answer.endswith(".") and length < LONGEST - 1


@torch.no_grad()
def sample(model, tokenizer, opening):
    """The opening in bold and sixty sampled tokens."""
    torch.manual_seed(0)
    ids = tokenizer(opening, return_tensors="pt").input_ids
    output = model.generate(
        ids, attention_mask=torch.ones_like(ids), max_new_tokens=60, do_sample=True, temperature=0.7, top_p=0.95
    )
    rest = tokenizer.decode(output[0, ids.shape[1] :], skip_special_tokens=True)
    first, *more = quoted(opening).splitlines()
    bold = "\n".join(["> **" + first[2:].rstrip() + "**", *(f"> **{line[2:].rstrip()}**" for line in more)])
    return bold + quoted(rest)[2:]


def main():
    """Writes weights and card."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("run", type=Path, help="a folder of assets/pretrain.py")
    run = parser.parse_args().run
    kept = torch.load(run / "checkpoint.pt", map_location="cpu", weights_only=True)
    config = LlamaConfig.from_dict(kept["config"])
    trained = LlamaForCausalLM(config)
    trained.load_state_dict(kept["model"])
    tokenizer = AutoTokenizer.from_pretrained(OUT)
    with tempfile.TemporaryDirectory(dir=OUT.parent) as partial:
        trained.to(torch.bfloat16).save_pretrained(partial)
        for file in Path(partial).iterdir():
            shutil.move(file, OUT / file.name)
            (OUT / file.name).chmod(0o644)
    model = AutoModelForCausalLM.from_pretrained(OUT, dtype=torch.bfloat16)

    bits = {domain: corpus.bits_per_byte(model, tokenizer, domain, BYTES) for domain in MIX}
    weighted = sum(MIX[domain] * bits[domain] for domain in MIX)
    natural = [domain for domain in MIX if domain != "simple_english"]
    sizes = {domain: sum(len(text.encode()) for text in corpus.documents(domain, "train")) for domain in MIX}
    tokens = kept["step"] * BATCH * CONTEXT
    corpus_tokens = {d: len(corpus.token_ids(tokenizer, corpus.documents(d, "train"))) for d in MIX}
    pairs = asked_words()
    answers = generate(model, tokenizer, [question for question, _ in pairs], max_new_tokens=LONGEST)
    formed = sum(in_form(answer, tokenizer) for answer in answers)
    log = [json.loads(line) for line in (run / "log.jsonl").read_text().splitlines()]
    card = CARD.format(
        parameters=sum(p.numel() for p in model.parameters()),
        config=config,
        tokens=tokens,
        context=CONTEXT,
        half=CONTEXT // 2,
        batch=BATCH,
        updates=kept["step"],
        seconds=kept["seconds"],
        hardware=kept.get("hardware", hardware.short()),
        loss=f"final training loss {log[-1]['loss']:.2f} nats a token",
        epochs=f"{tokens / sum(corpus_tokens.values()):.1f}",
        data="\n".join(
            f"| {domain} | {MIX[domain]:.0%} | {sizes[domain]:,} | {licences()[domain]} |" for domain in MIX
        ),
        bytes=BYTES,
        bits="\n".join(f"| {domain} | {bits[domain]:.3f} |" for domain in MIX),
        weighted=weighted,
        natural=sum(MIX[d] * bits[d] for d in natural) / sum(MIX[d] for d in natural),
        questions=len(pairs),
        in_form=formed,
        answers="\n".join(
            f"- {question} **{answer or '(nothing)'}** (the dictionary: {true})"
            for (question, true), answer in list(zip(pairs, answers, strict=True))[:8]
        ),
        samples="\n\n".join(sample(model, tokenizer, opening) for opening in OPENINGS),
    )
    (OUT / "README.md").write_text(card, encoding="utf-8")
    print(card)


def licences():
    """{domain: licence}, as the manifest says."""
    listed = assets.manifest()
    return {d: listed["stdlib.json.xz" if d == "stdlib" else f"corpus/{d}.json.xz"]["licence"] for d in MIX}


if __name__ == "__main__":
    main()
