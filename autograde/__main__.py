"""`python -m autograde …`. On an old Python, autograde/__init__.py has already said which one is needed, and ended."""

import sys

from autograde.cli import main

sys.exit(main())
