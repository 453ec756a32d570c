"""What must know every policy and every config."""

import unittest

from support import LintTest, header, path

from lint import policies

KINDS = """namespace detail {
template <class C>
struct PolicyKind<Retry<C>> {};
template <class C>
using PolicyKinds = NamedOfKinds<C, Retry<C>>;
}"""
CONFIG = "struct RetryConfig {};\nstd::string validate(const RetryConfig& config);\nstd::string validate(const Rule& rule);"
JSON = "namespace detail {\ntemplate <class T>\nconcept JsonConfig = OneOf<T, RetryConfig, Rule>;\n}"
PARTS = "struct RetryPart {\n  RetryConfig config;\n  Rule rule;\n};\nstruct PipelineConfig {};"
FILES = {
    path(policies.KINDS): header(policies.KINDS, "/retry", body=KINDS),
    path("retry/config"): header("retry/config", body=CONFIG),
    path(policies.CONFIGS): header(policies.CONFIGS, body=JSON),
    path(policies.PARTS): header(policies.PARTS, body=PARTS),
    policies.TEST: 'use("RetryConfig", a);\nuse("Rule", b);\n',
}
EXCEPTIONS = {"NOT_IN_REGISTRY": {"circuit_breaker": ""}, "NOT_IN_JSON": {}, "NOT_IN_PIPELINE": {}}


class Policies(LintTest):
    def keeps(self, changes=None, **more):
        self.accepts(policies.check, {**FILES, **(changes or {})}, **{**EXCEPTIONS, **more})

    def breaks(self, changes, *expected, **more):
        self.refuses(policies.check, {**FILES, **changes}, *expected, **{**EXCEPTIONS, **more})

    def test_a_good_tree(self):
        self.keeps()
        self.accepts(policies.check)

    def test_a_policy_that_is_no_kind(self):
        text = header(policies.KINDS, "/retry", "/circuit_breaker", body=KINDS)
        self.breaks({}, "has no kind of policy of", path("circuit_breaker"), NOT_IN_REGISTRY={})
        self.keeps({path(policies.KINDS): text}, NOT_IN_REGISTRY={})
        self.breaks({path(policies.KINDS): text}, "NOT_IN_REGISTRY lists 'circuit_breaker'")

    def test_a_kind_that_no_registry_has(self):
        text = FILES[path(policies.KINDS)].replace("C, Retry<C>>;", "C>;")
        self.breaks({path(policies.KINDS): text}, "PolicyKinds lacks Retry")

    def test_a_config_that_is_not_in_json(self):
        for name, body in (("RetryConfig", "T, Rule>"), ("Rule", "T, RetryConfig>")):
            text = FILES[path(policies.CONFIGS)].replace("T, RetryConfig, Rule>", body)
            self.breaks({path(policies.CONFIGS): text}, f"{path('retry/config')}:", f"{name} is not in JsonConfig")
            self.keeps({path(policies.CONFIGS): text}, NOT_IN_JSON={name: ""})
        self.breaks({}, "NOT_IN_JSON lists 'Rule'", NOT_IN_JSON={"Rule": ""})

    def test_a_config_without_a_test(self):
        self.breaks({policies.TEST: 'use("RetryConfig", a);\n'}, "Rule is not in for_changed_configs")

    def test_a_config_of_a_policy_that_no_pipeline_has(self):
        text = FILES[path(policies.PARTS)].replace("  Rule rule;\n", "  // Rule\n")
        self.breaks({path(policies.PARTS): text}, f"{path('retry/config')}:", "Rule is in no part")
        self.keeps({path(policies.PARTS): text}, NOT_IN_PIPELINE={"Rule": ""})
        self.breaks({}, "NOT_IN_PIPELINE lists 'Rule'", NOT_IN_PIPELINE={"Rule": ""})

    def test_what_is_no_config_of_users(self):
        self.keeps({path("retry/detail/loop"): header("retry/detail/loop", body="struct LoopConfig {};")})
        self.keeps({path("clock"): header("clock", body="namespace detail {\nstruct TickConfig {};\n}")})


if __name__ == "__main__":
    unittest.main()
