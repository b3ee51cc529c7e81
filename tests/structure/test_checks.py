#!/usr/bin/env python3
"""Each structure check on a small tree that keeps its rule and on trees that break it."""

import os
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from checks import exchange, features, headers, libraries, rooms, sizes, walks, words  # noqa: E402
from checks.functions import functions  # noqa: E402
from checks.tree import Tree, code_only  # noqa: E402

STEM_LINE = 'struct Cors { static constexpr std::string_view kStem = "cors"; };\n'


class TreeCase(unittest.TestCase):
    def tree(self, files):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        for path, text in files.items():
            place = os.path.join(folder.name, path)
            os.makedirs(os.path.dirname(place), exist_ok=True)
            with open(place, "w", encoding="utf-8") as file:
                file.write(text)
        return Tree(folder.name)

    def expect_clean(self, check, files):
        self.assertEqual(check(self.tree(files)), [])

    def expect_finding(self, check, files, start, words_in_it=""):
        findings = check(self.tree(files))
        self.assertEqual(len(findings), 1, findings)
        self.assertTrue(findings[0].startswith(start), findings[0])
        self.assertIn(words_in_it, findings[0])


class IncludeDirection(TreeCase):
    def one(self, path, target):
        return {path: f'#include <string>\n#include "{target}"\n', target: "#pragma once\n"}

    def test_the_flow_is_allowed(self):
        for path, target in (
            ("common/wire/a.h", "common/model/b.h"),
            ("common/wire/a.h", "common/loop/b.h"),
            ("common/base/a.cc", "common/base/a.h"),
            ("controller/ingress/a.cc", "controller/annotations/row.h"),
            ("controller/status/a.cc", "common/routing/b.h"),
            ("controller/main.cc", "controller/admin/b.h"),
            ("dataplane/snapshot/a.cc", "dataplane/exchange/b.h"),
            ("weirctl/a.cc", "controller/store/b.h"),
            ("tests/unit/dataplane/codec/a_test.cc", "dataplane/codec/b.h"),
        ):
            with self.subTest(path=path, target=target):
                self.expect_clean(rooms.check, self.one(path, target))

    def test_against_the_flow_is_found(self):
        for path, target in (
            ("common/base/a.h", "common/loop/b.h"),
            ("common/model/a.h", "common/wire/b.h"),
            ("common/routing/a.h", "common/wire/b.h"),
            ("common/base/a.h", "dataplane/codec/b.h"),
            ("controller/store/a.h", "controller/translate/b.h"),
            ("controller/ingress/a.h", "controller/gateway/b.h"),
            ("controller/publish/a.cc", "dataplane/snapshot/b.h"),
            ("dataplane/codec/a.cc", "dataplane/exchange/b.h"),
            ("dataplane/cache/a.cc", "dataplane/waf/b.h"),
            ("dataplane/main.cc", "controller/store/b.h"),
            ("weirctl/a.cc", "dataplane/codec/b.h"),
            ("common/base/a.cc", "tests/fakes/b.h"),
        ):
            with self.subTest(path=path, target=target):
                self.expect_finding(rooms.check, self.one(path, target), f"{path}:2: includes {target}")

    def test_a_commented_include_does_not_count(self):
        self.expect_clean(rooms.check, {"common/base/a.h": '// #include "common/loop/b.h"\n/*\n#include "x.h"\n*/\n'})

    def test_a_path_that_is_not_from_the_top_is_found(self):
        self.expect_finding(rooms.check, {"common/base/a.cc": '#include "a.h"\n', "common/base/a.h": ""},
                            "common/base/a.cc:1:", "no path from the repository's top")

    def test_a_test_may_name_what_lies_beside_it(self):
        self.expect_clean(rooms.check, {"tests/unit/a_test.cc": '#include "b.h"\n', "tests/unit/b.h": ""})
        self.expect_finding(rooms.check, {"tests/unit/a_test.cc": '#include "c.h"\n'}, "tests/unit/a_test.cc:1:")

    def test_an_own_header_in_angle_brackets_is_found(self):
        self.expect_finding(rooms.check, {"common/base/a.cc": "#include <common/base/a.h>\n"}, "common/base/a.cc:1:", "quotes")

    def test_a_room_outside_the_table_is_found(self):
        self.expect_finding(rooms.check, {"dataplane/misc/a.h": ""}, "dataplane/misc/a.h:1:", "not in the table")


class LibraryHeaders(TreeCase):
    def test_the_wrapper_may(self):
        for path, header in (
            ("common/base/json.cc", "rapidjson/reader.h"),
            ("dataplane/transport/tls_context.cc", "openssl/ssl.h"),
            ("common/base/metrics_text.cc", "prometheus/registry.h"),
            ("dataplane/worker/a.cc", "sys/epoll.h"),
            ("dataplane/codec/scan.cc", "immintrin.h"),
            ("tests/unit/common/crypto/a_test.cc", "openssl/ssl.h"),
        ):
            with self.subTest(path=path, header=header):
                self.expect_clean(libraries.check, {path: f"#include <{header}>\n"})

    def test_others_may_not(self):
        for path, header in (
            ("common/base/json.h", "rapidjson/document.h"),
            ("dataplane/listener/a.cc", "openssl/ssl.h"),
            ("controller/store/a.cc", "curl/curl.h"),
            ("dataplane/admin/a.cc", "httplib.h"),
            ("common/model/a.cc", "re2/re2.h"),
            ("common/base/a.cc", "boost/any.hpp"),
            ("dataplane/codec/a.cc", "sys/socket.h"),
            ("dataplane/exchange/a.cc", "netinet/in.h"),
        ):
            with self.subTest(path=path, header=header):
                self.expect_finding(libraries.check, {path: f"#include <{header}>\n"}, f"{path}:1: <{header}>")


class Functions(unittest.TestCase):
    def names_and_lines(self, text):
        return [(f.name, f.lines) for f in functions(code_only(text))]

    def test_finds_what_the_language_offers(self):
        for text, want in (
            ("namespace a {\nint f(int x) {\n  return x;\n}\n}\n", [("f", 3)]),
            ("class A : public B {\n public:\n  A(int a) : a_(a), b_{1}, c_{{2}} {\n    g();\n  }\n  int b_{0};\n};\n", [("A", 3)]),
            ("auto A::f() const noexcept -> std::vector<int> { return {}; }\n", [("A::f", 1)]),
            ("template <typename T>\n  requires std::integral<T>\nvoid f(T t = {}) {\n}\n", [("f", 2)]),
            ("constexpr Row kRows[] = {\n  {\"a{\", 1},\n  {\"b\", 2},\n};\nvoid g() {\n}\n", [("g", 2)]),
            ("void f() {\n  auto g = [&](int x) {\n    if (x) { h(); }\n  };\n}\n", [("f", 5)]),
            ("const auto kF = [](int x) {\n  return x;\n};\n", [("lambda", 3)]),
            ("TEST(A, B) {\n  x();\n}\n", [("TEST", 3)]),
            ("bool operator==(const A& o) const { return true; }\n", [("operator==", 1)]),
            ("#define F(x) { x\nint a = 1'000; char c = '{';\nvoid f() { s = R\"(}}})\"; }\n", [("f", 1)]),
            ("enum class E { a, b };\nstruct alignas(64) S { int x = 0; };\nint g();\n", []),
        ):
            with self.subTest(text=text):
                self.assertEqual(self.names_and_lines(text), want)


class Sizes(TreeCase):
    def test_at_the_limit_is_fine(self):
        body = "void f() {\n" + "  g();\n" * 58 + "}\n"
        self.expect_clean(sizes.check, {"common/base/a.cc": body, "common/base/b.cc": "\n" * 500,
                                        "tests/unit/a_test.cc": "\n" * 600, "tools/a.py": "def f():\n" + "    g()\n" * 59})

    def test_a_long_function_is_found(self):
        self.expect_finding(sizes.check, {"common/base/a.cc": "\nvoid f() {\n" + "  g();\n" * 59 + "}\n"},
                            "common/base/a.cc:2: f has 61 lines")

    def test_a_long_python_function_is_found(self):
        self.expect_finding(sizes.check, {"tools/a.py": "def f():\n" + "    g()\n" * 60}, "tools/a.py:1: f has 61 lines")

    def test_a_long_file_is_found(self):
        self.expect_finding(sizes.check, {"common/base/a.h": "\n" * 501}, "common/base/a.h:1: the file has 501 lines")
        self.expect_finding(sizes.check, {"tests/unit/a_test.cc": "\n" * 601}, "tests/unit/a_test.cc:1: the file has 601")

    def test_an_exception_has_a_bound_and_a_reason(self):
        long = "void f() {\n" + "  g();\n" * 60 + "}\n"
        self.expect_clean(sizes.check, {"common/base/a.cc": long,
                                        sizes.EXCEPTIONS: "# words\ncommon/base/a.cc:f 70 a table in the shape of code\n"})
        self.expect_finding(sizes.check, {"common/base/a.cc": long,
                                          sizes.EXCEPTIONS: "common/base/a.cc:f 61 a table in the shape of code\n"},
                            "common/base/a.cc:1: f has 62 lines, at most 61")
        self.expect_finding(sizes.check, {sizes.EXCEPTIONS: "common/base/a.cc:f 70\n"}, sizes.EXCEPTIONS, "REASON")

    def test_an_exception_that_nobody_needs_is_found(self):
        self.expect_finding(sizes.check, {"common/base/a.cc": "void f() {}\n",
                                          sizes.EXCEPTIONS: "common/base/a.cc:f 70 a table in the shape of code\n"},
                            sizes.EXCEPTIONS, "needs no exception")


class FeatureTables(TreeCase):
    whole = {
        "common/features/cors.h": STEM_LINE,
        "controller/annotations/cors.cc": "",
        "controller/annotations/table.cc": "",
        "dataplane/filters/cors.cc": "",
        "tests/golden/ingress/cors-simple.yaml": "",
    }

    def test_a_whole_feature_is_fine(self):
        self.expect_clean(features.check_tables, self.whole)

    def test_folders_without_files_are_not_asked_for(self):
        self.expect_clean(features.check_tables, {"common/features/cors.h": STEM_LINE, "common/features/shared.h": "",
                                                  "controller/annotations/row.h": ""})

    def test_a_missing_part_is_found(self):
        for gone in ("controller/annotations/cors.cc", "dataplane/filters/cors.cc", "tests/golden/ingress/cors-simple.yaml"):
            with self.subTest(gone=gone):
                other = os.path.join(os.path.dirname(gone), "other" + os.path.splitext(gone)[1])
                files = {path: text for path, text in self.whole.items() if path != gone} | {other: ""}
                self.expect_finding(features.check_tables, files, "common/features/cors.h:1: no ")

    def test_a_stem_that_differs_from_its_file_is_found(self):
        self.expect_finding(features.check_tables, {"common/features/kors.h": STEM_LINE}, "common/features/kors.h:1: kStem")


class CoreKnowsNoFeature(TreeCase):
    feature = {"common/features/basic_auth.h": STEM_LINE.replace("Cors", "BasicAuth").replace("cors", "basic_auth")}

    def test_other_words_and_comments_are_fine(self):
        for folder in features.CORE:
            self.expect_clean(features.check_core, self.feature | {f"{folder}/a.cc": "int basic_author; // basic_auth\n"})
        self.expect_clean(features.check_core, self.feature | {"dataplane/filters/a.cc": "int basic_auth;\n"})

    def test_every_spelling_is_found(self):
        for line in ("int basic_auth;", "BasicAuth x;", "auto k = kBasicAuth;", 'f("basic-auth");',
                     '#include "common/features/basic_auth.h"'):
            for folder in features.CORE:
                with self.subTest(line=line, folder=folder):
                    self.expect_finding(features.check_core, self.feature | {f"{folder}/a.cc": f"\n{line}\n"},
                                        f"{folder}/a.cc:2: the core names the feature basic_auth")


class Exchange(TreeCase):
    def header(self, bools):
        members = "".join(f"  bool b{i}_ = false;\n" for i in range(bools))
        return "class Exchange : public A {\n  bool f() const { bool x_; return x_; }\n  struct S { bool y_; };\n" + members + "};\n"

    def test_three_bools_are_fine_and_four_are_found(self):
        path = "dataplane/exchange/exchange.h"
        self.expect_clean(exchange.check, {path: self.header(3)})
        self.expect_finding(exchange.check, {path: self.header(4)}, path, "4 bool members")

    def test_a_long_phase_function_is_found(self):
        path = "dataplane/exchange/exchange.cc"
        for lines, clean in ((26, True), (27, False)):
            text = "void Exchange::run() {\n  switch (self.phase_) {\n" + "    case A:\n" * lines + "  }\n}\n"
            with self.subTest(lines=lines):
                if clean:
                    self.expect_clean(exchange.check, {path: text})
                else:
                    self.expect_finding(exchange.check, {path: text}, f"{path}:1: Exchange::run", "31 lines")


class Words(TreeCase):
    def test_plain_code_is_fine(self):
        self.expect_clean(words.check, {"common/base/a.cc": "// never throws\nint rethrown; // throw\n", "docs/information.md": ""})

    def test_each_word_is_found(self):
        unfinished = "TO" + "DO"
        self.expect_finding(words.check, {"common/base/a.cc": f"\n// {unfinished}: later\n"}, "common/base/a.cc:2:", unfinished)
        self.expect_finding(words.check, {"tools/dev/a.sh": "# FIX" + "ME\n"}, "tools/dev/a.sh:1:")
        self.expect_finding(words.check, {"common/base/a.cc": "void f() {\n  throw 1;\n}\n"}, "common/base/a.cc:2:", "Result")
        self.expect_finding(words.check, {"common/base/string_util.h": ""}, "common/base/string_util.h:1:")
        self.expect_finding(words.check, {"tests/fakes/http_helper.cc": ""}, "tests/fakes/http_helper.cc:1:")


class Walks(TreeCase):
    code = {"dataplane/codec/h1.cc": "void H1::feed(int x) {\n}\n// H1::gone()\n"}

    def test_what_exists_is_fine(self):
        self.expect_clean(walks.check, self.code | {
            "docs/life-of-a-request.md": "Then `dataplane/codec/h1.cc: H1::feed()` of `dataplane/codec/h1.cc` and `build/x.cc`.\n"})

    def test_what_does_not_is_found(self):
        for walk in walks.WALKS:
            for mention in ("`dataplane/codec/h9.cc`", "`dataplane/codec/h1.cc: gone()`", "`docs/no.md`"):
                with self.subTest(walk=walk, mention=mention):
                    self.expect_finding(walks.check, self.code | {walk: f"\nThen {mention}.\n"}, f"{walk}:2:")


class Headers(TreeCase):
    def findings(self, files, cache=None):
        tree = self.tree(files)
        return headers.check(tree, cache or os.path.join(tree.root, "cache"))

    def test_a_header_that_stands_alone_is_fine(self):
        self.assertEqual(self.findings({
            "common/base/a.h": '#pragma once\n#include <string>\n#include "common/base/b.h"\ninline B f(std::string) { return {}; }\n',
            "common/base/b.h": "#pragma once\nstruct B {};\n"}), [])

    def test_one_that_leans_on_its_includer_is_found(self):
        found = self.findings({"common/base/a.h": "#pragma once\ninline std::string f() { return {}; }\n"})
        self.assertEqual(len(found), 1)
        self.assertIn("common/base/a.h:1: does not compile alone", found[0])

    def test_one_without_a_guard_is_found(self):
        self.assertEqual(len(self.findings({"common/base/a.h": "struct A {};\n"})), 1)

    def test_a_change_below_is_looked_at_again(self):
        cache = tempfile.TemporaryDirectory()
        self.addCleanup(cache.cleanup)
        above = {"common/base/a.h": '#pragma once\n#include "common/base/b.h"\ninline B f() { return {}; }\n'}
        good, bad = {"common/base/b.h": "#pragma once\nstruct B {};\n"}, {"common/base/b.h": "#pragma once\nstruct C {};\n"}
        self.assertEqual(self.findings(above | good, cache.name), [])
        self.assertEqual(len(os.listdir(cache.name)), 2)
        self.assertEqual(len(self.findings(above | bad, cache.name)), 1)


if __name__ == "__main__":
    unittest.main()
