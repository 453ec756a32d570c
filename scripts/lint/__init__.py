"""The checks of scripts/lint.py: one module for each subject, each check a function of a Tree."""
