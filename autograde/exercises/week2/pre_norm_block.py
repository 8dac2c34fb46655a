"""week2.pre_norm_block: a block of a transformer."""

from autograde.exercise import Case, Exercise, Misconception, Tolerance
from autograde.exercises.draws import integer, normal

WIDTH = 8


def _block_probe(target, inputs):
    """The answer with the parts of a block; without an answer, that block itself."""
    import torch

    x = inputs["x"]
    if inputs["block"] == "Llama":
        from transformers import LlamaConfig
        from transformers.models.llama.modeling_llama import LlamaDecoderLayer, LlamaRotaryEmbedding

        config = LlamaConfig(hidden_size=8, intermediate_size=12, num_attention_heads=2, attn_implementation="sdpa")
        block = LlamaDecoderLayer(config, layer_idx=0)
        turns = LlamaRotaryEmbedding(config)(x, torch.arange(x.shape[1])[None])
        norms, whole = (block.input_layernorm, block.post_attention_layernorm), dict(position_embeddings=turns)

        def attention(h):
            return block.self_attn(h, position_embeddings=turns, attention_mask=None)[0]
    else:
        from course.lab.gpt import Block, GPTConfig, rotary

        block = Block(GPTConfig(width=8, heads=2, mlp_width=12))
        norms, whole = (block.norm1, block.norm2), dict(zip(("cos", "sin"), rotary(x.shape[1], 4), strict=True))

        def attention(h):
            return block.attention(h, **whole)

    generator = torch.Generator().manual_seed(inputs["seed"])
    with torch.no_grad():
        for weight in block.parameters():
            weight.copy_(torch.randn(weight.shape, generator=generator) * 0.5 + (weight.ndim == 1))

    def answer(x):
        return block(x, **whole) if target is None else target(x, norms[0], attention, norms[1], block.mlp)

    if not inputs["backward"]:
        with torch.no_grad():
            return {"out": answer(x)}
    leaf = x.clone().requires_grad_()
    out = answer(leaf * 1)  # as in a model: x comes from the block below
    out.backward(inputs["backward"] * torch.cos(torch.arange(out.numel(), dtype=out.dtype)).view_as(out))
    weights = torch.cat([weight.grad.flatten() for weight in block.parameters()])
    return {"out": out, "gradient at x": leaf.grad, "gradient at the weights": weights}


def _block_cases(rng):
    def case(name, block, *shape, backward=0.0, scale=1.0):
        inputs = {"x": normal(rng, *shape, WIDTH, scale=scale), "block": block, "seed": integer(rng, 0, 10_000)}
        return Case(name, inputs | {"backward": backward})

    yield case("a block of the lab's GPT", "GPT", 2, 3)
    yield case("a block of a Llama", "Llama", 2, 3)
    yield case("a single token", "GPT", 1, 1)
    yield case("a stream of large numbers", "Llama", 1, 4, scale=30.0)
    yield case("a stream of small numbers", "GPT", 3, 2, scale=0.05)
    yield case("gradients, lab's GPT", "GPT", 2, 3, backward=1.0)
    yield case("gradients, Llama", "Llama", 2, 4, backward=0.5)


def _the_block_itself(inputs):
    return _block_probe(None, inputs)


def _post_norm(x, norm1, attention, norm2, mlp):
    x = norm1(x + attention(x))
    return norm2(x + mlp(x))


def _no_residual(x, norm1, attention, norm2, mlp):
    return mlp(norm2(attention(norm1(x))))


def _first_residual_lost(x, norm1, attention, norm2, mlp):
    x = attention(norm1(x))
    return x + mlp(norm2(x))


def _second_residual_lost(x, norm1, attention, norm2, mlp):
    return mlp(norm2(x + attention(norm1(x))))


def _norm_on_the_path(x, norm1, attention, norm2, mlp):
    x = norm1(x)
    x = norm2(x + attention(x))
    return x + mlp(x)


def _second_norm_reads_old(x, norm1, attention, norm2, mlp):
    return x + attention(norm1(x)) + mlp(norm2(x))


def _old_stream_added(x, norm1, attention, norm2, mlp):
    return x + mlp(norm2(x + attention(norm1(x))))


def _no_norms(x, norm1, attention, norm2, mlp):
    x = x + attention(x)
    return x + mlp(x)


def _norms_after_the_parts(x, norm1, attention, norm2, mlp):
    x = x + norm1(attention(x))
    return x + norm2(mlp(x))


def _norms_exchanged(x, norm1, attention, norm2, mlp):
    x = x + attention(norm2(x))
    return x + mlp(norm1(x))


def _mlp_first(x, norm1, attention, norm2, mlp):
    x = x + mlp(norm2(x))
    return x + attention(norm1(x))


def _attention_alone(x, norm1, attention, norm2, mlp):
    return x + attention(norm1(x))


def _second_norm_missing(x, norm1, attention, norm2, mlp):
    x = x + attention(norm1(x))
    return x + mlp(x)


def _in_place(x, norm1, attention, norm2, mlp):
    x = x + attention(norm1(x))
    x += mlp(norm2(x))
    return x


def _detached(x, norm1, attention, norm2, mlp):
    x = x + attention(norm1(x.detach()))
    return x + mlp(norm2(x.detach()))


_LOST = (
    "What stands on the stream is replaced where it should be added to. Follow x from the first line to the last: is "
    "it still in the sum, after each of the two parts?"
)

PRE_NORM_BLOCK = Exercise(
    id="week2.pre_norm_block",
    title="A block of a transformer",
    points=2,
    minutes=12,
    why="Every layer of a Llama is these two lines; where the norm stands decides whether a deep stack trains.",
    oracle="the decoder layer of transformers' Llama",
    cases=_block_cases,
    probe=_block_probe,
    expected=_the_block_itself,
    tolerance=Tolerance(rtol=1e-3, atol=1e-4),
    seconds=30.0,
    misconceptions=(
        Misconception(
            "post-norm",
            _post_norm,
            "You normalise after each addition, so every block rescales the whole stream: that is the post-norm of "
            "the first transformers. In a pre-norm block who reads the normalised stream, and who does not?",
        ),
        *(
            Misconception("lost residual", answer, _LOST)
            for answer in (_no_residual, _first_residual_lost, _second_residual_lost)
        ),
        Misconception(
            "norm on the residual path",
            _norm_on_the_path,
            "You add each part to the normalised stream. What a part adds itself to is the stream as it came in; the "
            "norm is for the part's eyes alone.",
        ),
        Misconception(
            "the second norm reads the old stream",
            _second_norm_reads_old,
            "Your mlp does not see what attention has added: its norm reads the x from before. Both parts then work "
            "side by side. Which x should the second one read?",
        ),
        Misconception(
            "the second part added to the old stream",
            _old_stream_added,
            "Your mlp reads what attention has added, but the result does not contain it: to which x is the mlp added?",
        ),
        Misconception(
            "no norms",
            _no_norms,
            "Your parts read the raw stream, however large its numbers are. What are norm1 and norm2 for?",
        ),
        Misconception(
            "the second norm is missing",
            _second_norm_missing,
            "Your attention reads a normalised stream, your mlp a raw one.",
        ),
        Misconception(
            "norms after the parts",
            _norms_after_the_parts,
            "You normalise what a part has written. Pre-norm means before: what should a part read?",
        ),
        Misconception(
            "norms exchanged",
            _norms_exchanged,
            "The two norms have weights of their own, and you have exchanged them: which belongs to attention?",
        ),
        Misconception("mlp first", _mlp_first, "Your mlp comes before attention. Look at the order of the arguments."),
        Misconception(
            "attention alone",
            _attention_alone,
            "The first half is right, and there is no second.",
        ),
        Misconception(
            "added in place",
            _in_place,
            "The values are right, and `backward` fails: `+=` overwrites the very numbers that a norm has kept for its "
            "gradient. Give the sum a place of its own.",
        ),
        Misconception(
            "the parts are cut off the graph",
            _detached,
            "The values are right, but no gradient flows through attention and mlp to x: where is the graph cut?",
        ),
    ),
)
