#!/usr/bin/env python3
"""The harness judged by what it says of devices whose limits are known. Nothing here is timed."""

import json
import os
import random
import sys
import tempfile
import unittest
import xml.etree.ElementTree
from unittest import mock

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)

import run  # noqa: E402
from harness import figures  # noqa: E402
from harness.figures import Figure  # noqa: E402
from harness.lab import NoRings  # noqa: E402
from harness.proc import Conversation, LabError  # noqa: E402
from harness.search import Plan, Search, ladder, middle_of  # noqa: E402
from harness.svg import Plot, linear_ticks  # noqa: E402


def device(knee, lossy=lambda rate: 0):
    """Relays up to `knee` packets a second; `lossy` more are lost at random."""
    def trial(rate, seconds):
        tx = int(rate * seconds)
        rx = min(tx, int(knee * seconds)) - lossy(rate)
        return {"tx": tx, "rx": rx, "lost": tx - rx}
    return trial


class Searching(unittest.TestCase):
    def test_the_knee_is_found_from_below(self):
        for knee in (1.1e6, 3.3e6, 7.9e6):
            found = Search(device(knee), Plan(8e6, steps=8)).run()
            self.assertTrue(found.confirmed)
            self.assertLessEqual(found.ndr, knee)
            self.assertGreater(found.ndr, 0.93 * knee)
            self.assertGreaterEqual(found.ppm_rate, found.ndr * 0.999)

    def test_what_goes_at_full_rate_needs_no_halving(self):
        found = Search(device(9e6), Plan(8e6)).run()
        self.assertEqual((found.ndr, len(found.trials)), (8e6, 1 + 3 + 15))

    def test_one_lost_packet_fails_a_rate_but_not_its_ppm(self):
        found = Search(device(8e6, lambda rate: 1 if rate > 4e6 else 0), Plan(8e6, steps=7)).run()
        self.assertGreater(found.ppm_rate, 7.99e6)
        self.assertLessEqual(found.ndr, 4.01e6)
        self.assertGreater(found.ndr, 3.5e6)

    def test_chance_does_not_make_a_rate(self):
        dice = random.Random(7)
        trial = device(8e6, lambda rate: rate > 5e6 and dice.random() < 0.9)
        found = Search(trial, Plan(8e6, steps=7, trials=5)).run()
        self.assertLess(found.ndr, 5.4e6)

    def test_a_device_that_always_loses_has_no_rate(self):
        found = Search(device(8e6, lambda rate: 1000000), Plan(8e6)).run()
        self.assertEqual((found.ndr, found.ppm_rate, found.confirmed), (0, 0, False))

    def test_what_was_not_offered_counts_as_lost(self):
        def slow(rate, seconds):
            tx = int(min(rate, 2e6) * seconds)
            return {"tx": tx, "rx": tx, "lost": 0}
        found = Search(slow, Plan(8e6, steps=8)).run()
        self.assertLess(found.ndr, 2.1e6)

    def test_a_disturbed_trial_is_repeated_and_one_that_was_not_is_not(self):
        for disturbed, expected in ((True, 8e6), (False, 0)):
            count = [0]

            def trial(rate, seconds, count=count, disturbed=disturbed):
                count[0] += 1
                return {**device(8e6, lambda _: 1000 * (count[0] % 3 != 0))(rate, seconds), "disturbed": disturbed}
            found = Search(trial, Plan(8e6, steps=0, trials=1)).run()
            self.assertEqual(found.ndr, expected)
            self.assertEqual(found.confirmed, disturbed)

    def test_what_is_always_disturbed_is_lost_in_the_end(self):
        def trial(rate, seconds):
            return {**device(8e6, lambda _: 1000)(rate, seconds), "disturbed": True}
        self.assertEqual(Search(trial, Plan(8e6)).run().ndr, 0)

    def test_what_was_not_due_while_the_generator_paused_is_not_lost(self):
        def paused(rate, seconds):
            tx = int(rate * (seconds - 0.04))
            return {"tx": tx, "rx": tx, "lost": 0, "paused_us": 40000}
        found = Search(paused, Plan(8e6)).run()
        self.assertTrue(found.confirmed)
        self.assertGreater(found.ndr, 6e6)

    def test_a_search_ends_in_its_time(self):
        count = [0]

        def trial(rate, seconds):
            count[0] += 1
            return {**device(8e6, lambda _: 1000 * (rate > 1e6))(rate, seconds), "disturbed": True}
        found = Search(trial, Plan(8e6, steps=20, budget=0)).run()
        self.assertTrue(found.out_of_time)
        self.assertLess(count[0], 20)
        self.assertGreater(found.ppm_rate, 0)

    def test_a_rate_that_most_further_trials_do_not_keep_is_lowered(self):
        count = [0]

        def tiring(rate, seconds):
            count[0] += 1
            return device(8e6 if count[0] < 5 else 5e6)(rate, seconds)
        found = Search(tiring, Plan(5.4e6)).run()
        self.assertTrue(found.confirmed)
        self.assertLessEqual(found.ndr, 5e6)
        self.assertEqual(found.clean, 1)

    def test_a_few_trials_that_lose_do_not_make_a_rate_none(self):
        count = [0]

        def trial(rate, seconds):
            count[0] += 1
            return device(8e6, lambda _: 1000 * (count[0] % 5 == 0))(rate, seconds)
        found = Search(trial, Plan(8e6, trials=5, confirm_trials=15)).run()
        self.assertEqual((found.ndr, found.confirmed), (8e6, True))
        self.assertAlmostEqual(found.clean, 12 / 15)

    def test_the_middle_is_of_clean_trials_and_most_have_to_be(self):
        def of(*costs):
            return middle_of(costs, lambda c: c > 0, lambda c: c)

        self.assertEqual(of(50, 30, 40), 40)
        self.assertEqual(of(30, -1, 50), 50)  # of two the dearer
        self.assertEqual(of(40), 40)
        self.assertIsNone(of(30, -1))
        self.assertIsNone(of(-1))

    def test_the_ladder_ends_below_what_fails(self):
        for limit in (70, 1000, 31000):
            got = ladder(lambda load, limit=limit: load <= limit, 64, 2, 6, 100000)
            self.assertLessEqual(got, limit)
            self.assertGreater(got, 0.9 * limit)
        self.assertEqual(ladder(lambda load: True, 64, 2, 6, 1000), 1000)
        self.assertLess(ladder(lambda load: False, 64, 2, 6, 1000), 2)


class Figures(unittest.TestCase):
    def test_goals_of_values_and_ratios(self):
        self.assertTrue(Figure("a", value=3, goal=3).met)
        self.assertFalse(Figure("a", value=3, goal=2, better="lower").met)
        self.assertTrue(Figure("a", value=3, reference_value=4, goal=0.75, goal_of="ratio").met)
        self.assertIsNone(Figure("a", value=3, goal=0.75, goal_of="ratio").met)
        self.assertIsNone(Figure("a", value=3).met)
        self.assertIsNone(Figure("a", goal=3).met)

    def test_lines_of_programs(self):
        f = figures.from_json('{"name": "x", "value": 2, "unit": "ns", "reference_value": 4, "other": 1}')
        self.assertEqual((f.ratio, f.met), (0.5, None))
        for bad in ('{"value": 2}', '{"name": "x", "value": "2"}', '{"name": "x", "value": NaN}', "{"):
            self.assertRaises(ValueError, figures.from_json, bad)

    def test_no_name_twice_among_goals(self):
        names = [g.name for g in figures.GOALS]
        self.assertEqual(len(names), len(set(names)))


class Plots(unittest.TestCase):
    def test_a_plot_is_xml_with_axes_and_legend(self):
        for log in (False, True):
            plot = Plot("t <1>", "x, us", "y, %", log_x=log, log_y=log)
            plot.line("ours & theirs", [(1, 2), (1000, 30000), (20, 0)])
            plot.limit("goal", 10)
            text = plot.svg()
            root = xml.etree.ElementTree.fromstring(text)
            self.assertTrue(root.tag.endswith("svg"))
            for word in ("x, us", "y, %", "ours &amp; theirs", "goal", "polyline"):
                self.assertIn(word, text)

    def test_ticks_are_round(self):
        self.assertEqual([round(t, 9) for t in linear_ticks(0, 11.5)], [0, 2, 4, 6, 8, 10])
        self.assertLessEqual(len(linear_ticks(0, 97531)), 8)


class Talking(unittest.TestCase):
    def setUp(self):
        self.dir = tempfile.TemporaryDirectory()
        self.gen = Conversation([sys.executable, os.path.join(HERE, "fake_gen.py")], self.dir.name + "/gen.log")

    def tearDown(self):
        self.assertEqual(self.gen.stop(), 0)
        self.gen.child.stdout.close()
        self.dir.cleanup()

    def test_answers_and_refusals(self):
        self.assertEqual(self.gen.ask("setup 10")["up"], 10)
        self.assertEqual(self.gen.ask("rtp 1000 1")["lost"], 0)
        self.assertRaisesRegex(LabError, "unknown command", self.gen.ask, "dance")

    def test_answers_that_come_before_their_turn_are_kept(self):
        self.gen.tell("rtp 1000 1")
        self.gen.tell("setup 3")
        self.assertEqual(self.gen.take("setup 3", 5)["up"], 3)
        self.assertEqual(self.gen.take("rtp 1000 1", 5)["rx"], 1000)

    def test_silence_is_told(self):
        self.assertRaisesRegex(LabError, "no answer", self.gen.take, "rtp", 0.05)


class Running(unittest.TestCase):
    """The whole of it: results.json, the table and the exit code."""

    def run_with(self, benches):
        with tempfile.TemporaryDirectory() as out, mock.patch.object(run, "BENCHES", benches), \
                mock.patch("builtins.print") as printed:
            code = run.main(["--smoke"], directory=out)
            with open(out + "/results.json") as f:
                results = json.load(f)
            self.assertTrue(os.path.exists(out + "/details.json"))
        return code, results, "\n".join(str(c.args[0]) for c in printed.call_args_list if c.args)

    def check_shape(self, results):
        for row in results:
            self.assertEqual(tuple(row), figures.KEYS)
            self.assertIsInstance(row["name"], str)
            for key in ("value", "reference_value", "ratio", "goal"):
                self.assertIsInstance(row[key], (int, float, type(None)))
            self.assertIsInstance(row["met"], (bool, type(None)))

    def all_goals(self, worth):
        return {bench: lambda _ctx, bench=bench: [Figure(g.name, g.unit, worth(g), "r", 1.0) for g in figures.GOALS
                                                  if g.bench == bench] for bench in {g.bench for g in figures.GOALS}}

    def test_all_goals_met(self):
        code, results, _ = self.run_with(self.all_goals(lambda g: g.goal))
        self.check_shape(results)
        self.assertEqual(code, 0)
        self.assertEqual(len(results), len(figures.GOALS))
        self.assertTrue(all(row["met"] for row in results))

    def test_goals_not_met_are_said_and_are_no_failure(self):
        code, results, text = self.run_with(
            self.all_goals(lambda g: g.goal * (0.5 if g.better == "higher" else 2)))
        self.assertEqual(code, 0)
        self.assertTrue(all(row["met"] is False for row in results))
        self.assertIn("NOT met", text)

    def test_what_cannot_be_run_is_listed_with_why(self):
        benches = self.all_goals(lambda g: g.goal)

        def broken(_ctx):
            raise LabError("no hugepages here")
        benches["relay"] = broken
        code, results, text = self.run_with(benches)
        self.check_shape(results)
        self.assertEqual(code, 1)
        lacking = [row["name"] for row in results if row["value"] is None]
        self.assertEqual(lacking, [g.name for g in figures.GOALS if g.bench == "relay"])
        self.assertIn("no hugepages here", text)

    def test_a_machine_without_hugepages_skips_the_smoke(self):
        benches = self.all_goals(lambda g: g.goal)

        def nowhere(_ctx):
            raise NoRings("no hugepages")
        benches["relay"] = nowhere
        self.assertEqual(self.run_with(benches)[0], run.SKIPPED)
        benches["parse"] = lambda _ctx: []
        self.assertEqual(self.run_with(benches)[0], 1)

    def test_a_benchmark_that_forgets_its_figure_is_found_out(self):
        benches = self.all_goals(lambda g: g.goal)
        benches["parse"] = lambda _ctx: []
        code, results, text = self.run_with(benches)
        self.assertEqual(code, 1)
        self.assertEqual([r["name"] for r in results if r["value"] is None], ["index of a 1.3 kB INVITE"])
        self.assertIn("did not print it", text)

    def test_unknown_names_are_refused(self):
        with mock.patch("builtins.print"):
            self.assertEqual(run.main(["no-such"]), 2)
            self.assertEqual(run.main(["--fast"]), 2)


if __name__ == "__main__":
    unittest.main()
