"""Sick runs to diagnose and mend, and the runs behind the folklore audits: a module for each week."""
