"""manager: a service manager that keeps descriptors, for tests: what systemd does with
FDSTORE=1, LISTEN_FDS and the signals of a restart, in a few lines.

    service = Service(folder, [MODELFS, "mount", "-f", ...])
    service.start()                     returns at READY=1
    service.kill(), service.restart(), service.stop()
"""

import array
import os
import signal
import socket
import subprocess
import sys

STOP_S = 60

# Becomes the service, with the descriptors from 3 on, as sd_listen_fds(3) has it.
LAUNCHER = """
import os, sys
names, wanted = sys.argv[1], [int(fd) for fd in sys.argv[2].split(",") if fd]
if wanted:
    held = [os.dup(fd) for fd in wanted]
    high = max(held) + 100
    held = [os.dup2(fd, high + index) for index, fd in enumerate(held)]
    for index, fd in enumerate(held):
        os.dup2(fd, 3 + index)
    os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS=str(len(held)),
                      LISTEN_FDNAMES=names)
os.closerange(3 + len(wanted), 4096)
os.execv(sys.argv[3], sys.argv[3:])
"""


class Service:
    def __init__(self, folder, command):
        self.command, self.log_path = command, folder / "service.log"
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(str(folder / "notify"))
        self.socket.settimeout(STOP_S)
        self.environment = {**os.environ, "NOTIFY_SOCKET": str(folder / "notify")}
        self.kept = []  # name and descriptor
        self.states = []
        self.process = None

    def log(self):
        return self.log_path.read_text(errors="replace")

    def start(self):
        names = ":".join(name for name, _ in self.kept)
        numbers = ",".join(str(fd) for _, fd in self.kept)
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-c", LAUNCHER, names, numbers, *map(str, self.command)],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=self.environment,
                pass_fds=[fd for _, fd in self.kept])
        self.listen_until("READY=1")

    def listen_until(self, wanted):
        while self.hear() != wanted:
            pass

    def hear(self):
        text, control, _, _ = self.socket.recvmsg(4096, socket.CMSG_SPACE(64))
        fds = array.array("i")
        for _, _, data in control:
            fds.frombytes(data[:len(data) - len(data) % fds.itemsize])
        rows = text.decode().split("\n")
        self.states.append(rows[0])
        name = next((row[7:] for row in rows if row.startswith("FDNAME=")), "stored")
        if rows[0] == "FDSTOREREMOVE=1":
            self.forget(name)
        elif rows[0] == "FDSTORE=1":
            self.kept += [(name, fd) for fd in fds]
        return rows[0]

    def forget(self, name=None):
        for row in [row for row in self.kept if name in (None, row[0])]:
            os.close(row[1])
            self.kept.remove(row)

    def worker(self):
        path = f"/proc/{self.process.pid}/task/{self.process.pid}/children"
        with open(path, encoding="ascii") as children:
            return int(children.read().split()[0])

    def end(self, number, and_worker):
        worker = self.worker()
        self.process.send_signal(number)
        status = self.process.wait(STOP_S)
        if and_worker:  # systemd ends what is left in the control group
            try:
                os.kill(worker, signal.SIGKILL)
            except ProcessLookupError:
                pass
        return status

    def die(self, and_worker=True):
        """As killed by somebody; what waits then waits for the next start."""
        return self.end(signal.SIGKILL, and_worker)

    def leave(self):
        """The first half of a restart."""
        return self.end(signal.SIGQUIT, True)

    def stop(self):
        status = self.end(signal.SIGTERM, True)
        self.socket.setblocking(False)
        try:
            while True:
                self.hear()
        except BlockingIOError:
            self.socket.settimeout(STOP_S)
        self.forget()
        return status
