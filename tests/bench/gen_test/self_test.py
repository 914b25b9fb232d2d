#!/usr/bin/env python3
"""The load generator against itself: two ports joined in one program, no border, no device, no hugepages.

Judged by counts alone: that all is seen to be well when it is, and that each fault that is
made on purpose is seen. usage: self_test.py GEN
"""

import json
import subprocess
import sys
import unittest

GEN = sys.argv.pop(1)
EAL = ["--no-huge", "-m", "192", "--no-pci", "--no-shconf", "--no-telemetry", "--log-level", "4", "--lcores", "0"]


def run(commands, *options, end=("quit", "")):
    """The answers to the commands, by their first word; the last of each."""
    done = subprocess.run([GEN, *EAL, "--", "--self", "--grace", "30", *options], input="\n".join([*commands, *end]),
                          capture_output=True, text=True, timeout=100)
    if done.returncode != 0:
        raise AssertionError(f"exit {done.returncode}: {done.stderr}")
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    return {a["command"].split()[0]: a for a in answers}


class Well(unittest.TestCase):
    def test_calls_media_and_registrations(self):
        a = run(["link 5", "setup 40", "rtp 20000 0.5 0.1", "teardown", "cps 100 1 30 3", "register 100 0.5 20", "stats"],
                "--direct", "--calls", "500")
        for answer in a.values():
            self.assertTrue(answer["ok"], answer)
        self.assertEqual(a["setup"]["established"], 40)
        self.assertEqual(a["teardown"]["done"], 40)
        self.assertEqual((a["cps"]["attempted"], a["cps"]["done"]), (100, 100))
        self.assertEqual((a["register"]["attempted"], a["register"]["done"]), (50, 50))
        self.assertEqual(a["rtp"]["streams"], 80)
        self.assertEqual(a["rtp"]["tx"], a["rtp"]["rx"] + a["rtp"]["lost"])
        self.assertEqual(a["rtp"]["lost"], 0)
        self.assertEqual(a["rtp"]["latency_ns"]["count"], a["rtp"]["rx"])
        self.assertEqual(sum(n for _, n in a["rtp"]["histogram"]), a["rtp"]["rx"])
        for what in ("misdelivered", "reordered", "duplicated", "corrupted", "unproven"):
            self.assertEqual(a["rtp"][what], 0, what)
        for answer in (a["setup"], a["teardown"], a["cps"]):
            for what in ("leaks", "unexpected", "faulty", "timed_out", "unfinished"):
                self.assertEqual(answer[what], 0, what)
        s = a["stats"]
        self.assertEqual((s["mbufs_in_use"], s["rtp_mbufs_in_use"], s["calls_active"]), (0, 0, 0))
        self.assertEqual(s["outside"]["tx"], s["inside"]["rx"])
        self.assertEqual(s["inside"]["tx"], s["outside"]["rx"])

    def test_reference(self):
        a = run(["link 5", "rtp 20000 0.5", "setup 1"], "--reference", "--calls", "50")
        self.assertEqual((a["rtp"]["lost"], a["rtp"]["misdelivered"], a["rtp"]["streams"]), (0, 0, 100))
        self.assertGreater(a["rtp"]["rx"], 0)
        self.assertFalse(a["setup"]["ok"])

    def test_in_the_background(self):
        """The end of input waits for what still runs."""
        a = run(["rtp 5000 0.5 &", "flood garbage 1000 0.3 &", "bogus", "link 1"], "--reference", end=[""])
        self.assertFalse(a["bogus"]["ok"])
        self.assertTrue(a["link"]["ok"])
        self.assertEqual(a["rtp"]["lost"], 0)
        self.assertGreater(a["flood"]["sent"], 0)

    def test_wrong_arguments(self):
        for command in ("setup", "setup 0", "setup 100000", "setup x", "cps 0 1", "cps 1", "rtp 10 1", "rtp -1 1",
                        "register 1 1 0", "flood nothing 1 1", "link"):
            self.assertFalse(run([command], "--direct")[command.split()[0]]["ok"], command)


class Media(unittest.TestCase):
    """Each fault on what is received is counted as what it is."""

    def rtp(self, fault, rate=20000, calls=50):
        a = run([f"rtp {rate} 0.5", "stats"], "--reference", "--calls", str(calls), "--fault", fault)
        self.assertGreater(a["stats"]["faults_made"], 0)
        self.assertEqual(a["rtp"]["tx"], a["rtp"]["rx"] + a["rtp"]["lost"])
        self.assertEqual(a["stats"]["mbufs_in_use"] + a["stats"]["rtp_mbufs_in_use"], 0)
        return a["rtp"], a["stats"]["faults_made"]

    def test_lost(self):
        rtp, made = self.rtp("lose:100")
        self.assertEqual((rtp["lost"], rtp["reordered"], rtp["duplicated"], rtp["misdelivered"]), (made, 0, 0, 0))

    def test_duplicated(self):
        rtp, made = self.rtp("double:100")
        self.assertEqual((rtp["duplicated"], rtp["lost"], rtp["reordered"]), (made, 0, 0))

    def test_reordered(self):
        rtp, made = self.rtp("swap:50", 200000, 1)
        self.assertEqual((rtp["reordered"], rtp["lost"], rtp["duplicated"]), (made, 0, 0))

    def test_misdelivered(self):
        rtp, made = self.rtp("stray:100")
        self.assertEqual((rtp["misdelivered"], rtp["lost"]), (made, made))

    def test_corrupted(self):
        """One of 64 is looked into."""
        rtp, made = self.rtp("corrupt:1")
        self.assertEqual((rtp["corrupted"], rtp["lost"]), (made // 64, made // 64))


class Signalling(unittest.TestCase):
    def cps(self, fault):
        a = run(["cps 50 1", "stats"], "--direct", "--calls", "500", "--fault", fault)
        cps = a["cps"]
        self.assertGreater(a["stats"]["faults_made"], 0)
        self.assertEqual(cps["attempted"], cps["done"] + cps["faulty"] + cps["timed_out"] + cps["unfinished"]
                         + sum(cps["failed"].values()))
        self.assertEqual(a["stats"]["mbufs_in_use"], 0)
        return cps

    def test_what_is_lost_is_sent_again(self):
        cps = self.cps("drop:11")
        self.assertEqual(cps["done"], cps["attempted"], cps)
        self.assertGreater(cps["retransmissions"], 0)

    def test_a_changed_identifier_is_a_fault(self):
        for fault in ("tag", "call-id", "cseq"):
            cps = self.cps(f"{fault}:29")
            self.assertLess(cps["done"], cps["attempted"], fault)
            self.assertGreater(sum(cps["faults"].values()), 0, fault)

    def test_a_changed_branch_finds_no_call(self):
        cps = self.cps("branch:29")
        self.assertGreater(cps["unexpected"] + cps["stale"] + sum(cps["faults"].values()), 0)


unittest.main(verbosity=1)
