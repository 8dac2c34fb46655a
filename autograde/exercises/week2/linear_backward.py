"""week2.linear_backward: the gradients of a linear layer."""

import torch
import torch.nn.functional as F

from autograde.exercise import Case, Exercise, Misconception
from autograde.exercises.draws import integer, normal


def _linear_cases(rng):
    def case(name, *lead, inputs=3, outputs=5, dtype=torch.float32):
        x, weight, grad = normal(rng, *lead, inputs), normal(rng, outputs, inputs), normal(rng, *lead, outputs)
        return Case(name, {"x": x.to(dtype), "weight": weight.to(dtype), "grad_output": grad.to(dtype)})

    yield case("a batch of rows", integer(rng, 4, 7))
    yield case("rows, inputs and outputs equally many", 4, inputs=4, outputs=4)
    yield case("batch and tokens, (B, T, inputs)", 2, 4, inputs=3, outputs=6)
    yield case("everything equally long", 3, 3, inputs=3, outputs=3)
    yield case("three leading axes", 2, 3, 2, inputs=5, outputs=2)
    yield case("a single vector", inputs=3, outputs=4)
    yield case("a single row", 1, inputs=integer(rng, 2, 6), outputs=3)
    yield case("one output", 6, inputs=4, outputs=1)
    yield case("float64", 3, 2, inputs=2, outputs=3, dtype=torch.float64)


def _autograd_linear(inputs):
    x, weight = (inputs[name].double().requires_grad_() for name in ("x", "weight"))
    bias = torch.zeros(weight.shape[0], dtype=torch.float64, requires_grad=True)
    return torch.autograd.grad(F.linear(x, weight, bias), (x, weight, bias), inputs["grad_output"].double())


def _gradients(x, weight, grad_output, divide=("weight", "bias"), by=1):
    grads, rows = grad_output.flatten(0, -2), x.flatten(0, -2)
    grad_weight, grad_bias = grads.T @ rows, grads.sum(0)
    if "weight" in divide:
        grad_weight = grad_weight / by
    if "bias" in divide:
        grad_bias = grad_bias / by
    return grad_output @ weight, grad_weight, grad_bias


def _leading(x):
    return x.reshape(1, -1) if x.ndim == 1 else x


def _mean_over_rows(x, weight, grad_output):
    rows = x.numel() // x.shape[-1]
    _, grad_weight, grad_bias = _gradients(_leading(x), weight, _leading(grad_output), by=rows)
    return grad_output @ weight, grad_weight, grad_bias


def _mean_over_the_batch(x, weight, grad_output):
    _, grad_weight, grad_bias = _gradients(_leading(x), weight, _leading(grad_output), by=_leading(x).shape[0])
    return grad_output @ weight, grad_weight, grad_bias


def _mean_of_everything(x, weight, grad_output):
    rows = x.numel() // x.shape[-1]
    _, grad_weight, grad_bias = _gradients(_leading(x), weight, _leading(grad_output), by=rows)
    return grad_output @ weight / rows, grad_weight, grad_bias


def _mean_of_the_weight(x, weight, grad_output):
    rows = x.numel() // x.shape[-1]
    grad_x, grad_weight, grad_bias = _through(x, weight, grad_output)
    return grad_x, grad_weight / rows, grad_bias


def _mean_of_the_bias(x, weight, grad_output):
    rows = x.numel() // x.shape[-1]
    _, grad_weight, grad_bias = _gradients(_leading(x), weight, _leading(grad_output), divide=("bias",), by=rows)
    return grad_output @ weight, grad_weight, grad_bias


def _weight_lies_on_its_side(x, weight, grad_output):
    _, grad_weight, grad_bias = _gradients(_leading(x), weight, _leading(grad_output))
    return grad_output @ weight, grad_weight.T, grad_bias


def _weight_not_as_stored(x, weight, grad_output):
    _, grad_weight, grad_bias = _gradients(_leading(x), weight, _leading(grad_output))
    return grad_output @ weight.T, grad_weight, grad_bias


def _bias_over_the_batch_axis(x, weight, grad_output):
    _, grad_weight, _ = _gradients(_leading(x), weight, _leading(grad_output))
    return grad_output @ weight, grad_weight, _leading(grad_output).sum(0)


def _bias_not_summed(x, weight, grad_output):
    _, grad_weight, _ = _gradients(_leading(x), weight, _leading(grad_output))
    return grad_output @ weight, grad_weight, grad_output


def _bias_as_one_number(x, weight, grad_output):
    _, grad_weight, _ = _gradients(_leading(x), weight, _leading(grad_output))
    return grad_output @ weight, grad_weight, grad_output.sum()


def _bias_of_ones(x, weight, grad_output):
    _, grad_weight, _ = _gradients(_leading(x), weight, _leading(grad_output))
    return grad_output @ weight, grad_weight, torch.ones_like(weight[:, 0])


def _weight_for_each_sequence(x, weight, grad_output):
    grad_weight = _leading(grad_output).mT @ _leading(x)
    return grad_output @ weight, grad_weight, grad_output.reshape(-1, weight.shape[0]).sum(0)


def _two_axes_only(x, weight, grad_output):
    return grad_output @ weight, grad_output.t() @ x, grad_output.sum(0)


def _upstream_forgotten(x, weight, grad_output):
    return _through(x, weight, torch.ones_like(grad_output))


def _through(x, weight, grad_output):
    _, grad_weight, grad_bias = _gradients(_leading(x), weight, _leading(grad_output))
    return grad_output @ weight, grad_weight, grad_bias


def _in_another_order(x, weight, grad_output):
    grad_x, grad_weight, grad_bias = _through(x, weight, grad_output)
    return grad_weight, grad_bias, grad_x


LINEAR_BACKWARD = Exercise(
    id="week2.linear_backward",
    title="Backward through a linear layer",
    points=3,
    minutes=18,
    why="Nearly all the work of `backward` is these two products; LoRA and NF4 change only what goes into them.",
    oracle="torch.autograd.grad of torch.nn.functional.linear",
    cases=_linear_cases,
    expected=_autograd_linear,
    autograd=False,
    library=("aten._efficientzerotensor", "aten._has_same_storage_numel"),  # what forward-mode autograd leaves
    misconceptions=(
        *(
            Misconception(
                "mean over the batch",
                answer,
                "You divide by the number of rows. If the loss is a mean, its division is in grad_output already; a "
                "weight that many rows use gets what each of them asks for.",
            )
            for answer in (
                _mean_over_rows,
                _mean_over_the_batch,
                _mean_of_everything,
                _mean_of_the_weight,
                _mean_of_the_bias,
            )
        ),
        Misconception(
            "the gradient of the weight lies on its side",
            _weight_lies_on_its_side,
            "Your grad_weight is (inputs, outputs). A gradient has the shape of what it belongs to, also where a "
            "square weight hides the difference.",
        ),
        Misconception(
            "the weight transposed on the way back",
            _weight_not_as_stored,
            "Forward uses the transposed weight. Which of the two leads from outputs back to inputs? A square weight "
            "fits both ways, and only one is right.",
        ),
        Misconception(
            "the bias sums the first axis only",
            _bias_over_the_batch_axis,
            "Your grad_bias adds up the first axis alone. With (B, T, outputs) the bias has been used at every token "
            "of every row.",
        ),
        Misconception(
            "the bias is not summed",
            _bias_not_summed,
            "Your grad_bias has a value for every row. The bias is one vector that all rows share: what happens to "
            "the gradients of a thing that is used many times?",
        ),
        Misconception(
            "the bias as one number",
            _bias_as_one_number,
            "Your grad_bias is a single number. There is one bias for each output.",
        ),
        Misconception(
            "a bias of ones",
            _bias_of_ones,
            "Your grad_bias is the derivative of y by the bias, and stops there. The chain rule multiplies it by "
            "what comes from above.",
        ),
        Misconception(
            "a weight for each sequence",
            _weight_for_each_sequence,
            "Your grad_weight keeps a leading axis: one gradient for every sequence. All sequences share one weight.",
        ),
        Misconception(
            "two axes only",
            _two_axes_only,
            "Your answer works for rows of shape (N, inputs). A language model passes (B, T, inputs): how can any "
            "number of leading axes be seen as one?",
        ),
        Misconception(
            "grad_output is not used",
            _upstream_forgotten,
            "Your gradients are those of a loss that is the sum of y. What the real loss thinks of each y is in "
            "grad_output.",
        ),
        Misconception(
            "results in another order",
            _in_another_order,
            "The gradients are right and stand in another order: x, weight, bias.",
        ),
    ),
)
