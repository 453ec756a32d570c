"""The layout as data: where each header stands, the limits, and every exception with its reason.

A header is named by its path below include/fusebox without ".hpp". A *door* is what users include
(`circuit_breaker`, `test/fake_clock`); its *rooms* are `circuit_breaker/*`, its machinery is
`circuit_breaker/detail/**`. Machinery that several doors share is `detail/**`.
"""

# Layers from the bottom. A layer is a list of steps, a step the names of doors and of shared machinery. A header
# includes what is in lower layers and in earlier steps of its own layer; headers of one step never include each
# other. Rooms and machinery of a door stand where their door stands, unless they have a place of their own here.
LAYERS = (
    # 0: names
    ("detail/macros", "version", "fwd gdb"),
    # 1: what everything is built from
    (
        "config_error",
        """clock/concept detail/invoke detail/named_enum detail/throw detail/no_destroy detail/sync
        detail/native_thread detail/cpu_index detail/call_stack detail/random detail/ticks detail/utf8
        detail/iso_time detail/number_text detail/registry/policy_kind detail/registry/name_order""",
        """detail/validate detail/options detail/json_writer detail/printable_names detail/clock_reading
        detail/shards detail/unwinding detail/idempotency_key detail/registry/use_counter
        detail/registry/named_configs""",
        "detail/timer/node detail/task_pool",
        "detail/timer/heap",
        "detail/timer/timers",
        "detail/timer/thread",
        "detail/registry/name_table",
    ),
    # 2: time, codes
    ("clock backoff window error_code http", "detail/rate_window detail/sharded_counter"),
    # 3
    ("api_error",),
    # 4
    ("failure",),
    # 5: shared by policies
    (
        "detail/admission detail/deliveries detail/flow/verdict detail/flow/task detail/upstream_error",
        "detail/subscriber detail/flow/result call/event call/priority",
        "detail/event_hub detail/flow/slot detail/call_listeners detail/registry/named_policies",
        "permit subscription call detail/budget",
        "detail/call_observers detail/flow/operation detail/flow/carry",
        "detail/flow/layer",
        "detail/flow/observed detail/flow/fallback detail/flow/inside",
        "detail/flow/drive",
        "detail/flow/resumable",
        "detail/edge_events detail/flow/plan detail/slots/config detail/slots/word detail/slots/wake",
        "detail/slots/queue detail/slots/event_record",
        "detail/slots/core detail/slots/waiting",
        "detail/slots/frame detail/slots/permits",
    ),
    # 6: policies
    (
        """circuit_breaker retry timeout bulkhead rate_limiter retry_budget fallback hedge throttle adaptive_limit
        chaos call_durations""",
    ),
    # 7: policies by name, policies in policies
    ("registry", "policy_registry", "pipeline"),
    # 8: what a service tells others
    ("error_response health metrics format ostream call_recorder", "dashboard"),
    # 9: other libraries, other control flow, tests
    (
        "coro detail/asio/stop adapters/boost_system",
        "detail/asio/clock detail/asio/task",
        "detail/asio/completion",
        "adapters/* test/scoped_system_clock",
        "test/fake_clock",
        "test/async_fake_clock",
    ),
)

# Folders whose headers are doors.
DOOR_FOLDERS = ("adapters", "test")

UMBRELLA = "fusebox"
# Doors that the umbrella leaves to those who want them.
NOT_IN_UMBRELLA = ("coro", "adapters/*", "test/*", "ostream", "gdb")

# (who includes it, machinery of another door): why.
FRIENDS = {
    ("test/scoped_system_clock", "clock/detail/time_source"): "replaces what SystemClock reads",
    ("adapters/grpc", "error_response/detail/error_for_client"): "a gRPC server shows its clients what an HTTP one does",
}

# Shared machinery that only one door uses: why it is in detail/ all the same.
USED_BY_ONE_DOOR = {
    "detail/timer/timers": "knows no timeout: whatever must happen beside a running call can be armed",
    "detail/timer/thread": "the same",
    "detail/task_pool": "knows no hedge: any policy that runs calls beside their callers can use it",
    "detail/rate_window": "the machinery of window.hpp, which any policy with a rate can use",
}

# "header: Class::member" whose public signature names something in detail: why.
DETAIL_IN_SIGNATURE = {
    "api_error/details: ErrorDetails::ErrorDetails": "what a braced list of fields is made of; nobody names it",
}

# Headers without a test at the same path: why. * stands for any name.
WITHOUT_TEST = {
    "fusebox": "only includes; tests/static and tests/odr include it",
    "fwd": "only declarations; tests/static/fwd.cpp holds them",
    "version": "only macros; tests/static/version.cpp holds them",
    "adapters/asio": "needs Asio; tests/asio holds it",
    "adapters/boost_asio": "needs Boost; tests/asio holds it",
    "detail/asio/clock": "needs Asio; tests/asio holds it",
    "detail/asio/completion": "needs Asio; tests/asio holds it",
    "detail/asio/stop": "needs Asio; tests/asio holds it",
    "detail/asio/task": "needs Asio; tests/asio holds it",
    "adapters/nlohmann_json/document": "tests/unit/adapters/nlohmann_json holds it: such a test takes long to compile",
    "adapters/nlohmann_json/errors": "the same",
    "adapters/nlohmann_json/pipeline": "tests/unit/adapters/nlohmann_json/configs holds it, for the same reason",
    "adapters/nlohmann_json/detail/*": "the tests of its rooms hold it, for the same reason",
    "gdb": "only includes; tests/debuggers/check_gdb.py looks at a program that has it",
    "gdb/detail/script": "written by scripts/gdb_header.py; tests/debuggers compares and uses it",
    "detail/macros": "only macros; tests/reduced and tests/static hold them",
    "dashboard/detail/page_body": "only text; tests/dashboard opens it in a browser",
    "dashboard/detail/page_list": "the same",
    "dashboard/detail/page_model": "the same",
    "dashboard/detail/page_style": "the same",
    "dashboard/detail/page_view": "the same",
    "detail/registry/policy_kind": "only a declaration; the tests of the registries use its specialisations",
}

# Where macros are defined, and those defined elsewhere ("NAME": why).
MACRO_HEADERS = ("detail/macros", "version")
MACROS_ELSEWHERE = {
    "FUSEBOX_DETAIL_BOOST_CANCELS": "asks for a header of Boost, which only this adapter includes",
}

# Pages and examples that include rooms or machinery: why.
INCLUDES_ROOMS = {}

# Pages that do not explain the library to its users; what they name may still be on no page.
NOT_FOR_USERS = (
    "docs/README.md",
    "docs/adding-a-policy.md",
    "docs/adding-an-adapter.md",
    "docs/architecture.md",
    "docs/performance.md",
    "docs/releasing.md",
    "docs/rules.md",
    "docs/verification.md",
)

# Public names that no page needs to explain: why.
ON_NO_PAGE = {
    "StopToken::stop_possible": "std::stop_token has it, whose stand-in this is",
}

# The layer whose doors are policies.
POLICIES = 6
# Policies of which a policy registry keeps none: why.
NOT_IN_REGISTRY = {
    "circuit_breaker": "has a registry of its own, which is in that of the policies",
    "fallback": "has neither a name nor anything that calls share",
}
# Configs that JSON does not have: why.
NOT_IN_JSON = {
    "ConnectionConfig": "says how a program connects, with its password; Redis and PostgreSQL have one each",
    "DashboardConfig": "says at which addresses a program serves a page",
}
# Configs of policies that a pipeline in JSON does not have: why.
NOT_IN_PIPELINE = {
    "CallDurationsConfig": "a pipeline is given the durations to measure into, which have a name",
    "CallOptions": "is of one call",
}

# What policies and what they are built from may cost: layers up to LIGHT reach neither fmt nor these.
LIGHT = 7
HEAVY_STD = ("functional", "random", "iostream", "regex", "future", "thread")
MAY_INCLUDE_FMT = ("error_response", "health", "metrics", "format")
JSON_ADAPTER = "adapters/nlohmann_json"
NEVER_TOGETHER = ("retry", "circuit_breaker")

# Lines of a file.
MAX_DOOR, MAX_ROOM, MAX_HEADER, MAX_MEDIAN, MAX_EXAMPLE = 300, 350, 450, 120, 150

# Preprocessed lines (g++ -E -P).
BUDGET = {"timeout": 58_000, "retry": 58_500, "circuit_breaker": 60_000, UMBRELLA: 112_000}

