"""ports: a port of loopback for a server that wants to be told one.

    with Port() as port:
        ... start a server on port.number, and wait until it listens ...

The kernel gives it to nobody else meanwhile, and who connects is refused until the server
listens. That sets SO_REUSEADDR, as servers do.
"""

import socket


class Port:
    def __init__(self):
        self.holder = socket.socket()
        self.holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.holder.bind(("127.0.0.1", 0))
        self.number = self.holder.getsockname()[1]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.holder.close()
