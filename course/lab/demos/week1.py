"""Week 1: a run before any formula, then the loss, temperature, the first loss and perplexity, each under a slider."""

import functools
import math

import ipywidgets as widgets
import torch

from course.lab import plots, text, training
from course.lab.gpt import GPT, GPTConfig
from course.lab.live import LivePanel, control

PROMPTS = ("import ", "    def __", "self.", "    return ", "for i in ")


def visible(string: str) -> str:
    """One line of printable ASCII: line breaks as a pilcrow, anything else that does not print as a dot."""
    return "".join("¶" if c == "\n" else c if " " <= c <= "~" else "·" for c in string)


@functools.cache
def trained(steps: int = 300, seed: int = 0) -> GPT:
    """The tiny model after `steps` steps, trained on the first call in this process."""
    model = training.tiny_model(seed)
    with training.one_thread():
        for _ in training.tiny_run(2e-2, 16, steps, seed, model=model):
            pass
    return model.eval()


def samples(model, rows: int, length: int, seed: int = 0, prompt: str = "def ") -> list[str]:
    """`rows` continuations of `prompt`, `length` bytes each; the same seed draws the same random numbers for any
    model.
    """
    ids = torch.tensor([text.encode(prompt)] * rows)
    return [text.decode(row) for row in model.generate(ids, length, 0.8, generator=training.generator(seed, 2))]


def opening_run(steps: int = 400) -> LivePanel:
    """A number falls while what the model writes turns from noise into something like Python."""
    rows, length, every = 8, 40, 25
    fig, (left, right) = plots.figure(2, widths=(1, 1.15))
    plots.style(left, "Step (updates)", "Loss (nats per byte)", "A number falls", xlim=(0, steps), ylim=(1.5, 6))
    right.set_title("What the model writes after “def ”", fontsize=plots.FONT, loc="left")
    right.set(xlim=(0, 1), ylim=(0, 1))
    right.axis("off")
    (raw,) = left.plot([], [], color=plots.SKY, lw=1)
    (line,) = left.plot([], [], color=plots.BLUE, lw=2.5)
    lines = [
        right.text(0, 0.93 - 0.115 * i, "", family="monospace", fontsize=plots.FONT - 1, va="center")
        for i in range(rows)
    ]
    age = right.text(0, 0.0, "", fontsize=plots.FONT - 1, color=plots.GREY)
    blit = plots.Blit(fig, [raw, line, *lines, age])

    def job(seed):
        with training.one_thread():
            model = training.tiny_model(seed)
            losses, written = [], (0, samples(model, rows, length, seed))
            yield losses, written
            for record in training.tiny_run(2e-2, 16, steps, seed, model=model):
                losses.append(record.loss)
                if record.step % every == 0 or record.step in (3, 6, 12):
                    written = record.step, samples(model, rows, length, seed)
                yield losses, written

    def draw(state):
        losses, (step, written) = state
        raw.set_data(range(1, len(losses) + 1), losses)
        width = 10
        means = [sum(losses[max(0, i - width) : i]) / min(i, width) for i in range(1, len(losses) + 1)]
        line.set_data(range(1, len(means) + 1), means)
        for artist, one in zip(lines, written, strict=True):
            artist.set_text(visible(one))
        age.set_text(f"(written at step {step})")
        words = plots.curve_words("the loss", means, "nats per byte") if means else "a model that has seen nothing"
        return blit.png(), f"Step {len(losses)} of {steps}: {words}. It writes: {visible(written[0])}"

    return LivePanel(
        {"seed": control(widgets.IntSlider, "Another start (seed)", min=0, max=9)},
        job,
        draw,
        stop=True,
        note="¶ is a line break, · a byte that does not print. The model reads 64 bytes and guesses the next one.",
    )


def loss_of_probability() -> LivePanel:
    """-ln p, its slope, and what halving p costs."""
    fig, (ax,) = plots.figure(1)
    plots.style(ax, "Probability p given to the token that came", "Loss −ln p (nats)", xlim=(0, 1), ylim=(0, 6))
    grid = [i / 1000 for i in range(2, 1001)]
    ax.plot(grid, [-math.log(p) for p in grid], color=plots.BLUE, lw=2.5)
    (tangent,) = ax.plot([], [], color=plots.ORANGE, lw=2)
    (step,) = ax.plot([], [], color=plots.VERMILION, lw=2)
    (dot,) = ax.plot([], [], "o", color=plots.BLUE, ms=11)
    names = [
        ax.text(0, 0, "", fontsize=plots.FONT, va="center", color=colour) for colour in (plots.BLACK, plots.VERMILION)
    ]
    blit = plots.Blit(fig, [tangent, step, dot, *names])

    def draw(p):
        loss = -math.log(p)
        dot.set_data([p], [loss])
        reach = [max(0.0, p - 0.25), min(1.0, p + 0.25)]
        tangent.set_data(reach, [loss - (x - p) / p for x in reach])
        step.set_data([p, p / 2, p / 2], [loss, loss, loss + math.log(2)])
        names[0].set(
            text=f"p = {p:.2f}: {loss:.2f} nats,\nslope −1/p = {-1 / p:.1f}".replace("= -", "= −"),
            position=(min(p + 0.03, 0.72), loss + 0.55),
        )
        names[1].set(text="p/2: + 0.69", position=(p / 2 + 0.01, min(loss + math.log(2) + 0.25, 5.8)))
        return blit.png(), (
            f"p = {p:.2f}: loss {loss:.3f} nats = {loss / math.log(2):.3f} bits, slope {-1 / p:.1f}. "
            f"Half the probability costs ln 2 = {math.log(2):.3f} nats more, from anywhere on the curve."
        )

    return LivePanel(
        {"p": control(widgets.FloatSlider, "Probability p", min=0.01, max=1.0, step=0.01, value=0.25)},
        lambda p: iter([p]),
        draw,
    )


def temperature() -> LivePanel:
    """softmax(logits / T) over the next byte of a small model that has been trained here."""
    model, shown = trained(), 14
    fig, (ax,) = plots.figure(1)
    plots.style(
        ax, "\nNext byte, the likeliest at T = 1 first", "Probability", xlim=(-0.6, shown - 0.4), ylim=(0, 1), xticks=[]
    )
    bars = ax.bar(range(shown), [0.0] * shown, color=plots.BLUE, width=0.7)
    plain = ax.plot([], [], ls="none", marker="_", ms=30, mew=3, color=plots.ORANGE)[0]
    ticks = [
        ax.text(i, -0.03, "", ha="center", va="top", family="monospace", fontsize=plots.FONT + 1) for i in range(shown)
    ]
    title = ax.text(0.98, 0.97, "", ha="right", va="top", fontsize=plots.FONT + 1, transform=ax.transAxes)
    plots.legend(ax, handles=[bars, plain], labels=["at this T", "at T = 1"], loc="center right")
    blit = plots.Blit(fig, [*bars, plain, *ticks, title])

    def draw(state):
        t, prompt = state
        with torch.no_grad():
            logits = model(torch.tensor([text.encode(prompt)])).logits[0, -1].double()
        at_one, p = logits.softmax(-1), (logits / t).softmax(-1)
        order = at_one.argsort(descending=True)[:shown].tolist()
        names = [visible(chr(i)) if i < 256 else "EOS" for i in order]
        for bar, tick, i, name in zip(bars, ticks, order, names, strict=True):
            bar.set_height(p[i].item())
            tick.set_text("␣" if name == " " else name)
        plain.set_data(range(shown), at_one[order])
        entropy = -(p * p.clamp_min(1e-300).log()).sum().item()
        title.set_text(
            f"after “{prompt}” at T = {t:.2f}: entropy {entropy:.2f} nats,\n"
            f"as unsure as {math.exp(entropy):.1f} equally likely bytes"
        )
        return blit.png(), (
            f"T = {t:.2f} after {prompt!r}: the likeliest byte {names[0]!r} has probability {p[order[0]]:.2f} "
            f"({at_one[order[0]]:.2f} at T = 1), entropy {entropy:.2f} nats."
        )

    return LivePanel(
        {
            "t": control(
                widgets.FloatLogSlider,
                "Temperature T",
                base=10,
                min=-1,
                max=1,
                step=0.05,
                value=1.0,
                readout_format=".2f",
            ),
            "prompt": control(widgets.Dropdown, "The text before", options=[(repr(one), one) for one in PROMPTS]),
        },
        lambda t, prompt: iter([(t, prompt)]),
        draw,
    )


def measured_initial_loss(vocab_size: int, logit_std: float, seed: int = 0) -> float:
    """Loss in nats of an untrained GPT on random tokens, its head scaled so that the logits' standard deviation is
    `logit_std`.
    """
    model = GPT(GPTConfig(vocab_size=vocab_size, zero_head=False), training.generator(seed, 3))
    ids = torch.randint(vocab_size, (8, 64), generator=training.generator(seed, 4))
    with torch.no_grad():
        scale = logit_std / model(ids).logits.std()
        model.head.weight.mul_(scale)
        return training.loss(model, text.batch(ids)).item()


def initial_loss() -> LivePanel:
    """ln V against a fresh model, for any vocabulary, and where ln V ceases to hold: when the logits are not small."""
    sizes = [2, 8, 32, 119, 259, 1000, 4000, 16000]
    fig, (left, right) = plots.figure(2)
    plots.style(
        left,
        "Vocabulary size V (tokens)",
        "First loss (nats per token)",
        "A fresh model's loss",
        xscale="log",
        xlim=(1.6, 2.4e4),
        ylim=(0, 15),
    )
    left.plot(sizes, [math.log(v) for v in sizes], color=plots.GREY, lw=2, label="ln V")
    plots.style(
        right,
        "Standard deviation of the logits (nats)",
        "Measured loss − ln V (nats)",
        "More than ln V",
        xlim=(0, 3),
        ylim=(-0.4, 5),
    )
    grid = [i / 50 for i in range(151)]
    right.plot(grid, [s * s / 2 for s in grid], color=plots.GREY, lw=2, label="σ²/2 (normal logits, many tokens)")
    dots = [ax.plot([], [], "o", color=plots.VERMILION, ms=11, label="measured")[0] for ax in (left, right)]
    plots.legend(left, loc="upper left")
    plots.legend(right, loc="upper left")
    blit = plots.Blit(fig, dots)

    def draw(state):
        v, std, loss = state
        dots[0].set_data([v], [loss])
        dots[1].set_data([std], [loss - math.log(v)])
        return blit.png(), (
            f"V = {v}: ln V = {math.log(v):.3f} nats; an untrained model whose logits have standard deviation "
            f"{std:.1f} starts at {loss:.3f}."
        )

    def job(v, std):
        with training.one_thread():
            yield v, std, measured_initial_loss(v, std)

    return LivePanel(
        {
            "v": control(widgets.SelectionSlider, "Vocabulary size V", options=sizes, value=259),
            "std": control(
                widgets.FloatSlider, "Standard deviation of the logits", min=0.0, max=3.0, step=0.1, value=0.0
            ),
        },
        job,
        draw,
    )


def choices() -> LivePanel:
    """Perplexity as a number of equally likely choices: e to the loss, counted out in squares."""
    columns, tokens = 20, text.VOCAB_SIZE
    fig, (left, right) = plots.figure(2, widths=(1.5, 1))
    left.set_title(f"As unsure as a fair pick among the blue of {tokens} tokens", fontsize=plots.FONT, loc="left")
    left.axis("off")
    left.set(xlim=(-0.6, columns - 0.4), ylim=(tokens / columns, -0.7))
    places = [(i % columns, i // columns) for i in range(tokens)]
    left.scatter(*zip(*places, strict=True), s=150, marker="s", linewidths=0, color="#DDDDDD")
    squares = left.scatter([], [], s=150, marker="s", linewidths=0, color=plots.BLUE)
    plots.style(right, "Loss (nats per token)", "Perplexity (choices)", xlim=(0, 5.7), ylim=(1, 300), yscale="log")
    grid = [i / 20 for i in range(115)]
    right.plot(grid, [math.exp(x) for x in grid], color=plots.BLUE, lw=2)
    (dot,) = right.plot([], [], "o", color=plots.VERMILION, ms=11)
    blit = plots.Blit(fig, [squares, dot])

    def draw(loss):
        perplexity = math.exp(loss)
        squares.set_offsets(places[: max(1, round(perplexity))])
        dot.set_data([loss], [perplexity])
        return blit.png(), (
            f"A loss of {loss:.2f} nats is a perplexity of e^{loss:.2f} = {perplexity:.1f}: as unsure as a fair pick "
            f"among {perplexity:.1f} tokens. One ln 2 = {math.log(2):.2f} nats less halves the choices."
        )

    return LivePanel(
        {"loss": control(widgets.FloatSlider, "Loss (nats per token)", min=0.0, max=5.55, step=0.05, value=2.3)},
        lambda loss: iter([loss]),
        draw,
    )
