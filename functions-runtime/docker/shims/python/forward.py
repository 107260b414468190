"""Stands in for a proxy in the network of a build, which has nothing but itself: what comes to it goes to the executor (tunnel.ts)."""
import os, socket, struct, threading

source, target = os.fdopen(3, "rb"), os.fdopen(4, "wb")
writing, sockets = threading.Lock(), {}


def send(number, data=b""):
    """A connection's number, a length, the bytes; none where it has ended."""
    with writing:
        target.write(struct.pack(">II", number, len(data)) + data)
        target.flush()


def read(number, connection):
    try:
        while data := connection.recv(65536):
            send(number, data)
    except OSError:
        pass
    if sockets.pop(number, None):
        send(number)
    connection.close()


def receive():
    while len(head := source.read(8)) == 8:
        number, length = struct.unpack(">II", head)
        data = source.read(length)
        connection = sockets.get(number)
        try:
            if connection and data:
                connection.sendall(data)
            elif connection:
                sockets.pop(number, None)
                connection.shutdown(socket.SHUT_WR)
        except OSError:
            pass
    os._exit(0)


server = socket.create_server(("127.0.0.1", 3128), backlog=64)
threading.Thread(target=receive, daemon=True).start()
send(0, b"ready")
for number in range(1, 2**32):
    connection, _ = server.accept()
    sockets[number] = connection
    threading.Thread(target=read, args=(number, connection), daemon=True).start()
