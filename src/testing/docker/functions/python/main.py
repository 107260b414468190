import os
import socket
import subprocess
import sys
import threading
import time


def main(context):
    req, res = context.req, context.res
    match req.path:
        case "/hello":
            answer = {"method": req.method, "query": req.query, "header": req.headers["X-A"], "body": req.json()}
            return res.json(answer, 201, {"X-B": "c"})
        case "/env":
            return res.text(f"{context.env['NAME']} {os.environ['NAME']}")
        case "/log":
            context.log("one", 1)
            print("two")
            context.error("three")
            print("four", file=sys.stderr)
            return res.empty()
        case "/print":
            print("ü, no end", end="")
            return res.empty()
        case "/long":
            print("x" * 5_000_000)
            return res.empty()
        case "/header":
            return res.text("", 200, {"x-a": "a\nb"})
        case "/leave":
            threading.Thread(target=lambda: context.fetch("https://hanging.example/"), daemon=True).start()
            time.sleep(0.1)
            return res.empty()
        case "/later":
            threading.Thread(target=lambda: late(context)).start()
            return res.empty()
        case "/told":
            time.sleep(0.8)
            return res.text(told)
        case "/fork":
            os.fork()
            return res.text("forked")
        case "/orphans":
            for _ in range(300):
                subprocess.run(["sh", "-c", "true & exec true"], check=True)
            return res.empty()
        case "/buffer":
            sys.stdout.buffer.write(b"bytes\n")
            subprocess.run(["echo", "child"], stdout=sys.stdout, check=True)
            return res.empty()
        case "/chunk":
            return res.stream([bytes(7 * 1024 * 1024)])
        case "/graphql":
            return res.json(context.graphql("{ a }", {"b": 1}))
        case "/wrong":
            return res.json(context.graphql("{ wrong }"))
        case "/fetch":
            got = context.fetch("https://example.com/x", method="POST", headers={"x-a": "b"}, body="c")
            return res.text(f"{got.status} {got.headers['x-b']} {got.text()}")
        case "/refused":
            try:
                return res.text(context.fetch("https://refused.example/").text())
            except Exception as error:
                return res.text(str(error))
        case "/loopback":
            try:
                return res.text(context.fetch("http://127.0.0.1:1/").text())
            except Exception as error:
                return res.text(str(error))
        case "/throw":
            raise ValueError("no")
        case "/redirect":
            return res.redirect("/x")
        case "/invalid":
            return 5
        case "/stream":
            return res.stream(["a", b"b", "c"])
        case "/headers":
            return res.text("", 200, {f"x-{n}": "x" * 60_000 for n in range(64)})
        case "/headers-of-stream":
            return res.stream(slowly(), 200, {f"x-{n}": "x" for n in range(65)})
        case "/loop":
            while True:
                pass
        case "/wait":
            time.sleep(60)
        case "/memory":
            everything = []
            while True:
                everything.append(bytearray(os.urandom(1_000_000)) * 10)
        case "/huge":
            return res.binary(bytes(6 * 1024 * 1024 + 1))
        case "/flood":
            for _ in range(3_000):
                context.log("line")
            return res.empty()
        case "/status":
            return res.text("no", 99)
        case "/garbage":
            os.write(4, b"garbage, and more of it")
            time.sleep(60)
        case "/network":
            try:
                socket.create_connection(("1.1.1.1", 53), 2)
                return res.text("connected")
            except OSError as error:
                return res.text(f"refused: {error}")
        case "/walls":
            return res.json(walls())
        case _:
            os._exit(3)


told = ""


def late(context):
    global told
    time.sleep(0.3)
    context.log("late")
    try:
        context.graphql("{ a }")
    except Exception as error:
        told = str(error)


def slowly():
    yield "a"
    time.sleep(0.5)
    yield "b"


def walls():
    """What the container lets this process be and do."""
    status = dict(line.split(":\t", 1) for line in open("/proc/self/status").read().splitlines() if ":\t" in line)
    written = {}
    for folder in ["/", "/function", "/tendril", "/etc", "/tmp"]:
        try:
            with open(os.path.join(folder, "x"), "w") as file:
                file.write("x")
            written[folder] = True
        except OSError:
            written[folder] = False
    return {
        "uid": os.getuid(),
        "capabilities": [status[name] for name in ("CapPrm", "CapEff", "CapBnd")],
        "noNewPrivileges": status["NoNewPrivs"],
        "interfaces": [name for _, name in socket.if_nameindex()],
        "written": written,
        "sockets": [path for path in ("/var/run/docker.sock", "/run/docker.sock") if os.path.exists(path)],
    }
