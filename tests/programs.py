#!/usr/bin/env python3
"""What ninja has to make for some suites: programs.py BUILD SUITE ... prints the files, one a line.

A build with a sanitizer takes long; benchmarks and what no suite runs are left out of it.
"""
import json
import os
import sys


def info(build, kind):
    with open(os.path.join(build, "meson-info", f"intro-{kind}.json"), encoding="utf-8") as f:
        return json.load(f)


def main(build, suites):
    wanted = {target for test in info(build, "tests") for target in test["depends"]
              if any(s.split(":")[-1] in suites for s in test["suite"])}
    files = {os.path.relpath(name, os.path.abspath(build)) for target in info(build, "targets")
             if target["id"] in wanted for name in target["filename"]}
    if not files:
        sys.exit(f"{build} has no programs for {' '.join(suites)}")
    print("\n".join(sorted(files)))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
