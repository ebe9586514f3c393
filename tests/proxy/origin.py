"""The origin of curl.sh: HTTP/1.1, only what Python brings along. Prints its port, then serves."""

import hashlib
import http.server
import threading


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def body(self):
        """The request's body; None if it was cut off."""
        if self.headers.get("transfer-encoding", "").lower() == "chunked":
            read = bytearray()
            while True:
                line = self.rfile.readline()
                if not line.strip():
                    return None
                size = int(line, 16)
                if size == 0:
                    while (line := self.rfile.readline()).strip():
                        self.trailers.append(line.decode().strip().lower())
                    return read if line else None
                read += self.rfile.read(size)
                self.rfile.readline()
        length = int(self.headers.get("content-length", 0))
        read = self.rfile.read(length)
        return read if len(read) == length else None

    def answer(self, body, status=200, fields=()):
        self.send_response(status)
        for name, value in fields:
            self.send_header(name, value)
        if status not in (204, 304):
            self.send_header("content-length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def do_GET(self):
        what, _, arg = self.path.strip("/").partition("/")
        if what == "text":
            self.answer(arg.encode())
        elif what == "bytes":
            self.answer(hashlib.shake_128(arg.encode()).digest(int(arg)))
        elif what == "program":
            self.answer(b"\x7fELF" + bytes(5000))
        elif what == "status":
            self.answer(b"", int(arg))
        elif what == "cut":
            self.send_response(200)
            self.send_header("content-length", "100000")
            self.end_headers()
            self.wfile.write(bytes(50000))
            self.close_connection = True
        elif what == "trailers":
            self.send_response(200)
            self.send_header("transfer-encoding", "chunked")
            self.send_header("trailer", "x-origin")
            self.end_headers()
            self.wfile.write(b"4\r\nbody\r\n0\r\nx-origin: yes\r\n\r\n")
        else:
            self.answer(b"not found\n", 404)

    do_HEAD = do_GET

    def do_POST(self):
        """Sends back the body, or says what it was."""
        self.trailers = []
        body = self.body()
        if body is None:
            self.close_connection = True
            return
        if self.path == "/echo":
            return self.answer(body)
        said = [f"bytes: {len(body)}", f"sha256: {hashlib.sha256(body).hexdigest()}"]
        self.answer("\n".join(said + self.trailers + [""]).encode())

    do_PUT = do_POST


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_):
        """A client that goes away is part of the game."""


server = Server(("127.0.0.1", 0), Handler)
print(server.server_port, flush=True)
# Gone with the script, even if that is killed.
threading.Timer(300, server.shutdown).start()
server.serve_forever()
