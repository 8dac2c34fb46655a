# %% [markdown]
# # Week 2, a first look: you set the learning rate
#
# Training takes a *step* again and again: look at a few rows of text, measure the loss, and move every weight a little downhill.
# A *row* is a piece of text of 64 bytes. The rule that turns slopes into moves is the *optimizer*: SGD moves straight along the slope, AdamW also keeps track of how large slopes usually are.
# Two numbers are yours to choose. The **learning rate** says how far to move. The **batch size** says how many rows to look at before each move.
#
# What happens if the learning rate is ten times too large? Ten times too small? Is a larger batch simply better?
# You need no formula to find out. You need to try it.

# %%
from course.lab.demos import week2 as demos
from course.lab.journal import commit

# %% [markdown]
# ## Predict first
# The sliders start at a learning rate of .01, a batch of 16 rows and the optimizer AdamW; every run takes the same number of steps.
# Put a number into each line in place of `None`. They are kept in `journal.json` beside this notebook; when you have tried, compare them with what you saw.

# %%
best_learning_rate = None     # at batch 16: which learning rate ends lowest?
worse_than_slow = None        # at batch 16: from which learning rate above .01 on does a run end worse than one at .001?
batch_for_same_bytes = None   # for the same number of *bytes* read: which batch size ends lowest at .01?

commit("Best learning rate at batch 16", best_learning_rate)
commit("At batch 16, worse than .001 from", worse_than_slow)
commit("Best batch size for the same bytes", batch_for_same_bytes)

# %% [markdown]
# ## The model trains while you move the sliders
# Each move drops the run and starts a new one, from the same weights and on the same text. The run before stays as a dashed ghost.
#
# The left picture counts *updates*, the right one counts *bytes read*. A large batch reads more bytes per update, so the two pictures can give different winners: decide which one you pay for.
# All runs take equally many updates, so on the right compare two curves where the shorter one ends.
# Sliders also move by the arrow keys; what the picture shows stands in words above it.

# %%
demos.learning_rate_and_batch_size()

# %% [markdown]
# ## Three things to find out
# 1. **The edges.** Start at .01 and go up notch by notch to the end of the slider, then down. A notch is one press of an arrow key: how many are nearly as good as the best? What does the curve look like when the rate is too large, and what when it is too small: could you tell the two apart from their last value alone?
# 2. **Two clocks.** Keep .01 and compare batch 4 with batch 64. Who wins on the left, who on the right? Now give each batch its own best learning rate. Does the winner stay?
# 3. **The optimizer's own scale.** Change AdamW to SGD and leave the learning rate alone. Look for the rate at which SGD does well. How many notches away is it? Week 5 explains why.
#
# Write what you saw into the next cell, each with the two runs that show it.

# %% [markdown]
# *Double-click here.*
#
# 1. The edges:
# 2. Two clocks:
# 3. The optimizer's own scale:

# %% [markdown]
# <details><summary><b>What you may have seen, and what it does not prove</b></summary>
#
# Too small a rate looks healthy: a smooth curve that is simply not down yet. Too large a rate makes the curve rough and lets it hang high.
# AdamW divides each step by the gradient's usual size, so even an absurd rate does not throw a model as small as this one out of the picture. Large models are less patient.
# Per update a larger batch gives a steadier direction and ends lower; for the same bytes it has taken fewer steps, and early on a small batch is ahead.
# One run with one seed is one draw. Differences as small as the shiver of the curve prove nothing; week 6 repeats runs with several seeds before it says which is better.
# </details>
