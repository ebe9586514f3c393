"""The external processor example behind a real Envoy, on loopback: `bash examples/envoy-demo.sh`.

For each mode it starts the server, an Envoy with the bootstrap that the server prints, an origin and a client, sends
requests through, and checks at the origin and at the client what came: bytes, trailers, status. Then it starts servers
that cannot be. Only what Python brings along. The exit code is not 0 if anything was not as it should be.
"""

import hashlib
import pathlib
import signal
import socket
import socketserver
import subprocess
import sys
import tempfile
import threading
import time

SECONDS = 20
FILTERS = ["log", "limit=6M", "replace=cat:tiger"]
# In BUFFERED a body is held whole, up to 1 MiB if Envoy is not told otherwise.
LONG_BYTES = {"FULL_DUPLEX_STREAMED": 4 << 20, "STREAMED": 4 << 20, "BUFFERED": 256 << 10}
# What cannot be, and what the server says of it.
REFUSED = [
    (["--trailers", "SKIP"], "set request_trailer_mode to SEND"),
    (["--mode", "GRPC"], "Envoy 1.40.0 accepts it and does not implement it"),
    (["--mode", "BUFFERED_PARTIAL", "--filter", "replace=cat:tiger"], "filter `replace` of the request requires `see the end`"),
    (["--mode", "NONE", "--filter", "log"], "filter `log` of the request is interested in body"),
]


class Broken(Exception):
    """Not as it should be."""


class Message:
    """A message of HTTP/1.1 as it was read."""

    def __init__(self, reader):
        self.first = reader.readline().decode().strip()
        self.fields = read_fields(reader)
        self.body, self.trailers = bytearray(), {}
        if self.fields.get("transfer-encoding") == "chunked":
            while size := int(reader.readline() or b"?", 16):
                self.body += exactly(reader, size)
                reader.readline()
            self.trailers = read_fields(reader)
        else:
            self.body += exactly(reader, int(self.fields.get("content-length", 0)))


def read_fields(reader):
    fields = {}
    while line := reader.readline().decode().strip():
        name, _, value = line.partition(":")
        fields[name.lower()] = value.strip()
    return fields


def exactly(reader, size):
    read = reader.read(size)
    if len(read) != size:
        raise Broken(f"cut off: {len(read)} of {size} bytes")
    return read


def chunked(pieces, trailers):
    for piece in pieces:
        if piece:
            yield b"%x\r\n%b\r\n" % (len(piece), piece)
    yield b"0\r\n" + b"".join(f"{name}: {value}\r\n".encode() for name, value in trailers.items()) + b"\r\n"


class Echo(socketserver.StreamRequestHandler):
    """The origin: sends back what came, and says in trailers what that was."""

    seen = None

    def handle(self):
        while True:
            try:
                request = Message(self.rfile)
            except (Broken, ConnectionError, ValueError):
                return
            if not request.first:
                return
            Echo.seen = request
            self.wfile.write(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\ntrailer: x-sum\r\n\r\n")
            body = bytes(request.body) or b"nobody sent a cat"
            pieces = [body[at:at + 50_000] for at in range(0, len(body), 50_000)]
            for piece in chunked(pieces, {"x-sum": sha256(body)}):
                self.wfile.write(piece)


def sha256(body):
    return hashlib.sha256(body).hexdigest()[:16]


def ask(port, method, pieces=(), trailers=None, declared=None):
    """One request on a connection of its own; None for trailers declares the length."""
    with socket.create_connection(("127.0.0.1", port), SECONDS) as connection:
        head = f"{method} / HTTP/1.1\r\nhost: demo\r\nte: trailers\r\nconnection: te\r\n"
        if trailers is not None:
            head += "transfer-encoding: chunked\r\ntrailer: " + ", ".join(trailers) + "\r\n"
            rest = chunked(pieces, trailers)
        elif declared is not None:
            head += f"content-length: {declared}\r\n"
            rest = iter(pieces)
        else:
            rest = iter(())
        connection.sendall(head.encode() + b"\r\n")
        sender = threading.Thread(target=send, args=(connection, rest), daemon=True)
        sender.start()
        return Message(connection.makefile("rb"))


def send(connection, pieces):
    try:
        for piece in pieces:
            connection.sendall(piece)
    except OSError:
        pass  # Who is answered before the end need not send the rest.


def expect(what, is_so):
    if not is_so:
        raise Broken(what)


def short_body(port):
    """The pattern lies across the chunks, and trailers follow."""
    answer = ask(port, "POST", [b"the c", b"at sat on the ca", b"t's mat"], {"x-note": "purr"})
    body = b"the tiger sat on the tiger's mat"
    expect(f"the origin got {bytes(Echo.seen.body)}", Echo.seen.body == body)
    expect(f"the origin got trailers {Echo.seen.trailers}", Echo.seen.trailers.get("x-note") == "purr")
    return checked(answer, body)


def long_body(port, size):
    line = b"one cat, two cats, and no dog\n"
    text = line * (size // len(line))
    answer = ask(port, "POST", [text[at:at + 30_001] for at in range(0, len(text), 30_001)], {"x-note": "long"})
    body = text.replace(b"cat", b"tiger")
    expect(f"the origin got {len(Echo.seen.body)} bytes", Echo.seen.body == body)
    return checked(answer, body)


def no_body(port):
    return checked(ask(port, "GET"), b"nobody sent a tiger", b"nobody sent a cat")


def too_long(port):
    """A filter answers in place of the origin, by the declared length."""
    Echo.seen = None
    answer = ask(port, "POST", [bytes(1000)], declared=8 << 20)
    expect(f"the answer was {answer.first}", answer.first.startswith("HTTP/1.1 413"))
    expect("the origin was asked", Echo.seen is None)
    return "413 from the filter `limit`, the origin was not asked"


def checked(answer, body, sent=None):
    expect(f"the answer was {answer.first}", answer.first.startswith("HTTP/1.1 200"))
    expect(f"{len(answer.body)} bytes came back, not {len(body)}", answer.body == body)
    sum_ = sha256(sent or body)
    expect(f"the trailers were {answer.trailers}", answer.trailers.get("x-sum") == sum_)
    return f"200, {len(body)} bytes as they should be, trailer x-sum: {sum_}"


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return probe.getsockname()[1]


def until(what, is_so):
    end = time.monotonic() + SECONDS
    while not is_so():
        expect(f"{what} within {SECONDS} s", time.monotonic() < end)
        time.sleep(0.02)


def answers(port):
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
        return True
    except OSError:
        return False


def stop(name, process):
    """Ends it as a supervisor does. Envoy's wheel says nothing of its exit code."""
    process.send_signal(signal.SIGTERM)
    code = process.wait(SECONDS)
    expect(f"{name} ended with exit code {code}", code == 0)


def play(mode, server, envoy, origin, directory):
    port = free_port()
    bootstrap, log = directory / f"{mode}.yaml", directory / f"{mode}.log"
    arguments = ["--listen", "127.0.0.1:0", "--mode", mode, "--message-timeout-ms", "5000"]
    arguments += ["--envoy-listen", f"127.0.0.1:{port}", "--origin", f"127.0.0.1:{origin}"]
    arguments += [part for each in FILTERS for part in ("--filter", each)]
    processes = []
    try:
        with bootstrap.open("w") as out, log.open("w") as err:
            serving = subprocess.Popen([server, *arguments], stdout=out, stderr=err)
            processes.append(("the server", serving))
            until("the server prints a bootstrap", lambda: bootstrap.read_text() or serving.poll() is not None)
            expect(f"the server ended with exit code {serving.poll()}", serving.poll() is None)
            command = [envoy, "-c", str(bootstrap), "--use-dynamic-base-id", "--concurrency", "1", "-l", "error"]
            processes.append(("Envoy", subprocess.Popen(command, stdout=err, stderr=err)))
            until("Envoy listens", lambda: answers(port))
        rows = [("GET", no_body(port)), ("POST, chunks", short_body(port))]
        rows.append((f"POST, {LONG_BYTES[mode] >> 10} KiB", long_body(port, LONG_BYTES[mode])))
        rows.append(("POST, 8 MiB", too_long(port)))
        while processes:
            stop(*processes.pop())
    except (Broken, OSError, ValueError, subprocess.TimeoutExpired) as error:
        print(log.read_text()[-8000:], file=sys.stderr)
        raise Broken(f"{mode}: {error}") from error
    finally:
        for _, process in processes:
            process.kill()
            process.wait()
    for what, result in rows:
        print(f"{mode:<21} {what:<15} {result}", flush=True)


def refuse(server, arguments, reason):
    """The server does not start, and says why."""
    command = [server, "--listen", "127.0.0.1:0", *arguments]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS, check=False)
    said = ended.stderr.strip()
    expect(f"{arguments} was served", ended.returncode != 0)
    expect(f"{arguments}: {said}", reason in said)
    print(f"{' '.join(arguments)}\n  {said.splitlines()[0]}", flush=True)


def main(server, envoy):
    socketserver.ThreadingTCPServer.daemon_threads = True
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Echo) as origin, tempfile.TemporaryDirectory() as directory:
        threading.Thread(target=origin.serve_forever, daemon=True).start()
        print(f"client - Envoy (filters: {', '.join(FILTERS)}) - origin\n")
        for mode in LONG_BYTES:
            play(mode, server, envoy, origin.server_address[1], pathlib.Path(directory))
        origin.shutdown()
    print("\nwhat cannot be:\n")
    for arguments, reason in REFUSED:
        refuse(server, arguments, reason)
    print("\nall as it should be")


if __name__ == "__main__":
    try:
        main(*sys.argv[1:])
    except Broken as broken:
        sys.exit(f"not as it should be: {broken}")
