"""The colours of all figures, on the pages and in files: told apart on white and on dark."""

COLOURS = ("#2d7dd2", "#e07a1f", "#2a9d63", "#c44d9a", "#8a6fd6", "#b8930f", "#d6473c", "#1ba3b5")
