"""Runs functions in a container, one at a time: frames come on descriptor 3 and go on 4 (functions-runtime/docker/frames.ts)."""
import asyncio, importlib.util, inspect, io, json, os, struct, sys, threading, time, traceback
from urllib.parse import parse_qsl

source, target = os.fdopen(3, "rb"), os.fdopen(4, "wb")
writing, calling = threading.Lock(), threading.Lock()
own, current = os.getpid(), None


def send(head, body=b""):
    text = json.dumps(head).encode()
    with writing:
        target.write(struct.pack(">II", len(text), len(body)) + text + body)
        target.flush()


def receive():
    lengths = source.read(8)
    if len(lengths) < 8:
        os._exit(0)
    head, body = struct.unpack(">II", lengths)
    return json.loads(source.read(head)), source.read(body)


def say(level, text):
    for line in text.split("\n"):
        send({"kind": "log", "level": level, "text": line[:10_000]})


class Lines(io.RawIOBase):
    """What is printed becomes lines of the log."""

    def __init__(self, level):
        self.level, self.rest = level, b""

    def writable(self):
        return True

    def fileno(self):
        return 2

    def write(self, data):
        *lines, self.rest = (self.rest + bytes(data)).split(b"\n")
        for line in lines:
            say(self.level, line.decode(errors="replace"))
        return len(data)

    def end(self):
        if self.rest:
            self.write(b"\n")


class Headers(dict):
    """By lower-case names."""

    def __init__(self, given=()):
        super().__init__({str(name).lower(): str(value) for name, value in dict(given).items()})

    def __getitem__(self, name):
        return super().__getitem__(name.lower())

    def get(self, name, default=None):
        return super().get(name.lower(), default)


class Message:
    def __init__(self, headers, body):
        self.headers, self.body = Headers(headers), body

    def text(self):
        return self.body.decode()

    def json(self):
        return json.loads(self.body)


class Request(Message):
    def __init__(self, head, body):
        super().__init__(head["headers"], body)
        self.method, self.url = head["method"], head["url"]
        self.path, _, query = self.url.partition("?")
        self.query = dict(parse_qsl(query, keep_blank_values=True))


class FetchResponse(Message):
    def __init__(self, head, body):
        super().__init__(head["headers"], body)
        self.status, self.ok = head["status"], 200 <= head["status"] < 300


class Response:
    def __init__(self, body=b"", status=200, headers=()):
        self.body, self.status, self.headers = body, status, Headers(headers)


class Responses:
    def json(self, value, status=200, headers=()):
        return self._as("application/json", json.dumps(value), status, headers)

    def text(self, text, status=200, headers=()):
        return self._as("text/plain; charset=utf-8", str(text), status, headers)

    def binary(self, body, status=200, headers=()):
        return self._as("application/octet-stream", bytes(body), status, headers)

    def stream(self, chunks, status=200, headers=()):
        return self._as("application/octet-stream", chunks, status, headers)

    def empty(self, status=204, headers=()):
        return Response(b"", status, headers)

    def redirect(self, url, status=302, headers=()):
        return Response(b"", status, {**dict(headers), "location": url})

    def _as(self, kind, body, status, headers):
        return Response(body, status, {"content-type": kind, **Headers(headers)})


class EffectError(Exception):
    """Why a graphql or fetch has no answer."""


class GraphqlError(EffectError):
    """What the API has answered with errors."""

    def __init__(self, errors, data):
        super().__init__("\n".join(str(error.get("message")) for error in errors))
        self.errors, self.data = errors, data


calls = 0


def call(run, head, body=b""):
    global calls
    if os.getpid() != own:
        raise EffectError("Only the process that runs the function can call graphql and fetch.")
    with calling:
        if run is not current:
            raise EffectError("The run is over.")
        calls += 1
        send({**head, "call": calls}, body)
        while True:
            reply, answer = receive()
            if reply["kind"] == "reply" and reply["call"] == calls:
                break
    if reply["error"] is not None:
        raise EffectError(reply["error"]["message"])
    return reply, answer


_dump = json.dumps


class Context:
    """One run: what it leaves behind is no part of the next."""

    def __init__(self, head, body):
        self.req, self.res, self.env = Request(head, body), Responses(), dict(head["variables"])

    def graphql(self, query, variables=None):
        """What the project's own API answers, its data. Raises a GraphqlError on errors."""
        answer = json.loads(call(self, {"kind": "graphql", "query": str(query), "variables": variables or {}})[1])
        if answer.get("errors"):
            raise GraphqlError(answer["errors"], answer.get("data"))
        return answer.get("data")

    def fetch(self, url, method="GET", headers=None, body=b"", json=None):
        headers = Headers(headers or {})
        if json is not None:
            body = _dump(json)
            headers.setdefault("content-type", "application/json")
        if isinstance(body, str):
            body = body.encode()
        return FetchResponse(*call(self, {"kind": "fetch", "method": method, "url": url, "headers": headers}, body))

    def log(self, *values):
        self._say("log", values)

    def error(self, *values):
        self._say("error", values)

    def _say(self, level, values):
        if self is current:
            say(level, " ".join(v if isinstance(v, str) else _shown(v) for v in values))


def _shown(value):
    try:
        return _dump(value)
    except (TypeError, ValueError):
        return repr(value)


loaded = None
known = dict(os.environ)


def load(entrypoint):
    global loaded
    if loaded is None:
        path = os.path.join(os.getcwd(), entrypoint)
        sys.path[:0] = [os.path.dirname(path), os.getcwd(), os.path.join(os.getcwd(), "packages")]
        spec = importlib.util.spec_from_file_location("function", path)
        module = importlib.util.module_from_spec(spec)
        sys.modules["function"] = module
        spec.loader.exec_module(module)
        loaded = getattr(module, "main", None) or getattr(module, "handler", None)
        if not callable(loaded):
            loaded = None
            raise TypeError(f"{entrypoint} has no function main(context).")
    return loaded


def memory():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def as_bytes(value):
    return value.encode() if isinstance(value, str) else bytes(value)


def answer(response, is_streamed):
    head = {"status": response.status, "headers": response.headers}
    body = response.body
    is_whole = isinstance(body, (str, bytes, bytearray, memoryview))
    if is_streamed and not is_whole:
        send({"kind": "head", **head})
        for chunk in body:
            send({"kind": "chunk"}, as_bytes(chunk))
        body = b""
    else:
        body = as_bytes(body) if is_whole else b"".join(map(as_bytes, body))
    end({"kind": "end", **head}, body)


def fail(reason, message, stack=None):
    end({"kind": "failed", "reason": reason, "message": message[:65_536], "stack": stack and stack[:65_536]})


def end(head, body=b""):
    """Tells how the run has ended. A thread that still waits for a reply would take the next run for it: this process ends then."""
    global current
    if os.getpid() != own:
        os._exit(0)
    for lines in printed:
        lines.end()
    current = None
    is_last = calling.locked()
    send({**head, "memoryBytes": memory(), "isLast": is_last}, body)
    if is_last:
        os._exit(0)


def run(head, body):
    global current
    try:
        os.environ.clear()
        os.environ.update(known)
        os.environ.update(head["variables"])
        current = Context(head, body)
        response = load(head["entrypoint"])(current)
        if inspect.isawaitable(response):
            response = asyncio.run(_awaited(response))
        if not isinstance(response, Response):
            kind = type(response).__name__
            return fail("INVALID_ANSWER", f"The function returned {kind}: return context.res.json(…), or another of res.")
        answer(response, head["isStreamed"])
    except BaseException as error:
        frames = traceback.TracebackException.from_exception(error)
        frames.stack = traceback.StackSummary.from_list([f for f in frames.stack if f.filename != __file__])
        stack = "".join(frames.format()).replace(os.getcwd() + "/", "")
        fail("THREW", f"{type(error).__name__}: {error}", stack)


async def _awaited(value):
    return await value


printed = Lines("log"), Lines("error")
sys.stdout, sys.stderr = (io.TextIOWrapper(lines, "utf-8", "replace", "\n", write_through=True) for lines in printed)
send({"kind": "ready"})
while True:
    head, body = receive()
    if head["kind"] == "run":
        run(head, body)
