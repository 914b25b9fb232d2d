#!/usr/bin/env python3
"""Shows that tests/layers.py bites: small trees, good and bad, and what it says of them."""
import os
import subprocess
import sys
import tempfile
import unittest

LAYERS_PY = os.path.join(os.path.dirname(os.path.abspath(__file__)), "layers.py")
CC = os.environ.get("CC", "cc").split()

GOOD = {
    "sbc/base/a.h": "#ifndef A_H\n#define A_H\n#include <stdint.h>\nuint32_t a_of(uint32_t v);\n#endif\n",
    "sbc/base/a.c": '#include "sbc/base/a.h"\n#include <stdlib.h>\n#include <string.h>\n'
                    "uint32_t a_of(uint32_t v)\n{\n\tif (v == 7)\n\t\tabort();\n"
                    '\treturn v + (uint32_t)strlen((const char *)&v);\n}\n',
    "sbc/sip/b.h": "#ifndef B_H\n#define B_H\nint b_of(int v);\n#endif\n",
    "sbc/sip/b.c": '#include "sbc/base/a.h"\n#include "sbc/sip/b.h"\n'
                   "int b_of(int v)\n{\n\treturn (int)a_of((unsigned)v);\n}\n",
    "dataplane/dataplane.h": '#include "sbc/base/a.h"\n',
    "dataplane/worker.h": "#include <stdio.h>\n",
    "dataplane/worker.c": '#include <rte_mbuf.h>\n#include "dataplane/worker.h"\n'
                          '#include "sbc/sip/b.h"\n',
    "control/main.c": '#include <hiredis/hiredis.h>\n#include "dataplane/dataplane.h"\n'
                      '#include "sbc/sip/b.h"\n',
}


class Tree:
    """A tree of sources, compiled into one library a layer, and what the check says of it."""

    def __init__(self, changes):
        self.files = {**GOOD, **changes}

    def library(self, root, layer):
        objects = []
        for path in sorted(self.files):
            if path.startswith(layer + "/") and path.endswith(".c"):
                obj = os.path.join(root, path.replace("/", "_") + ".o")
                subprocess.run(CC + ["-w", "-O0", "-I", root, "-c", os.path.join(root, path),
                                     "-o", obj], check=True)
                objects.append(obj)
        lib = os.path.join(root, layer.replace("/", "_") + ".a")
        subprocess.run(["ar", "rcs", lib] + objects, check=True)
        return f"{layer}={lib}"

    def check(self):
        with tempfile.TemporaryDirectory() as root:
            for path, text in self.files.items():
                full = os.path.join(root, path)
                os.makedirs(os.path.dirname(full), exist_ok=True)
                with open(full, "w", encoding="utf-8") as f:
                    f.write(text)
            stamp, dep = os.path.join(root, "stamp"), os.path.join(root, "dep")
            command = [sys.executable, LAYERS_PY, "--root", root, "--stamp", stamp,
                       "--depfile", dep]
            for layer in ("sbc/base", "sbc/sip"):
                command += ["--library", self.library(root, layer)]
            done = subprocess.run(command + ["--"] + CC, capture_output=True, text=True)
            stamped = os.path.exists(stamp)
            depends = ""
            if os.path.exists(dep):
                with open(dep, encoding="utf-8") as f:
                    depends = f.read()
            return done.returncode, done.stderr, stamped, depends


class LayersTest(unittest.TestCase):
    def refused(self, said, changes):
        code, err, stamped, _ = Tree(changes).check()
        self.assertEqual(code, 1, err)
        self.assertIn(said, err)
        self.assertEqual(len(err.split("layers: ")), 2, "one fault, said once: " + err)
        self.assertFalse(stamped, "a stamp would let the build go on")

    def test_a_good_tree_passes_and_names_what_it_depends_on(self):
        code, err, stamped, depends = Tree({}).check()
        self.assertEqual((code, err, stamped), (0, "", True))
        for path in GOOD:
            self.assertIn(path, depends)

    def test_base_may_not_include_sip(self):
        self.refused('sbc/base/c.c:2: "sbc/sip/b.h" is of a layer above sbc/base',
                     {"sbc/base/c.c": '\n#include "sbc/sip/b.h"\n'})

    def test_sbc_may_not_include_the_dataplane(self):
        self.refused("of a layer above", {"sbc/sip/c.c": '#  include "dataplane/dataplane.h"\n'})

    def test_sbc_may_not_include_control(self):
        self.refused("of a layer above", {"control/c.h": "\n",
                                          "sbc/sip/c.c": '#include "control/c.h"\n'})

    def test_the_dataplane_may_not_include_control(self):
        self.refused("of a layer above", {"control/c.h": "\n",
                                          "dataplane/c.c": '#include "control/c.h"\n'})

    def test_control_sees_only_the_public_header(self):
        self.refused("sees of dataplane only dataplane/dataplane.h",
                     {"control/c.c": '#include "dataplane/worker.h"\n'})

    def test_includes_are_written_from_the_root(self):
        self.refused("not written from the root", {"sbc/sip/c.c": '#include "b.h"\n'})
        self.refused("not written from the root",
                     {"sbc/base/c.c": '#include "../base/a.h"\n'})

    def test_control_may_not_touch_packets(self):
        self.refused("<rte_mbuf.h> is not for control", {"control/c.c": "#include <rte_mbuf.h>\n"})

    def test_the_dataplane_knows_no_redis(self):
        self.refused("is not for dataplane",
                     {"dataplane/c.c": "#include <hiredis/async.h>\n"})

    def test_sbc_may_not_use_system_headers_at_will(self):
        for name in ("stdio.h", "time.h", "pthread.h", "sys/socket.h", "rte_mbuf.h"):
            code, err, _, _ = Tree({"sbc/base/c.c": f"#if 0\n#include <{name}>\n#endif\n"}).check()
            self.assertEqual(code, 1)
            self.assertIn(f"sbc/base/c.c:2: <{name}> is not for sbc", err)

    def test_forbidden_symbols_are_found_however_declared(self):
        calls = ["malloc", "calloc", "realloc", "free", "strdup", "time", "clock_gettime",
                 "gettimeofday", "socket", "send", "sendto", "recvmsg", "open", "read", "write",
                 "printf", "snprintf", "pthread_create", "rand", "random", "getrandom",
                 "RAND_bytes", "qsort", "getenv"]
        text = "".join(f"extern long {c}();\nlong c_{c}(void);\n"
                       f"long c_{c}(void)\n{{\n\treturn {c}(1);\n}}\n" for c in calls)
        code, err, stamped, _ = Tree({"sbc/sip/c.c": text}).check()
        self.assertEqual((code, stamped), (1, False))
        for call in calls:
            self.assertIn(f"sbc/sip may not use {call}()", err)
        self.assertEqual(len(err.splitlines()), len(calls), "each once, nothing else: " + err)

    def test_a_lower_layer_may_not_link_to_a_higher(self):
        self.refused("sbc/base may not use b_of()",
                     {"sbc/base/c.c": "int b_of(int v);\nint c_of(void);\n"
                                      "int c_of(void)\n{\n\treturn b_of(1);\n}\n"})

    def test_an_empty_library_is_no_proof(self):
        self.refused("no symbols to check", {"sbc/sip/b.c": "\n"})

    def test_a_header_that_leans_on_its_includer_is_refused(self):
        self.refused("sbc/sip/c.h: does not compile alone",
                     {"sbc/sip/c.h": "uint32_t c_of(void);\n"})


if __name__ == "__main__":
    unittest.main()
