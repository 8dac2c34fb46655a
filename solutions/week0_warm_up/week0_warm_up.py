# %% [markdown]
# # Week 0: warm up
#
# Can you find out, by yourself, whether the code that you wrote is right?
# In this course you can: every exercise has a check beside it, and you may run it as often as you like. Nothing in this week is graded.
#
# A notebook is made of cells. Click into one and press **Shift+Enter**: it runs, and the next one is chosen.
# Run the two cells below. The second one says, in plain words, what this machine can do.

# %%
import torch
from torch import nn

from course.lab import assessment, rehearsal
from course.lab.demos import week0 as demos
from course.lab.journal import commit

# %%
demos.machine()

# %% [markdown]
# ## Before the course: twelve questions
# You are not supposed to know the answers. Week 8 asks the same twelve kinds again, with other numbers: so *you* see what you have learnt.
#
# For each answer also say how likely it is to be right. A weather forecast is judged by such numbers, and so are you here: by the *Brier score*, the mean of (stated chance − outcome)².
# It is best to say what you really think. “0 %: no idea” is an honest answer and costs nothing.
#
# Your name or learner id decides the numbers you get. Everything is kept at once in `journal.json`, beside this notebook, and goes nowhere else. Take a sheet of paper; a calculator is fine.

# %%
assessment.pretest(learner="")

# %% [markdown]
# ## Tensors meet: broadcasting
# Everything in this course is a *tensor*: numbers in a grid, with a *shape* such as (3, 4), three rows of four.
# Two tensors of different shape can often be added. Which pairs fit?
#
# Change the shapes below. Find a pair that fails, and one where both tensors get repeated. Then say the rule in one sentence of your own, and compare it with the line above the picture.

# %%
demos.broadcasting()

# %% [markdown]
# ## Read a failed check, and mend it
# The mean square says how large the values of a tensor are, whatever their sign.
# First answer with `return values.mean() ** 2`, which is **wrong**, and run both cells below.
#
# The check says in one line what kind of mistake it sees. Open *Details* under it: inputs, your result, the expected one, in that order.
# Then mend the answer and run both cells again.
# %% exercise="week0.practice"
def practice(values):
    """Mean of the squares of all values.

    values: float tensor of any shape, not empty. Returns a scalar: a 0-d tensor or a float.
    """
    ### BEGIN SOLUTION
    return (values**2).mean()
    ### END SOLUTION
# %% check="week0.practice"
check("week0.practice", practice)

# %% [markdown]
# ## Rows and their means
# A *reduction* such as `mean` over a dimension removes that dimension, unless you keep it. What does that do to a subtraction? Predict, then run.

# %%
x = torch.tensor([[1.0, 2.0, 3.0], [10.0, 20.0, 30.0], [0.0, 0.0, 6.0]])
my_prediction = None
commit("Shape of x.mean(dim=1), as a tuple", my_prediction, lambda: tuple(x.mean(dim=1).shape))
my_prediction = None
commit("Shape of x.mean(dim=1, keepdim=True)", my_prediction, lambda: tuple(x.mean(dim=1, keepdim=True).shape))
print("x - x.mean(dim=1), no error and still wrong:")
print(x - x.mean(dim=1))

# %% [markdown]
# The grid is square, so both shapes can be subtracted; without `keepdim` the means line up with the *columns*. No error tells you. That is why answers here are checked on grids that are not square, too.
#
# ### Centre the rows
# Subtract from every row its own mean, so that each row sums to zero.
# Write the two shapes under each other, aligned at the right, before you subtract.
# %% exercise="week0.center_rows"
def center_rows(x):
    """Each row of `x` minus its own mean.

    x: float tensor (R, C). Returns a float tensor (R, C); `x` itself stays as it is.
    """
    ### BEGIN SOLUTION
    return x - x.mean(dim=1, keepdim=True)
    ### END SOLUTION
# %% check="week0.center_rows"
check("week0.center_rows", center_rows)

# %% [markdown]
# ### A table of differences
# Given two lists of numbers, make the table of every difference between them.
# Broadcasting does it without a loop: give each list one more dimension, in a different place.
# %% exercise="week0.pairwise_differences"
def pairwise_differences(a, b):
    """The table of all differences: entry [i, j] is a[i] - b[j].

    a: float tensor (N,). b: float tensor (M,). Returns a float tensor (N, M).
    """
    ### BEGIN SOLUTION
    return a[:, None] - b[None, :]
    ### END SOLUTION
# %% check="week0.pairwise_differences"
check("week0.pairwise_differences", pairwise_differences)

# %% [markdown]
# ## Slopes for free: autograd
# Training asks one thing again and again: if this number grows a little, how much does the result grow? That slope is the *gradient*.
# PyTorch writes down each operation on a tensor that `requires_grad`. `backward()` walks the list in reverse and *adds* each slope to `.grad`.
#
# Predict the second number: the same two lines, run a second time.

# %%
w = torch.tensor(3.0, requires_grad=True)
(w**2).backward()
print("gradient of w² at 3:", w.grad.item())
my_prediction = None


def again():
    (w**2).backward()
    return w.grad


commit("w.grad after a second backward()", my_prediction, again)

# %% [markdown]
# ### A gradient at a point
# Let autograd compute the gradient of any function at any point.
# Your answer is called twice at the same point, and both gradients must be right: remember what `backward()` does with a gradient that is already there.
# %% exercise="week0.gradient_of"
def gradient_of(f, x):
    """Gradient of `f` at `x`, by autograd.

    f: function that takes a float tensor shaped like `x` and returns a scalar tensor that depends on it.
    x: float tensor of any shape, which does not require grad; it and its `.grad` stay as they are.
    Returns a float tensor of the shape of `x`.
    A second call at the same `x` gives the same gradient.
    """
    ### BEGIN SOLUTION
    x = x.detach().clone().requires_grad_()
    (gradient,) = torch.autograd.grad(f(x), x)
    return gradient
    ### END SOLUTION
# %% check="week0.gradient_of"
check("week0.gradient_of", gradient_of)

# %% [markdown]
# ## No gradient is not a gradient of zero
# After `backward()` a parameter may have `None` as its gradient: the loss did not depend on it, or it is frozen.
# The model below has a layer that its author built and forgot to use. Nothing fails; the layer just never learns.

# %%
class Forgetful(nn.Module):
    def __init__(self):
        super().__init__()
        self.first, self.second, self.last = nn.Linear(4, 4), nn.Linear(4, 4), nn.Linear(4, 1)

    def forward(self, x):
        return self.last(self.first(x).relu())


forgetful = Forgetful()
forgetful(torch.ones(2, 4)).sum().backward()
for name, parameter in forgetful.named_parameters():
    print(f"{name:14}", "None" if parameter.grad is None else f"a gradient of shape {tuple(parameter.grad.shape)}")

# %% [markdown]
# ### Parameters that got no gradient
# List the parameters that should have a gradient and have none. It is often the first sign of a layer that is not wired up.
# %% exercise="week0.missing_grads"
def missing_grads(model):
    """Names of the parameters that require a gradient and whose `.grad` is None, as a list of strings.

    model: an `nn.Module`, after `backward()`. The order is that of `model.named_parameters()`.
    A frozen parameter (`requires_grad` is False) is not missing a gradient. An empty list means that none is missing.
    """
    ### BEGIN SOLUTION
    return [name for name, p in model.named_parameters() if p.requires_grad and p.grad is None]
    ### END SOLUTION
# %% check="week0.missing_grads"
check("week0.missing_grads", missing_grads)

# %% [markdown]
# ## Restart and run all
# Cells can be run in any order, and a kernel remembers names whose cells you have long changed or deleted. So a notebook can work for you and for nobody else.
#
# Before you hand anything in: **Kernel → Restart Kernel and Run All Cells**. Blank exercises do not stop it; their checks say “not answered yet”.
#
# ## A practice submission
# Save this notebook (Ctrl+S, on a Mac Cmd+S). Then run the next cell: it takes the *saved* file, runs a copy from top to bottom in a fresh kernel, and shows what a grader would find.
# To hand in a week is to give your instructor that one file, under the name that it has. Locked cells may be changed or even lost; a grader puts its own back.

# %%
rehearsal.submit("week0_warm_up.ipynb")

# %% [markdown]
# ## What you can do now
# Give each line a level and the evidence for it. Then open week 1: a model learns to write while you watch.

# %%
assessment.Reflection("week0", [
    "I can say which shapes broadcast, and when I need keepdim.",
    "I can compute a gradient, and say what a second backward() does to it.",
    "I can find a parameter that gets no gradient.",
    "I can read a failed check and mend the answer.",
    "I can make sure that my notebook runs for somebody else.",
])
