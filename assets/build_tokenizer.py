"""Trains the base model's tokenizer on the corpus: byte-level BPE, 4,096 ids, saved in transformers' format.

    python assets/build_tokenizer.py         # then: python -m course.lab.assets

Ids 0, 1, 2 are PAD, BOS, EOS, all distinct. Digits stand alone, so that numbers are read digit by digit. As Llama's
own, the tokenizer puts BOS before a text unless `add_special_tokens=False`. The chat template speaks the form in which
the base model has read WordNet, so that no special token needs training.
"""

from pathlib import Path

from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers
from transformers import PreTrainedTokenizerFast

from course.lab import corpus

OUT = Path(__file__).parent / "base_model"
PAD, BOS, EOS = "<pad>", "<bos>", "<eos>"
SIZE = 4096
PER_DOMAIN = 2_500_000  # characters: enough for the merges, and no domain drowns the others

# {% generation %} marks what the assistant says, so that apply_chat_template can return its mask.
CHAT_TEMPLATE = """\
{{- bos_token -}}
{%- for message in messages -%}
{%- if message['role'] == 'user' -%}
{{- 'Question: ' + message['content'] | trim + '\\n' -}}
{%- elif message['role'] == 'assistant' -%}
{{- 'Answer:' -}}{%- generation -%}{{- ' ' + message['content'] | trim + eos_token -}}{%- endgeneration -%}
{%- elif message['role'] == 'system' -%}
{{- message['content'] | trim + '\\n' -}}
{%- endif -%}
{%- endfor -%}
{%- if add_generation_prompt -%}{{- 'Answer:' -}}{%- endif -%}
"""


def sample(domain):
    """Documents of the domain's training side, spread evenly, up to PER_DOMAIN characters."""
    documents = corpus.documents(domain, "train")
    step = max(1, sum(map(len, documents)) // PER_DOMAIN)
    return documents[::step]


def build():
    """Writes the tokenizer's files into assets/base_model and returns it."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False)]
    )
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=SIZE,
        special_tokens=[PAD, BOS, EOS],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator((text for domain in corpus.DOMAINS for text in sample(domain)), trainer)
    tokenizer.post_processor = processors.TemplateProcessing(
        single=f"{BOS} $A", pair=f"{BOS} $A {BOS} $B", special_tokens=[(BOS, tokenizer.token_to_id(BOS))]
    )
    saved = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        bos_token=BOS,
        eos_token=EOS,
        pad_token=PAD,
        model_max_length=512,
        padding_side="right",
        clean_up_tokenization_spaces=False,
        chat_template=CHAT_TEMPLATE,
    )
    saved.save_pretrained(OUT)
    return saved


if __name__ == "__main__":
    tokenizer = build()
    print(f"{len(tokenizer):,} ids in {OUT}")
    for domain in corpus.DOMAINS:
        texts = corpus.documents(domain, "held_out")[:50]
        tokens = sum(len(ids) for ids in tokenizer(list(texts), add_special_tokens=False, verbose=False)["input_ids"])
        print(f"  {domain:16}{sum(len(text.encode()) for text in texts) / tokens:.2f} bytes a token, held out")
