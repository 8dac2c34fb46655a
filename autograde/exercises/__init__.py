"""The specifications, one module a week; each ends in the tuple EXERCISES."""
