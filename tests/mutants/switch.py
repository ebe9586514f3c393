"""Many mutants in one build: each is chosen when the tests run, by an environment variable.

To build the crate anew for each of two thousand mutants takes a day. Here the body of a function that has mutants
becomes

    match crate::mutant::active(SITE) {
        17 => { the body with mutant 17 }
        18 => { the body with mutant 18 }
        _ => { the body }
    }

in a copy of the repository, so that one build holds all of them, and a process runs the one that `TIDEGATE_MUTANT`
names. A mutant whose copy does not compile is not viable: the compiler's messages say which, it is left out, and the
rest is built again.
"""

import json
import os
import re
import resource
import selectors
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
SCRATCH = ROOT / "target" / "mutants"
# Not built with the mutants: what reads the sources, what takes long to build and is about the edges, and what needs a
# real Envoy.
NOT_ORACLES = {"tidy", "proxy", "send_sync", "cost", "edge_body", "edge_tower", "edge_alloc",
               "async_alloc", "lifecycle_alloc", "envoy", "envoy_validate"}
# Of the features that test binaries require: the tests have the others without.
FEATURES = ["--features", "ext-proc-direct"]
MEMORY_BYTES = 4 << 30
# Whether the library compiles: as users have it, and as its own tests do. Some functions are there in one of them only.
CHECKS = [("check", "--lib", "--all-features"), ("check", "--lib", "--all-features", "--profile", "test")]

MODULE = """//! Which mutant is active.
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

struct Switch { active: u32, reached: Option<std::fs::File> }

static SWITCH: OnceLock<Switch> = OnceLock::new();
static SEEN: [AtomicBool; SITES] = [const { AtomicBool::new(false) }; SITES];

/// What the environment says, without an allocation: tests that count those would find one more, and be said to have
/// caught the mutant.
fn switch() -> Switch {
    use std::io::Read;
    let mut all = [0; 1 << 16];
    let (mut len, mut file) = (0, std::fs::File::open("/proc/self/environ").unwrap());
    loop {
        let n = file.read(&mut all[len..]).unwrap();
        if n == 0 { break }
        len += n;
    }
    assert!(len < all.len(), "a larger environment than is read");
    let mut variables = all[..len].split(|byte| *byte == 0);
    let active = variables.find_map(|each| each.strip_prefix(b"TIDEGATE_MUTANT="));
    Switch {
        active: active.map_or(0, |text| std::str::from_utf8(text).unwrap().parse().unwrap()),
        reached: std::env::var_os("TIDEGATE_REACHED").map(|path| {
            std::fs::File::options().append(true).create(true).open(path).unwrap()
        }),
    }
}

fn chosen(site: usize) -> u32 {
    let switch = SWITCH.get_or_init(switch);
    if let Some(file) = &switch.reached {
        if !SEEN[site].swap(true, Ordering::Relaxed) {
            use std::io::Write;
            let mut file = file;
            file.write_all(format!("{site}\\n").as_bytes()).unwrap();
        }
    }
    switch.active
}

const fn none(_site: usize) -> u32 { 0 }

/// The mutant of this process. What is computed while compiling is never mutated.
#[inline]
pub const fn active(site: usize) -> u32 {
    core::intrinsics::const_eval_select((site,), none, chosen)
}
"""


def copy_repository(to, own):
    """The files of the repository as they are now, at `to`, but those in `own`; what has not changed is left alone."""
    listed = subprocess.run(["git", "ls-files", "-co", "--exclude-standard", "-z"], cwd=ROOT,
                            capture_output=True, check=True, text=True).stdout.split("\0")
    # The locks are nobody's: with them the copy is built with what is built already.
    wanted = {name for name in [*listed, "Cargo.lock", "fuzz/Cargo.lock"]
              if name and (ROOT / name).is_file()}
    for name in wanted - own:
        write(to / name, (ROOT / name).read_bytes())
        shutil.copymode(ROOT / name, to / name)
    for path in list(to.rglob("*")):
        inside = path.relative_to(to)
        kept = str(inside) in wanted | own or "target" in inside.parts
        if path.is_file() and not kept:
            path.unlink()
    return to


def test_names():
    """The test binaries of the repository that are oracles."""
    folder = ROOT / "tests"
    names = {path.stem for path in folder.glob("*.rs")}
    names |= {path.parent.name for path in folder.glob("*/main.rs")}
    return sorted(names - NOT_ORACLES)


def write(path, data):
    """Writes only what is new, so that cargo builds only what is new."""
    if not path.exists() or path.read_bytes() != data:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)


TOKEN = re.compile(r'//[^\n]*|/\*.*?\*/|b?r(#*)".*?"\1|b?"(?:\\.|[^"\\])*"|'
                   r"b?'(?:\\.|[^'\\])'|\w+|.", re.S)


def body_opens(text, start, end):
    """Where the `{` of the body of the first function in `text[start:end]` is."""
    depth, seen_fn = 0, False
    for found in TOKEN.finditer(text, start, end):
        word = found[0]
        if word == "fn" and depth == 0:
            seen_fn = True
        elif word in ("(", "["):
            depth += 1
        elif word in (")", "]"):
            depth -= 1
        elif word == "{" and depth == 0 and seen_fn:
            return found.start()
        elif word == ";" and depth == 0 and seen_fn:
            break
    raise ValueError(f"no body: {text[start:start + 200]}")


def functions(text):
    """The spans of all functions that are in no other function, from `fn` to the last brace."""
    spans, at = [], 0
    while found := next((one for one in TOKEN.finditer(text, at) if one[0] == "fn"), None):
        at = found.end()
        try:
            opens = body_opens(text, found.start(), len(text))
        except ValueError:
            continue
        depth = 0
        for one in TOKEN.finditer(text, opens):
            depth += {"{": 1, "}": -1}.get(one[0], 0)
            if depth == 0:
                at = one.end()
                break
        spans.append((found.start(), at))
    return spans


class Lines:
    """Places of a text: offsets for lines and columns that count from one."""

    def __init__(self, text):
        self.starts = [0] + [at + 1 for at, char in enumerate(text) if char == "\n"]

    def offset(self, place):
        return self.starts[place["line"] - 1] + place["column"] - 1

    def span(self, span):
        return self.offset(span["start"]), self.offset(span["end"])


class Planted:
    """A copy of the repository with mutants in it.

    A mutant has `id`, `file`, `function` (start and end offsets), `edit` (start, end, text).
    """

    def __init__(self, root, mutants):
        own = {"Cargo.toml", "src/lib.rs", "src/mutant.rs"}
        self.root = copy_repository(root, own | {mutant["file"] for mutant in mutants})
        self.mutants = {mutant["id"]: mutant for mutant in mutants}
        self.unviable = {}
        self.arms = {}
        self.functions = self.by_function()
        for number, key in enumerate(sorted(self.functions)):
            for mutant in self.functions[key]:
                mutant["site"] = number
        for mutant in mutants:
            mutant["const"] = self.is_const(mutant)
        self.settings()

    def by_function(self):
        """Mutants by function; those of an inner function are in the outer one."""
        spans = sorted({(m["file"], *m["function"]) for m in self.mutants.values()},
                       key=lambda span: (span[0], span[1], -span[2]))
        outer = {}
        last = None
        for span in spans:
            inside = last and last[0] == span[0] and span[2] <= last[2]
            last = last if inside else span
            outer[span] = last
        functions = {}
        for mutant in self.mutants.values():
            functions.setdefault(outer[(mutant["file"], *mutant["function"])], []).append(mutant)
        return functions

    def is_const(self, mutant):
        text = (ROOT / mutant["file"]).read_text()
        start, end = mutant["function"]
        return bool(re.search(r"\bconst\s+fn\b", text[start:body_opens(text, start, end)]))

    def settings(self):
        path = self.root / "Cargo.toml"
        text = (ROOT / "Cargo.toml").read_text()
        # Cargo tells packages apart by name and version, not by folder: two copies must not share what is built.
        text = re.sub(r'^version = "(.*)"$', rf'version = "\1+{self.root.name}"', text, count=1,
                      flags=re.M)
        # A mutant may leave things unused: that is no reason not to run it.
        text = re.sub(r"^\[lints\.\w+\]\n(?:[^\[\n][^\n]*\n|\n)*", "", text, flags=re.M)
        # Only this package, so that what it depends on is built once for all.
        text += "\n[profile.dev.package.tidegate]\ndebug = 0\n"
        write(path, text.encode())
        library = (ROOT / "src" / "lib.rs").read_text()
        head = "#![feature(core_intrinsics, const_eval_select)]\n#![allow(internal_features)]\n"
        write(self.root / "src" / "lib.rs", (head + library + "\nmod mutant;\n").encode())
        sites = len(self.functions)
        write(self.root / "src" / "mutant.rs", MODULE.replace("SITES", str(sites)).encode())
        wrapper = SCRATCH / "rustc"
        # The intrinsic is not stable. Only this package's compiler is told so: what it depends on stays as built.
        write(wrapper, b'#!/bin/sh\nRUSTC_BOOTSTRAP=1 exec "$@"\n')
        wrapper.chmod(0o755)

    def write_sources(self):
        self.arms = {}
        files = {}
        for (file, start, end), mutants in self.functions.items():
            files.setdefault(file, []).append((start, end, mutants))
        for file, functions in files.items():
            text = (ROOT / file).read_text()
            out, at = [], 0
            for start, end, mutants in sorted(functions, key=lambda one: one[0]):
                opens = body_opens(text, start, end) + 1
                out.append(text[at:opens])
                out.append(f" match crate::mutant::active({mutants[0]['site']}) {{\n")
                for mutant in mutants:
                    if mutant["id"] in self.unviable:
                        continue
                    first, last, new = mutant["edit"]
                    arm = (f"{mutant['id']} => {{ {text[opens:first]}{new}"
                           f"{text[last:end - 1]}\n}}\n")
                    before = sum(part.count("\n") for part in out) + 1
                    out.append(arm)
                    self.arms.setdefault(file, []).append(
                        (before, before + arm.count("\n") - 1, mutant["id"]))
                out.append(f"_ => {{ {text[opens:end - 1]}\n}}\n}}\n}}")
                at = end
            out.append(text[at:])
            whole = "".join(out)
            if file == "src/lib.rs":
                sys.exit("mutants in lib.rs are not planted")
            write(self.root / file, whole.encode())

    def cargo(self, *words):
        env = {**os.environ, "CARGO_TARGET_DIR": str(ROOT / "target"),
               "RUSTC_WORKSPACE_WRAPPER": str(SCRATCH / "rustc")}
        return subprocess.run(["cargo", *words, "--message-format=json"],
                              cwd=self.root, env=env, capture_output=True, text=True)

    def drop_unviable(self):
        """Builds the library until it compiles, leaving out what does not."""
        for check in CHECKS:
            self.write_sources()
            while (done := self.cargo(*check)).returncode != 0:
                self.drop(done, "the copy does not compile")

    def drop(self, done, otherwise):
        """Leaves out the mutants that the compiler's errors name; if they name none, says `otherwise` and ends."""
        found, stray = set(), []
        for message in messages(done, "compiler-message"):
            if message["message"]["level"] != "error":
                continue
            places = self.places(message["message"])
            for number in places:
                code = (message["message"]["code"] or {}).get("code", "")
                self.unviable.setdefault(number, code)
                found.add(number)
            if not places and message["message"]["spans"]:
                stray.append(message["message"]["rendered"])
        if not found:
            sys.exit(f"{otherwise}:\n" + "".join(stray[:5]) + done.stderr[-3000:])
        print(f"{len(found)} mutants do not compile", flush=True)
        self.write_sources()

    def places(self, message):
        """The mutants that an error is about: by its primary places, or else by any."""
        for spans in ([span for span in message["spans"] if span["is_primary"]],
                      message["spans"]):
            found = set()
            for span in spans:
                while span:
                    for first, last, number in self.arms.get(span["file_name"], []):
                        if first <= span["line_start"] <= last:
                            found.add(number)
                    span = (span.get("expansion") or {}).get("span")
            if found:
                return found
        return set()

    def build_tests(self, only=None):
        """The test binaries, by name."""
        which = only or ["--lib", *(word for name in test_names() for word in ("--test", name))]
        # What is only seen when code is made (a constant that overflows, say) is left out here.
        while (done := self.cargo("test", "--no-run", *FEATURES, *which)).returncode != 0:
            self.drop(done, "the tests do not compile")
        binaries = {}
        for message in messages(done, "compiler-artifact"):
            if message["profile"]["test"] and message["executable"]:
                kind = message["target"]["kind"][0]
                name = "unit" if kind == "lib" else message["target"]["name"]
                binaries[name] = message["executable"]
        return binaries


def messages(done, reason):
    for line in done.stdout.splitlines():
        if line.startswith("{"):
            message = json.loads(line)
            if message["reason"] == reason:
                yield message


class Ran:
    """How a run of a test binary ended: `failed` names a test, or says how it died; `None` is passed."""

    def __init__(self, failed, seconds, cpu_seconds, output):
        self.failed = failed
        self.seconds = seconds
        self.cpu_seconds = cpu_seconds
        self.output = output


FAILED_TEST = rb"^test (\S+)(?: - should panic)? \.\.\. FAILED"


def run(command, cwd, env, wall_seconds=600.0, cpu_seconds=600, stop=None):
    """Runs a test binary until it ends, its first test fails, or a limit is reached.

    `stop` is what another program prints when it has failed.
    """
    def limits():
        resource.setrlimit(resource.RLIMIT_CPU, (cpu_seconds, cpu_seconds + 1))
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))

    started = time.monotonic()
    child = subprocess.Popen(command, cwd=cwd, env={**os.environ, "RUST_BACKTRACE": "0", **env},
                             stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                             stdin=subprocess.DEVNULL, preexec_fn=limits, start_new_session=True)
    selector = selectors.DefaultSelector()
    selector.register(child.stdout, selectors.EVENT_READ)
    output, failed, over = b"", None, False
    while True:
        left = wall_seconds - (time.monotonic() - started)
        if left <= 0:
            failed, over = "does not end", True
            break
        if not selector.select(min(left, 1.0)):
            continue
        piece = os.read(child.stdout.fileno(), 1 << 16)
        if not piece:
            break
        output = (output + piece)[-(1 << 20):]
        found = re.search(stop or FAILED_TEST, output, re.M)
        if found:
            failed, over = found[found.re.groups].decode(), True
            break
    if over:
        os.killpg(child.pid, signal.SIGKILL)
    _, status, used = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    child.stdout.close()
    code = child.returncode
    if failed is None and code != 0:
        failed = "does not end" if code in (-signal.SIGXCPU, -signal.SIGKILL) else f"dies ({code})"
        named = re.search(rb"^test (\S+)(?: - should panic)? \.\.\. ", output, re.M)
        if code == 101 and named is None:
            failed = "fails"
    seconds = time.monotonic() - started
    return Ran(failed, seconds, used.ru_utime + used.ru_stime, output.decode(errors="replace"))
