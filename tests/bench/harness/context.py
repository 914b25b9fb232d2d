"""What a benchmark is given: how long it may take, and where details and plots go."""

import json
import os

FULL, QUICK, SMOKE = "full", "quick", "smoke"


class Context:
    def __init__(self, directory, scale=FULL):
        self.directory, self.scale = directory, scale
        self.details = {}
        os.makedirs(directory, exist_ok=True)

    def pick(self, full, quick, smoke):
        """A number of repetitions or seconds: for figures to quote, for a look, for a test of the harness."""
        return {FULL: full, QUICK: quick, SMOKE: smoke}[self.scale]

    def say(self, text):
        print(f"   {text}", flush=True)

    def keep(self, name, value):
        """Raw answers behind the figures, for details.json."""
        self.details[name] = value

    def plot(self, name, plot):
        if plot.lines:
            with open(os.path.join(self.directory, name), "w") as f:
                f.write(plot.svg())
            self.say(f"wrote {os.path.relpath(os.path.join(self.directory, name))}")

    def close(self):
        with open(os.path.join(self.directory, "details.json"), "w") as f:
            json.dump(self.details, f, indent=1)
