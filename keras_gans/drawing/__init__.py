"""The one place that draws: grids of images, points, moving pictures, curves."""
