"""The bench that the notebooks work at: data, models, training, live plots.

Import the module you need (`from course.lab import gpt, text`); importing the package itself loads nothing, neither
torch nor transformers, so that it costs no time where only an asset or a fact is wanted.
"""

import logging

# bitsandbytes tells everybody with AVX512-BF16 to install `kernels`, which would ask a hub at each import.
logging.getLogger("bitsandbytes.backends.cpu.ops").setLevel(logging.ERROR)
