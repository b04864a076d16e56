"""Operator mutants: every place in a source where one operator, constant, condition or call can be
wrong, found on clang's syntax tree.

Kinds: `<` and `<=` (`>` and `>=`) exchanged, a `+ 1` or `- 1` dropped, a condition negated, a call
for its effect removed, a whole number one too large. Left alone is what an assertion says, what
only decides whether a rule is counted, and what the compiler evaluates: all mutants are in one
program, which chooses when it runs.
"""
import collections
import glob
import sys

from mutants_build import Bad

sys.path.append("/usr/lib/python3/dist-packages")  # where Debian has clang's bindings

Site = collections.namedtuple("Site", "file line function kind before after begin end text")

EXCHANGED = {"<": "<=", "<=": "<", ">": ">=", ">=": ">"}


class Sites:
    """Of one file."""

    def __init__(self, root, file):
        self.root, self.file, self.found, self.seen = root, file, [], set()
        self.data = (root / file).read_bytes()

    def text(self, begin, end):
        return self.data[begin:end].decode()

    def line_of(self, offset):
        begin = self.data.rfind(b"\n", 0, offset) + 1
        end = self.data.find(b"\n", offset)
        return self.text(begin, end)

    def add(self, kind, function, begin, end, replacement):
        """What is asserted changes nothing that a system does."""
        if "assert" in self.line_of(begin) or (begin, end, replacement) in self.seen:
            return
        self.seen.add((begin, end, replacement))
        line = self.data.count(b"\n", 0, begin) + 1
        self.found.append(Site(self.file, line, function, kind, self.text(begin, end), replacement,
                               begin, end, self.line_of(begin).strip()))

    def walk(self, node, function, parent):
        from clang.cindex import CursorKind as K
        if node.location.file and str(node.location.file.name) != self.file:
            return
        if node.kind in (K.FUNCTION_DECL, K.CXX_METHOD, K.FUNCTION_TEMPLATE, K.CONSTRUCTOR,
                         K.DESTRUCTOR, K.CONVERSION_FUNCTION):
            function = node.spelling
        children = list(node.get_children())
        begin, end = node.extent.start.offset, node.extent.end.offset
        if self.only_covers(node) or self.is_constant(node, parent):
            return
        if node.kind == K.BINARY_OPERATOR and len(children) == 2:
            self.operator(function, begin, end, children)
        if node.kind in (K.IF_STMT, K.WHILE_STMT, K.CONDITIONAL_OPERATOR):
            self.condition(function, node, children)
        if node.kind == K.CALL_EXPR and parent is not None and self.stands_alone(node, parent):
            self.add("call removed", function, begin, end, "(void)0")
        if node.kind == K.INTEGER_LITERAL and function and self.text(begin, end).isdigit():
            one_more = str(int(self.text(begin, end)) + 1)
            self.add("constant off by one", function, begin, end, one_more)
        for child in children:
            self.walk(child, function, node)

    def only_covers(self, node):
        """Counts rules, or decides whether to: a system does the same without."""
        from clang.cindex import CursorKind as K
        children = list(node.get_children())
        begin, end = node.extent.start.offset, node.extent.end.offset
        if node.kind.is_expression():
            return self.text(begin, end).startswith("cover(") and self.closing(begin) == end - 1
        if node.kind == K.COMPOUND_STMT:
            return bool(children) and all(map(self.only_covers, children))
        if node.kind not in (K.IF_STMT, K.FOR_STMT, K.WHILE_STMT, K.CXX_FOR_RANGE_STMT):
            return False
        behind = [c for c in children if c.extent.start.offset > self.closing(begin)]
        return bool(behind) and all(map(self.only_covers, behind))

    def closing(self, begin):
        """Where the next bracket that opens is closed."""
        depth = 0
        for at in range(self.data.index(b"(", begin), len(self.data)):
            depth += {b"(": 1, b")": -1}.get(self.data[at:at + 1], 0)
            if depth == 0:
                return at
        raise Bad(f"{self.file}: a bracket is not closed")

    def is_constant(self, node, parent):
        from clang.cindex import CursorKind as K
        begin, end = node.extent.start.offset, node.extent.end.offset
        if node.kind == K.STATIC_ASSERT:
            return True
        if node.kind in (K.VAR_DECL, K.FIELD_DECL):
            return "constexpr" in self.text(begin, node.location.offset).split()
        if node.kind != K.INTEGER_LITERAL:
            return False
        if parent is not None and parent.kind == K.CASE_STMT:
            return True
        return self.data[begin - 1:begin] == b"<" and self.data[end:end + 2] == b">("

    def operator(self, function, begin, end, children):
        left, right = (c.extent for c in children)
        if not begin <= left.end.offset <= right.start.offset <= end:
            return
        between = self.text(left.end.offset, right.start.offset)
        at = left.end.offset + len(between) - len(between.lstrip())
        sign = between.strip()
        if sign in EXCHANGED:
            whole = self.text(begin, at) + EXCHANGED[sign] + self.text(at + len(sign), end)
            self.add("comparison", function, begin, end, whole)
        if sign in ("+", "-") and self.text(right.start.offset, right.end.offset) == "1":
            self.add("one dropped", function, begin, end, self.text(begin, left.end.offset))

    def condition(self, function, node, children):
        from clang.cindex import CursorKind as K
        conditions = [c for c in children if c.kind.is_expression()][:1]
        if any(c.kind == K.VAR_DECL or c.kind == K.DECL_STMT for c in children[:1]):
            return
        for c in conditions:
            begin, end = c.extent.start.offset, c.extent.end.offset
            if self.text(max(0, begin - 15), begin).rstrip("( ").endswith("constexpr"):
                return  # the compiler decides it
            if node.extent.start.offset <= begin < end <= node.extent.end.offset:
                self.add("condition negated", function, begin, end, f"!({self.text(begin, end)})")

    def stands_alone(self, node, parent):
        """A call whose value nobody asks for."""
        from clang.cindex import CursorKind as K
        if parent.kind == K.COMPOUND_STMT:
            return True
        if parent.kind not in (K.IF_STMT, K.FOR_STMT, K.WHILE_STMT, K.CXX_FOR_RANGE_STMT):
            return False
        after = self.data[node.extent.end.offset:node.extent.end.offset + 1]
        before = self.data[:node.extent.start.offset].rstrip()
        return after == b";" and (before.endswith(b")") or before.endswith(b"else"))


def sites_of(root, files):
    """All sites, in the order of files and lines."""
    from clang.cindex import Config, Index
    Config.set_library_file(library())
    index, found = Index.create(), []
    for file in files:
        unit = index.parse(str(file), args=["-x", "c++", "-std=c++20", f"-I{root}"])
        wrong = [d.spelling for d in unit.diagnostics if d.severity >= 3]
        if wrong:
            raise Bad(f"{file}: {wrong[0]}")
        sites = Sites(root, file)
        for child in unit.cursor.get_children():
            sites.walk(child, "", None)
        found += sites.found
    return found


def library():
    """The one that Debian's bindings of version 19 are for."""
    for pattern in ("/usr/lib/llvm-19/lib/libclang*.so*", "/usr/lib/*/libclang-19.so*"):
        if paths := sorted(glob.glob(pattern)):
            return paths[0]
    raise Bad("libclang 19 is not installed")


def key(site):
    """What a site is called in reports: it stays when lines move."""
    before, after = (" ".join(s.split()) for s in (site.before, site.after))
    change = {"condition negated": f"!({before})", "call removed": f"no {before}",
              "constant off by one": f"{before} is {after}"}.get(site.kind, after)
    return f"{site.file} {site.function}: {change} | {site.text}"


PRELUDE = """#pragma once
#include <cstdlib>
#include <type_traits>
inline const int forkproof_mutant_chosen =
    std::getenv("FORKPROOF_MUTANT") ? std::atoi(std::getenv("FORKPROOF_MUTANT")) : -1;
constexpr bool forkproof_mutant_is(int n) {
  return !std::is_constant_evaluated() && forkproof_mutant_chosen == n;
}
"""


def schema(root, file, sites):
    """The file with all these mutants in it, of which the environment chooses one when it runs:
    one compilation for all. `sites` are pairs of a number and a site."""
    data, inserts = (root / file).read_bytes(), []
    for n, s in sites:
        after = " ".join(s.after.split())
        which = f"forkproof_mutant_is({n})"
        before, behind = {
            "condition negated": (f"({which} != static_cast<bool>(", "))"),
            "call removed": (f"({which} ? (void)0 : (void)(", "))"),
        }.get(s.kind, (f"({which} ? ({after}) : (", "))"))
        size = s.end - s.begin
        inserts.append((s.begin, 1, -size, n, before))
        inserts.append((s.end, 0, size, -n, behind))
    out, at = b"", 0
    for offset, _, _, _, text in sorted(inserts):
        out += data[at:offset] + text.encode()
        at = offset
    return out + data[at:]
