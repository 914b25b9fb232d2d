"""The instrument behind ./dev bench: lab, search, results, plots, one module a benchmark."""
