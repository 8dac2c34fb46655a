"""Live demos, a module for each week; each demo is a function that returns a panel for the notebook to display."""
