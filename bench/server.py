"""A process of its own that plays a recorded stream to whoever logs in, as fast as it is read.

`python -m bench.server FILE TIMES` prints its port; each connection gets the stream TIMES times.
"""

import gzip
import socket
import sys
import threading
from pathlib import Path

END = b"Event: BenchEnd\r\nPrivilege: system,all\r\n\r\n"


def main() -> None:
    """Serve until standard input ends."""
    data = Path(sys.argv[1]).read_bytes()
    if data.startswith(b"\x1f\x8b"):
        data = gzip.decompress(data)
    body = data[data.index(b"Event: ") : data.rindex(b"\r\n\r\n") + 4] * int(sys.argv[2])
    listening = socket.create_server(("127.0.0.1", 0))
    print(listening.getsockname()[1], flush=True)
    threading.Thread(target=accept, args=(listening, body), daemon=True).start()
    sys.stdin.read()


def accept(listening: socket.socket, body: bytes) -> None:
    """One connection after the other."""
    while True:
        link, _ = listening.accept()
        with link:
            try:
                play(link, body)
            except OSError:
                continue


def play(link: socket.socket, body: bytes) -> None:
    """Answer the log-in, then everything at once, then wait until the other side closes."""
    asked = b""
    while b"\r\n\r\n" not in asked:
        asked += link.recv(4096)
    number = next(line[10:] for line in asked.split(b"\r\n") if line.startswith(b"ActionID: "))
    link.sendall(b"Asterisk Call Manager/11.0.0\r\nResponse: Success\r\nActionID: " + number + b"\r\n\r\n")
    link.sendall(body + END)
    while link.recv(4096):
        pass


if __name__ == "__main__":
    main()
