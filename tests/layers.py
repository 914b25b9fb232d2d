#!/usr/bin/env python3
"""Refuses what a layer may not use; run by the build, which fails with it.

    base <- sip <- media <- core <- dataplane <- control

 - An include is written from the root and goes against no arrow; control sees of
   the dataplane only dataplane/dataplane.h; sbc uses few system headers.
 - A library of sbc leaves undefined only what a lower layer defines and what the
   list below allows: no allocation, clock, socket, file, thread or randomness.
 - A header of sbc compiles alone.
"""
import argparse
import concurrent.futures
import os
import re
import subprocess
import sys

LAYERS = ["sbc/base", "sbc/sip", "sbc/media", "sbc/core", "dataplane", "control"]
PUBLIC_ONLY = {("control", "dataplane"): "dataplane/dataplane.h"}

SBC_SYSTEM = {
    "assert.h", "arm_neon.h", "emmintrin.h", "immintrin.h", "inttypes.h", "limits.h", "stdalign.h",
    "stdbool.h", "stddef.h", "stdint.h", "stdlib.h", "string.h",
}
# By layer: what its system headers may not be. Control never touches a packet;
# the dataplane knows no configuration files and no Redis.
FORBIDDEN_SYSTEM = {
    "control": re.compile(r"rte_"),
    "dataplane": re.compile(r"hiredis|cyaml|yaml|jansson|uv\.h|ares"),
}

SYMBOLS = {
    "abort", "bcmp", "bsearch", "memchr", "memcmp", "memcpy", "memmem", "memmove", "memrchr",
    "memset", "rawmemchr", "strchr", "strcmp", "strcspn", "strlen", "strncmp", "strnlen",
    "strpbrk", "strrchr", "strspn", "strstr", "CRYPTO_memcmp", "OPENSSL_cleanse",
    "_GLOBAL_OFFSET_TABLE_", "__assert_fail", "__stack_chk_fail", "__tls_get_addr",
    "__memcpy_chk", "__memmove_chk", "__memset_chk",
}
# Digests and their parameters of libcrypto; what sanitizers, coverage, the compiler's
# own arithmetic and its question for the kind of processor put in.
SYMBOL_PATTERN = re.compile(
    r"(EVP_|OSSL_PARAM_)\w+"
    r"|_*(__asan_|__ubsan_|__tsan_|__msan_|__sanitizer_|__sancov_|__gcov_|__llvm_)\w+"
    r"|__cpu_(model|indicator_init|features2)"
    r"|__(start|stop)___sancov_\w+"
    r"|__[a-z]+[sdt]i[0-9]")

INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*(["<])([^">]+)[">]', re.M)


def layer_of(path):
    for layer in LAYERS:
        if path.startswith(layer + "/"):
            return layer
    return None


def sources(root):
    for layer in LAYERS:
        for folder, _, names in sorted(os.walk(os.path.join(root, layer))):
            for name in sorted(names):
                if name.endswith((".c", ".h")):
                    yield layer, os.path.relpath(os.path.join(folder, name), root)


def project_include(root, layer, name):
    """What is wrong with #include "name" in a file of the layer, or None."""
    target = layer_of(name)
    if target is None or not os.path.isfile(os.path.join(root, name)):
        return f'"{name}" is not written from the root, or not a layer\'s'
    if LAYERS.index(target) > LAYERS.index(layer):
        return f'"{name}" is of a layer above {layer}'
    allowed = PUBLIC_ONLY.get((layer, target), name)
    if name != allowed:
        return f'"{name}": {layer} sees of {target} only {allowed}'
    return None


def system_include(layer, name):
    if layer.startswith("sbc/"):
        if name not in SBC_SYSTEM and not name.startswith("openssl/"):
            return f"<{name}> is not for sbc"
    elif layer in FORBIDDEN_SYSTEM and FORBIDDEN_SYSTEM[layer].match(name):
        return f"<{name}> is not for {layer}"
    return None


def check_includes(root):
    faults = []
    for layer, path in sources(root):
        with open(os.path.join(root, path), encoding="utf-8") as f:
            text = f.read()
        for m in INCLUDE.finditer(text):
            quoted, name = m.group(1) == '"', m.group(2)
            fault = project_include(root, layer, name) if quoted else system_include(layer, name)
            if fault:
                line = text.count("\n", 0, m.start()) + 1
                faults.append(f"{path}:{line}: {fault}")
    return faults


def symbols(nm, library):
    """(defined, undefined as {symbol: object}) of a static library."""
    out = subprocess.run([nm, "-P", "-A", library], check=True, capture_output=True, text=True)
    defined, undefined = set(), {}
    for line in out.stdout.splitlines():
        where, _, rest = line.partition(": ")
        fields = rest.split()
        if len(fields) < 2:
            continue
        if fields[1] in "Uw":
            undefined.setdefault(fields[0], where)
        elif fields[1].isupper():
            defined.add(fields[0])
    return defined, undefined


def check_symbols(nm, libraries):
    """`libraries`: [(layer, path)], the lowest first: each adds to what the next may use."""
    faults, below = [], set()
    for layer, path in libraries:
        defined, undefined = symbols(nm, path)
        if not defined:
            faults.append(f"{path}: no symbols to check")
        below |= defined
        for name, where in sorted(undefined.items()):
            if name not in below and name not in SYMBOLS and not SYMBOL_PATTERN.fullmatch(name):
                faults.append(f"{where}: {layer} may not use {name}()")
    return faults


def check_header(cc, root, path):
    command = cc + ["-fsyntax-only", "-std=gnu11", "-Wall", "-Wextra", "-Werror", "-I", root,
                    "-x", "c", "-"]
    done = subprocess.run(command, input=f'#include "{path}"\n', capture_output=True, text=True)
    return [] if done.returncode == 0 else [f"{path}: does not compile alone:\n{done.stderr}"]


def check_headers(cc, root):
    headers = [p for layer, p in sources(root) if p.endswith(".h") and layer.startswith("sbc/")]
    if not headers:
        return [f"{root}: no headers to check"]
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        return [f for fs in pool.map(lambda p: check_header(cc, root, p), headers) for f in fs]


def write_depfile(path, stamp, root):
    files = [os.path.join(root, p) for _, p in sources(root)]
    # A new source is named in its layer's meson.build.
    files += [os.path.join(root, layer, "meson.build") for layer in LAYERS]
    with open(path, "w", encoding="utf-8") as f:
        f.write(stamp + ": " + " ".join(p.replace(" ", "\\ ") for p in files) + "\n")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--root", required=True)
    parser.add_argument("--nm", default="nm")
    parser.add_argument("--library", action="append", default=[], metavar="LAYER=FILE")
    parser.add_argument("--stamp")
    parser.add_argument("--depfile")
    parser.add_argument("cc", nargs="+", help="compiler command, after --")
    args = parser.parse_args()

    libraries = sorted((tuple(l.split("=", 1)) for l in args.library),
                       key=lambda l: LAYERS.index(l[0]))
    faults = check_includes(args.root)
    faults += check_symbols(args.nm, libraries)
    faults += check_headers(args.cc, args.root)
    for fault in faults:
        print("layers:", fault, file=sys.stderr)
    if faults:
        return 1
    if args.depfile:
        write_depfile(args.depfile, args.stamp, args.root)
    if args.stamp:
        open(args.stamp, "w", encoding="utf-8").close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
