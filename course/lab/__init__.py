"""The bench that the notebooks work at: data, models, training, live plots.

Import the module you need (`from course.lab import gpt, text`); importing the package itself loads nothing, neither
torch nor transformers, so that it costs no time where only an asset or a fact is wanted.
"""
