"""Recipes, run directories and the command line that trains."""
