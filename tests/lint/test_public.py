"""What is public stays out of detail, and detail out of what is public."""

import re
import unittest

from support import LintTest, header, path

from lint import cpp, public


def named(text):
    return [(one.kind, one.name, one.public) for one in cpp.declarations(text)]


class Public(LintTest):
    def test_a_good_tree(self):
        self.accepts(public.check)

    def test_enums_without_text(self):
        listed = header("detail/named_enum", body="namespace detail {\ntemplate <class E>\nconcept NamedEnum = OneOf<E, State>;\n}")
        for name, refused in (("State", False), ("Priority", True)):
            body = f"constexpr std::string_view to_string({name} value) noexcept;"
            files = {path("detail/named_enum"): listed, path("retry"): header("retry", body=body)}
            if refused:
                self.refuses(lambda tree: list(public.enums(tree)), files, "detail/named_enum", "lacks Priority")
            else:
                self.accepts(lambda tree: list(public.enums(tree)), files)

    def test_public_names_under_detail(self):
        for name in ("detail/ticks", "retry/detail/loop"):
            for body in (
                "class Tick {};",
                "template <class T>\nstruct Tick final : T {};",
                "enum class Tick { a };",
                "template <class T>\nconcept Tick = true;",
                "using Tick = long;",
                "namespace shown {\nstruct Tick {};\n}",
                "inline constexpr int Tick = 1;",
                "void Tick();",
            ):
                self.refuses(public.check, {path(name): header(name, body=body)}, f"{path(name)}:", "Tick is public")

    def test_private_names_under_detail(self):
        for body in (
            "class Later;\nnamespace detail {\nclass Tick {\n  class Part {};\n};\n}",
            "namespace detail::parts {\nstruct Tick {};\n}",
            "template <class T>\nvoid Retry<T>::run() {\n  struct Local {};\n}",
            "inline void Retry::run() {}",
            "template <>\nstruct traits<int> {\n  detail::Tick f();\n};",
        ):
            self.accepts(public.check, {path("detail/ticks"): header("detail/ticks", body=body)})

    def test_detail_in_a_public_signature(self):
        for body, name in (
            ("detail::Tick now();", "now"),
            ("auto now() -> std::vector<detail::Tick>;", "now"),
            ("void now(int a, const detail::Tick& b) {}", "now"),
            ("template <class T>\n  requires(sizeof(T) > 1)\nvoid now(fusebox::detail::Box<T> t) {}", "now"),
            ("inline constexpr detail::Tick now = 1;", "now"),
            ("using now = detail::Tick;", "now"),
            ("using detail::now;", "now"),
            ("class A {\n public:\n  A(detail::Tick t);\n};", "A::A"),
            ("class A {\n public:\n  detail::Tick t{1};\n};", "A::t"),
            ("struct A {\n  operator detail::Tick() const { return 1; }\n};", "A::operator detail::Tick"),
            ("class A {\n  int x;\n public:\n#if B\n  detail::Tick t;\n#else\n  int t;\n#endif\n};", "A::t"),
        ):
            changes = {path("registry"): header("registry", body=body)}
            with self.subTest(body=body):
                self.refuses(public.check, changes, f"{path('registry')}:", f"signature of {name} spells detail::")
                self.accepts(public.check, changes, DETAIL_IN_SIGNATURE={f"registry: {name}": "why"})

    def test_detail_where_users_do_not_see_it(self):
        for body in (
            "class A {\n  detail::Tick t;\n  void f(detail::Tick);\n};",
            "struct A {\n protected:\n  detail::Tick t;\n private:\n  void f(detail::Tick);\n};",
            "class A {\n  struct B {\n    detail::Tick t;\n  };\n};",
            "class A : public detail::B {\n public:\n  friend detail::C;\n  friend void f(detail::C);\n};",
            "class A {\n public:\n  A() : detail::B{1}, t{detail::one()} {}\n  int x;\n private:\n  detail::Tick t;\n};",
            "namespace detail {\ndetail::Tick f(detail::Tick);\n}",
            "template <detail::Range R>\n  requires detail::is<R> && (detail::x<R> > 1)\nvoid f(R r);",
            "template <class R>\nvoid f(R r)\n  requires(detail::x<R>);",
            "int f(int x = detail::zero<int, 1>(), int y = 2) noexcept(detail::safe<int>);",
            "inline int f() {\n  detail::Tick t{};\n  return t;\n}",
            "inline const int x = detail::one();\ninline const int y{detail::one()};",
            "template <class T>\nvoid A<T>::f(detail::Tick t) {}",
            "static_assert(detail::x);",
            "template <>\nstruct traits<detail::Tick> {};",
            "// detail::Tick f();\n/* detail::Tick g(); */",
            'inline constexpr const char* text = "detail::";',
        ):
            with self.subTest(body=body):
                self.accepts(public.check, {path("registry"): header("registry", body=body)})

    def test_an_exception_that_is_not_needed(self):
        self.refuses(
            public.check, {}, "DETAIL_IN_SIGNATURE lists 'clock: now'", DETAIL_IN_SIGNATURE={"clock: now": "why"}
        )

    def test_fwd_only_declares(self):
        fwd = header("fwd", "/version", body="class Retry;\nstruct Extra {};")
        self.refuses(public.check, {path("fwd"): fwd}, f"{path('fwd')}:9: Extra is not only declared")

    def test_fwd_declares_what_exists(self):
        fwd = header("fwd", "/version", body="class Retry;\nnamespace detail {\nclass Hidden;\n}\nclass Lost;")
        for body in ("int x;", "namespace detail {\nclass Lost {};\n}", "class Other {\n  class Lost {};\n};"):
            self.refuses(
                public.check,
                {path("fwd"): fwd, path("registry"): header("registry", body=body)},
                f"{path('fwd')}:12: declares Lost, which no header defines",
            )

    def test_no_fwd(self):
        self.accepts(public.check, {path("fwd"): None})


class Declarations(unittest.TestCase):
    """The scanner, where it could lose its way: each text ends with a declaration that must be found."""

    def test_what_comes_before_does_not_matter(self):
        for text in (
            "void f() { if (a) { b(); } }",
            "auto f = [] { return 1; };",
            "int a[] = {1, 2, {3}};",
            "class A { A() : b{1}, c(2), d{} {} void g() {} };",
            "struct A { int b = 1; } a;",
            "#if A\nvoid f() {\n#else\nvoid f(int) {\n#endif\n}",
            "#if A\nclass B : C {\n#else\nclass B {\n#endif\n};",
            'const char* s = "}{";\nconst char c = \'{\';\nauto r = R"x(}")x";',
            "// {\n/* { */",
            "template <class T> requires requires(T t) { t.f(); } void f(T t) { t.f(); }",
            "template <class T> concept C = requires(T t) { { t.f() } -> A; };",
            "template <class T> struct X { void f() && requires(!b<T>) { g(); } };",
            "#define M(x) { x",
            "#define M \\\n  {",
            "enum A { a, b };",
            "int n = 1'000'000;",
            "struct alignas(16) S { int a; };",
            "struct S { union { int a; char b; }; };",
            "namespace a { namespace b::inline c { int x; } }",
            "extern template class X<int>;",
            "void f(int a = 1) { g(); }",
            "void f(A a) requires requires(A a) { a.b(); } { g(); }",
        ):
            with self.subTest(text=text):
                self.assertEqual(named(f"{text}\nclass Last {{}};\n")[-1], ("type", "Last", True))

    def test_a_whole_header(self):
        text = """
            #define MACRO "x"
            FUSEBOX_BEGIN_NAMESPACE
            namespace {
            int hidden;
            }  // namespace
            enum class E { a, b };
            typedef int Number;
            class A : B<C> {
              A() : b{1}, c(2), d<int>{{}} {}
             public: A(int) {}
              void f(int a = {}, int b = 2);
              struct P { union { int u; char v; }; private: int w; };
             protected:
              int d = g(), e{h()};
            };
            FUSEBOX_END_NAMESPACE
            template <>
            struct std::hash<fusebox::A> {
              int operator()(int a) const { return [=] { return a; }(); }
            };
        """
        found = cpp.declarations(text)
        self.assertEqual(
            [("::".join((*one.namespaces, *one.classes, one.name)), one.kind, one.public) for one in found],
            [
                ("fusebox::::hidden", "variable", True),
                ("fusebox::E", "type", True),
                ("fusebox::Number", "alias", True),
                ("fusebox::A", "type", True),
                ("fusebox::A::A", "function", False),
                ("fusebox::A::A", "function", True),
                ("fusebox::A::f", "function", True),
                ("fusebox::A::P", "type", True),
                ("fusebox::A::P::u", "variable", True),
                ("fusebox::A::P::v", "variable", True),
                ("fusebox::A::P::w", "variable", False),
                ("fusebox::A::e", "variable", False),
                ("std::hash<>", "type", True),
                ("std::hash<>::operator()", "function", True),
            ],
        )

    def test_both_sides_of_a_condition(self):
        text = """
            #if A
            class X : Y {
            #elif B
            class X : Z {
            #else
            class X {
            #endif
             public:
              int a;
            #if A
              void f() {
            #else
              void f(int) {
            #endif
                if (b) {
            #if B
                }
            #else
                } else {
                }
            #endif
              }
            #if C
             private:
            #else
              int b;
            #endif
              int c;
            };
            #if D
            void g();
            #endif
            int d;
        """
        self.assertEqual(
            [(*one.classes, one.name) for one in cpp.declarations(text)],
            [("X",), ("X",), ("X",), ("X", "a"), ("X", "f"), ("X", "b"), ("X", "c"), ("g",), ("d",)],
        )

    def test_conditions_in_conditions(self):
        text = """
            class X {
            #if A
             public:
            #if B
              int a;
            #endif
              void f() {
            #if C
                g();
            #endif
              }
              int b;
            #else
              int c;
            #endif
              int d;
            };
        """
        self.assertEqual(
            [(one.name, one.public) for one in cpp.declarations(text)],
            [("X", True), ("a", True), ("f", True), ("b", True), ("c", False), ("d", False)],
        )

    def test_signatures(self):
        for text, signature in (
            ("int f(int a = g(1, 2), M<int, int> b = {}, int c = d<e, f>{}) noexcept(h(i)) ;", None),
            ("explicit(true) A(int b) : c{b}, d(b) {}", "A(int b)"),
            ("inline std::vector<int> v{1, {2}};", "std::vector<int> v{}"),
            ("bool operator<=(A a, B b) = delete;", "bool operator<=(A a, B b)"),
            ("bool operator==(A a, B b) = delete;", "bool operator==(A a, B b)"),
            ("auto operator=(A a) -> B& = default;", "auto operator=(A a) -> B&"),
            ("template <class T = int, int N = (1 > 2)> int f(T t);", "int f(T t)"),
            ("template <class T> requires A<T> && (B<T> || C) void f(T t);", "void f(T t)"),
            ("template <class T> requires a::b<T>::c && requires(T t) { t.f(); } void f(T t);", "void f(T t)"),
            ("template <class T> requires(sizeof(T) > 1) A<T> f(T t);", "A<T> f(T t)"),
            ("template <class T> requires a::b<T> || A<T>::c T f();", "T f()"),
            ("decltype(a == b) f();", "decltype(a == b) f()"),
            ("void f() requires(a && b<int>);", "void f()"),
            ("void f() && requires(a || !b) { g(); }", "void f() &&"),
            ("[[nodiscard]] FUSEBOX_API static constexpr int f() noexcept;", "int f() noexcept"),
            ("using A = std::pair<B, C>;", "using A = std::pair<B, C>"),
            ("int a[2] = {1, 2};", "int a[2]"),
            ("struct alignas(16) A {};", "struct A"),
            ("void f(int (*g)(int), char c = '\"');", "void f(int (*g)(int), char c)"),
        ):
            with self.subTest(text=text):
                found = [one.signature for one in cpp.declarations(text)]
                signature = signature or "int f(int a, M<int, int> b, int c)"
                self.assertEqual([re.sub(r"\s+", " ", one) for one in found], [signature])

    def test_directives(self):
        text = '#if A  // why\n#  define B "c" \\\n  d\n#endif\n/*\n#if C\n*/\n'
        self.assertEqual(list(cpp.directives(text)), [(1, "if A"), (2, 'define B "c"    d'), (4, "endif")])

    def test_kinds_and_names(self):
        for text, kind, name in (
            ("class [[nodiscard]] A final : public B<C> {};", "type", "A"),
            ("template <class T>\nstruct std::hash<A<T>> {};", "type", "std::hash<>"),
            ("enum class A : int;", "forward", "A"),
            ("[[nodiscard]] constexpr bool operator==(A, B) { return true; }", "function", "operator=="),
            ("auto operator()() const -> int;", "function", "operator()"),
            ("decltype(auto) f(int) {}", "function", "f"),
            ("template <class... T>\ninline constexpr bool x<A<T...>> = true;", "variable", "x<>"),
            ("std::array<int, 2> a{};", "variable", "a"),
            ("int (*a)(const B&) = c;", "variable", "a"),
            ("int (B::*a)(int (*b)(int));", "variable", "a"),
            ("int a(int (*b)(int));", "function", "a"),
            ("int a = b(c) + d{1}.e;", "variable", "a"),
            ("template <class T>\nconcept A = requires(T t) { t.f(); } && B<T>;", "concept", "A"),
            ("struct A f() { int b; }", "function", "f"),
            ("int a : 3;", "variable", "a"),
        ):
            with self.subTest(text=text):
                self.assertEqual(named(text), [(kind, name, True)])

    def test_lines_and_places(self):
        self.assertEqual([one.line for one in cpp.declarations("\n\ntemplate <class T>\nvoid\nf();")], [3])
        found = cpp.declarations("namespace a {\n\nclass B {\n  struct C {\n    int d;\n  };\n};\n\n}\n")
        self.assertEqual(
            [(one.line, one.name, one.namespaces, one.classes, one.public) for one in found],
            [
                (3, "B", ("a",), (), True),
                (4, "C", ("a",), ("B",), False),
                (5, "d", ("a",), ("B", "C"), False),
            ],
        )


if __name__ == "__main__":
    unittest.main()
