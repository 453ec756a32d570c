"""GDB printers for fusebox: `source fusebox_gdb.py`, or include <fusebox/gdb.hpp> in the program.

They read memory only and call nothing in the program, so that they work on a core file too. They know libstdc++;
what they cannot read is printed as GDB prints it. docs/debuggers.md shows what they print.
"""

import datetime
import re

import gdb
import gdb.printing


def fusebox_printers():
    """All of them. A function, since GDB gives the scripts of all libraries one set of global names."""

    NEVER = 2**63 - 1
    STATES = ("closed", "open", "half_open", "forced_open", "disabled")
    UNITS = ((3600 * 10**9, "h"), (60 * 10**9, "min"), (10**9, "s"), (10**6, "ms"), (10**3, "us"), (1, "ns"))

    # What the standard library's types hold.

    def base_fields(value):
        """The base classes of a value, as values."""
        return [value.cast(field.type) for field in value.type.strip_typedefs().fields() if field.is_base_class]

    def loaded(atomic):
        """What a std::atomic holds: a number or a pointer."""
        for base in [atomic, *base_fields(atomic)]:
            names = [field.name for field in base.type.strip_typedefs().fields()]
            for name in ("_M_i", "_M_base", "_M_b"):
                if name in names:
                    found = base[name]
                    return found if name == "_M_i" else found["_M_p"] if name == "_M_b" else loaded(found)
        return atomic

    def engaged(optional):
        """The value of a std::optional, or None."""
        payload = optional["_M_payload"]
        return payload["_M_payload"]["_M_value"] if bool(payload["_M_engaged"]) else None

    def items(pack):
        """What a std::tuple holds, in order; also a std::unique_ptr's pointer and deleter."""
        found, left = [], [pack]
        while left:
            one = left.pop()
            for base in base_fields(one):
                name = base.type.strip_typedefs().name or ""
                if name.startswith("std::_Head_base<"):
                    found.append((int(re.search(r"\d+", name).group()), base["_M_head_impl"]))
                elif name.startswith("std::_Tuple_impl<"):
                    left.append(base)
        return [value for _, value in sorted(found, key=lambda one: one[0])]

    def owned(unique):
        return items(unique["_M_t"]["_M_t"])[0]

    def text_of(string):
        """The Python string of a std::string."""
        return string["_M_dataplus"]["_M_p"].string(length=int(string["_M_string_length"]), errors="replace")

    def word_at(address):
        return int(gdb.Value(address).cast(gdb.lookup_type("unsigned long").pointer()).dereference())

    def class_at(address):
        """The name of the class of an object with virtual functions, by its vtable: debug information of the standard
        library's own ones is seldom there."""
        symbol = gdb.execute(f"info symbol {word_at(address)}", to_string=True)
        match = re.match(r"vtable for (.+?) \+", symbol)
        return match.group(1) if match else ""

    def what(address):
        """The text of the std::runtime_error there, which lies behind the pointer to its vtable."""
        text = gdb.Value(word_at(address + gdb.lookup_type("void").pointer().sizeof))
        return text.cast(gdb.lookup_type("char").pointer()).string(errors="replace")

    def elements(vector):
        one, end = vector["_M_impl"]["_M_start"], vector["_M_impl"]["_M_finish"]
        while one != end:
            yield one.dereference()
            one += 1

    def map_items(table):
        """(key, value) of each entry of a std::unordered_map."""
        hashes = table["_M_h"]
        node_type = gdb.lookup_type(f"{hashes.type.strip_typedefs().name}::__node_type").strip_typedefs()
        pair = table.type.strip_typedefs().template_argument(4).template_argument(0)
        node = hashes["_M_before_begin"]["_M_nxt"]
        while node != 0:
            full = node.cast(node_type.pointer()).dereference()
            entry = full["_M_storage"]["_M_storage"].address.cast(pair.pointer()).dereference()
            yield entry["first"], entry["second"]
            node = node["_M_nxt"]

    # Texts.

    def short(kind):
        """Bulkhead of fusebox::v0::Bulkhead<...>."""
        return kind.strip_typedefs().unqualified().name.partition("<")[0].rpartition("::")[2]

    def enumerator(value):
        return str(value).rpartition("::")[2]

    def duration_text(nanoseconds):
        """As long as it must be: 30 s, 1500 ms, 90 min."""
        if nanoseconds == NEVER:
            return "no_timeout"
        if nanoseconds == 0:
            return "0"
        return next(f"{nanoseconds // unit} {name}" for unit, name in UNITS if nanoseconds % unit == 0)

    def nanoseconds_of(duration):
        """Of a std::chrono::duration of any unit."""
        ratio = duration.type.strip_typedefs().template_argument(1)
        numerator, denominator = int(ratio.template_argument(0)), int(ratio.template_argument(1))
        count = int(duration["__r"])
        return count if (numerator, denominator) == (1, 10**9) else count * numerator * 10**9 // denominator

    def time_text(point):
        since = point["__d"]
        nanoseconds = nanoseconds_of(since)
        if "steady_clock" in str(point.type.strip_typedefs()):
            return "never" if nanoseconds == NEVER else f"{nanoseconds / 10**9:.9f} s, steady clock"
        epoch = datetime.datetime(1970, 1, 1)
        return f"{epoch + datetime.timedelta(microseconds=nanoseconds // 1000)}Z"

    def shown(value):
        """What GDB is to print for a value: a text for durations, times and enumerators, the value for others."""
        kind = value.type.strip_typedefs().unqualified()
        name = kind.name or ""
        if name.startswith("std::chrono::duration<"):
            return duration_text(nanoseconds_of(value))
        if name.startswith("std::chrono::time_point<"):
            return time_text(value)
        if name.startswith("std::optional<"):
            inner = engaged(value)
            return "none" if inner is None else shown(inner)
        if kind.code == gdb.TYPE_CODE_ENUM:
            return enumerator(value)
        if name.startswith("std::atomic<"):
            return loaded(value)
        if name.startswith("std::error_code"):
            return code_text(value)
        return value

    def code_text(code):
        """503 of http, connection_reset (1) of network: with the name of the enumerator, if the category is known."""
        number = int(code["_M_value"])
        if number == 0:
            return "none"
        category = class_at(int(code["_M_cat"])).rpartition("::")[2].removesuffix("Category").removesuffix("Error")
        enums = {"Network": "NetworkErrc", "Policy": "PolicyErrc"}
        if category in enums:
            enum = f"{namespace()}{enums[category]}"
            return f"{enumerator(code['_M_value'].cast(gdb.lookup_type(enum)))} ({category.lower()} error {number})"
        known = {"Http": "HTTP status", "": "error", "generic_error_category": "errno", "system_error_category": "errno"}
        return f"{known.get(category, category + ' error')} {number}"

    def namespace():
        """fusebox::v0::, as this program calls it."""
        for name in ("v0", "v0_noexcept"):
            try:
                gdb.lookup_type(f"fusebox::{name}::Outcome")
                return f"fusebox::{name}::"
            except gdb.error:
                pass
        return "fusebox::"

    # Printers. to_string() gives the line, children() what is below it.

    class Fields:
        """A struct of the library: its fields, with readable durations."""

        def __init__(self, value):
            self.value = value

        def to_string(self):
            return None

        def children(self):
            for field in self.value.type.strip_typedefs().fields():
                if not field.is_base_class and hasattr(field, "bitpos"):
                    yield field.name.rstrip("_"), shown(self.value[field.name])

    class Line:
        """A type that is one line."""

        def __init__(self, value):
            self.value = value

    class Window(Line):
        def to_string(self):
            if self.value["is_time_"]:
                return f"within({duration_text(nanoseconds_of(self.value['length_']))})"
            return f"last_calls({int(self.value['calls_'])})"

    class Deadline(Line):
        def to_string(self):
            return time_text(self.value["time_"])

    class Subscription(Line):
        def to_string(self):
            return "a subscription"

    class Permit(Line):
        def to_string(self):
            if not self.value["admitted_"]:
                return "refused"
            return "admitted" if self.value["target_"] != 0 else "admitted, and reported"

    class Breaker:
        """State, streak and counts, from the packed word and the shards: see circuit_breaker/detail/state_word.hpp."""

        COUNTS = ("success", "failure", "ignored", "rejected", "slow")

        def __init__(self, value):
            self.core = value["core_"]
            self.word = int(loaded(self.core["word_"]))
            self.state = STATES[self.word >> 16 & 7]

        def counts(self):
            totals = self.core["totals_"]
            sums = [0] * len(self.COUNTS)
            for number in range(int(totals["count_"])):
                shard = (totals["shards_"] + number).dereference()
                for index, name in enumerate(self.COUNTS):
                    sums[index] += int(loaded(shard[name]))
            before = self.core["before_reset_"]["_M_elems"]
            return {name: sums[index] - int(before[index]) for index, name in enumerate(self.COUNTS)}

        def to_string(self):
            name = text_of(owned(self.core["rejections_"]).dereference()["open_"]["_M_ptr"].dereference()["name"])
            streak = f", failures in a row: {self.word & 0xFFFF}" if self.state in ("closed", "open") else ""
            return f'CircuitBreaker "{name}": {self.state}{streak}'

        def children(self):
            yield "state", self.state
            yield "failure_streak", self.word & 0xFFFF
            for name, count in self.counts().items():
                yield f"{name}_count", count
            yield "opened_count", int(self.core["opened_"])
            yield "generation", self.word >> 32
            cause = self.core["cause_"]["_M_ptr"]
            if cause != 0 and engaged(cause.dereference()) is not None:
                yield "cause", engaged(cause.dereference())
            yield "config", loaded(self.core["settings_"]).dereference()["config"]

    class Slots:
        """Slots in use and calls that wait, from the packed word: see detail/slots/word.hpp."""

        def __init__(self, value):
            self.title, self.core = short(value.type), value["core_"]

        def to_string(self):
            word = int(loaded(self.core["word_"]))
            name = text_of(self.core["source_"]["_M_ptr"].dereference()["name"])
            return f'{self.title} "{name}": {word & 0xFFFF} in use, {word >> 16 & 0xFFFF} waiting'

        def children(self):
            config = [field.name for field in self.core.type.strip_typedefs().fields() if field.name in ("config_", "rule_")]
            for name in config:
                yield name.rstrip("_"), self.core[name]

    class Timeout(Line):
        def to_string(self):
            attempt = int(self.value.type.strip_typedefs().template_argument(1)) == 1
            return f"{'attempt' if attempt else 'total'}_timeout({duration_text(nanoseconds_of(self.value['limit_']))})"

    class Error:
        """ApiError and what derives from it: code and text, and what is set."""

        def __init__(self, value):
            self.address = int(value.address)
            self.name = class_at(self.address).rpartition("::")[2] or value.type.name.rpartition("::")[2]
            self.value = value.cast(gdb.lookup_type(f"{namespace()}detail::ErrorData"))

        def to_string(self):
            code = int(self.value["code_"])
            return f'{self.name} {code} {enumerator(self.value["code_"])}: "{what(self.address)}"'

        def children(self):
            yield "category", enumerator(self.value["category_"])
            yield "timestamp", time_text(self.value["timestamp_"])
            for name in ("retry_after", "reason"):
                text = shown(self.value[f"{name}_"])
                if text != "none":
                    yield name, text
            extras = self.value["extras_"]["_M_ptr"]
            for name in ("request_id", "path", "upstream") if extras != 0 else ():
                text = text_of(extras.dereference()[name])
                if text:
                    yield name, f'"{text}"'

    class Failure:
        """What it says of itself: the error inside, else its code."""

        def __init__(self, value):
            self.value = value

        def to_string(self):
            error, source = engaged(self.value["error_"]), self.value["source_"]["_M_ptr"]
            if error is not None:
                return f"Failure: {Error(error).to_string()}"
            if source != 0:
                return f'Failure: {code_text(self.value["code_"])}, "{what(int(source.dereference()["text"].address))}"'
            code, thrown = code_text(self.value["code_"]), int(self.value["exception_"]["_M_exception_object"])
            code = "no code" if code == "none" else code
            if thrown == 0:
                return f"Failure: {code}"
            is_own = self.value["api_error_"]["_M_payload"]["_M_engaged"] and class_at(thrown).startswith("fusebox::")
            return f"Failure of an exception: {code}" + (f', "{what(thrown)}"' if is_own else "")

        def children(self):
            delay = shown(self.value["retry_after_"])
            if delay != "none":
                yield "retry_after", delay

    class RetryResult:
        def __init__(self, value):
            self.value = value

        def to_string(self):
            stats = self.value["stats"]
            word = "failed" if self.value["failed"] else "succeeded"
            return f"RetryResult: {word}, attempts: {int(stats['attempts'])}, {enumerator(stats['stop_reason'])}"

        def children(self):
            variant = self.value["value_"]
            held = int(variant["_M_index"]) == 1
            if held:
                kind = variant.type.strip_typedefs().template_argument(1)
                if any(field.name == "value" for field in kind.strip_typedefs().fields()):
                    yield "value", variant["_M_u"].address.cast(kind.pointer()).dereference()["value"]
            stats = self.value["stats"]
            yield "total_delay", shown(stats["total_delay"])
            for number, failure in enumerate(elements(stats["errors"])):
                yield f"errors[{number}]", failure
            if self.value["own"] != 0:
                yield "own", self.value["own"].dereference()

    class CallResult:
        def __init__(self, value):
            self.failure, self.value = engaged(value["failure_"]), value["value_"]

        def to_string(self):
            return "CallResult: succeeded" if self.failure is None else "CallResult: failed"

        def children(self):
            if self.failure is not None:
                yield "error", self.failure
            kept = self.value.type.strip_typedefs().name or ""
            if kept.startswith("std::optional<") and engaged(self.value) is not None:
                yield "value", engaged(self.value)["value"]

    class RetryPolicy:
        def __init__(self, value):
            self.value = value

        def to_string(self):
            return f"retry, at most {int(self.value['config_']['max_retries'])} times"

        def children(self):
            yield "config", self.value["config_"]

    def dereferenced(value):
        """What a part of a pipeline refers to: a reference, a std::reference_wrapper, a shared_ptr or itself."""
        if value.type.code in (gdb.TYPE_CODE_REF, gdb.TYPE_CODE_RVALUE_REF):
            value = value.referenced_value()
        name = value.type.strip_typedefs().name or ""
        for kind, field in (("std::shared_ptr<", "_M_ptr"), ("std::reference_wrapper<", "_M_data")):
            if name.startswith(kind) and value[field] != 0:
                return value[field].dereference()
        return value

    class Pipeline:
        """The policies, the outermost first."""

        def __init__(self, value):
            self.parts = [dereferenced(part) for part in items(value["parts_"])]

        def to_string(self):
            return f"Pipeline of {len(self.parts)}, the outermost first"

        def children(self):
            for number, part in enumerate(self.parts):
                yield f"[{number}]", part

    class Named:
        """The policies of one kind in a registry, by name."""

        def __init__(self, value, title="NamedPolicies"):
            self.title = title
            self.policies = []
            for key, entry in map_items(value["policies_"]["entries_"]):
                name = key["_M_str"].string(length=int(key["_M_len"]), errors="replace")
                self.policies.append((name, entry["policy"]["_M_ptr"]))

        def to_string(self):
            return f"{self.title} of {len(self.policies)}"

        def children(self):
            for name, policy in sorted(self.policies, key=lambda one: one[0]):
                yield name, policy.dereference()

    class Breakers(Named):
        def __init__(self, value):
            super().__init__(value["breakers_"], "CircuitBreakerRegistry")

    class Policies:
        """A PolicyRegistry: the kinds that have policies."""

        def __init__(self, value):
            self.breakers = value["breakers_"].referenced_value()
            self.kinds = [Named(kind, title) for title, kind in self.named(value["kinds_"])]

        @classmethod
        def named(cls, value):
            """(the kind, the NamedPolicies of it) of each in a value, however deep."""
            kind = value.type.strip_typedefs()
            if "::NamedPolicies<" in (kind.name or "").partition("<")[0] + "<":
                yield short(kind.template_argument(0)), value
            elif kind.code == gdb.TYPE_CODE_STRUCT:
                for field in kind.fields():
                    if field.is_base_class:
                        yield from cls.named(value.cast(field.type))
                    elif hasattr(field, "bitpos"):
                        yield from cls.named(value[field])

        def to_string(self):
            return "PolicyRegistry"

        def children(self):
            yield "circuit_breakers", self.breakers
            for kind in self.kinds:
                for name, policy in sorted(kind.policies, key=lambda one: one[0]):
                    yield f"{kind.title} {name}", policy.dereference()

    NAMES = {
        "CircuitBreaker": Breaker,
        "CircuitBreakerRegistry": Breakers,
        "PolicyRegistry": Policies,
        "Bulkhead": Slots,
        "AdaptiveLimit": Slots,
        "Timeout": Timeout,
        "RetryPolicy": RetryPolicy,
        "Pipeline": Pipeline,
        "RetryResult": RetryResult,
        "CallResult": CallResult,
        "Failure": Failure,
        "Deadline": Deadline,
        "Window": Window,
        "Permit": Permit,
        "Subscription": Subscription,
    }
    ERRORS = "Api Rejected CircuitOpen BulkheadFull RateLimited Throttled Timeout Cancelled".replace(" ", "|")
    STRUCTS = (
        r"\w+Config|\w+Stats|\w+Event|\w+Step|StateChange|FailureRate|SlowCalls|CallOptions"
        "|AdaptiveLimitQueue|Measured|Aimd|Gradient2|Vegas"
    )

    def safe(printer):
        """A printer, or None where the memory is not what it expects, so that GDB prints the value itself."""

        def make(value):
            try:
                made = printer(value)
                made.to_string()
                return made
            except (gdb.error, RuntimeError, KeyError, IndexError, ValueError, TypeError):
                return None

        return make

    def collection_of_all():
        collection = gdb.printing.RegexpCollectionPrettyPrinter("fusebox")
        for name, printer in NAMES.items():
            collection.add_printer(name, rf"^fusebox::(v\w+::)?{name}(<.*>)?$", safe(printer))
        collection.add_printer("errors", rf"^fusebox::(v\w+::)?({ERRORS})Error$", safe(Error))
        collection.add_printer("structs", rf"^fusebox::(v\w+::)?({STRUCTS})$", safe(Fields))
        return collection

    return collection_of_all()


gdb.printing.register_pretty_printer(gdb.current_objfile(), fusebox_printers(), replace=True)
