"""nginx: an nginx of the test's own, with TLS by an authority of the test's own.

    authority = Authority(folder)
    certificate = authority.sign("localhost", "IP:127.0.0.1")
    with Nginx(folder, upstream="127.0.0.1:8081", certificate=certificate) as server:
        f"https://localhost:{server.port}", authority.path
        server.log()        [("HTTP/2.0", "GET", "/x", 200), ...], at the end

Serves the folder `root`, or hands everything on to `upstream`.
"""

import os
import pathlib
import shutil
import signal
import socket
import subprocess
import time

from ports import Port

CONFIG = """
daemon off;
worker_processes 1;
pid {folder}/pid;
error_log {folder}/error.log;
{user}
events {{ worker_connections 1024; }}
http {{
    log_format facts "$server_protocol $request_method $request_uri $status";
    access_log {folder}/access.log facts;
    client_max_body_size 0;
    {paths}
    server {{
        listen 127.0.0.1:{port} {options};
        {tls}
        location / {{ {content} }}
    }}
}}
"""
PATHS = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")


def openssl(*arguments, days_ago=0):
    clock = ["faketime", "-f", f"-{days_ago}d"] if days_ago else []
    subprocess.run([*clock, "openssl", *map(str, arguments)], check=True,
                   capture_output=True)


class Authority:
    """Its certificate is at `path`; what it signs is a folder with cert.pem and key.pem."""

    def __init__(self, folder, name="authority"):
        self.folder = pathlib.Path(folder) / name
        self.folder.mkdir()
        self.path = self.folder / "cert.pem"
        self.count = 0
        openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
                "-noenc", "-keyout", self.folder / "key.pem", "-out", self.path,
                "-days", 2, "-subj", f"/CN={name} of a test")

    def sign(self, *names, days_ago=0):
        """For two days. names: "localhost" or "IP:127.0.0.1"."""
        self.count += 1
        folder = self.folder / str(self.count)
        folder.mkdir()
        alternatives = ",".join(n if ":" in n else f"DNS:{n}" for n in names)
        (folder / "extensions").write_text(f"subjectAltName={alternatives}\n")
        openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-noenc",
                "-keyout", folder / "key.pem", "-out", folder / "request.pem",
                "-subj", "/CN=server")
        openssl("x509", "-req", "-in", folder / "request.pem", "-CA", self.path, "-CAkey",
                self.folder / "key.pem", "-CAcreateserial", "-days", 2, "-extfile",
                folder / "extensions", "-out", folder / "cert.pem", days_ago=days_ago)
        return folder


class Nginx:
    def __init__(self, folder, root=None, upstream=None, certificate=None, http2=True,
                 name="nginx"):
        self.folder = pathlib.Path(folder) / name
        self.folder.mkdir()
        with Port() as port:
            self.port = port.number
            self.start(root, upstream, certificate, http2)

    def start(self, root, upstream, certificate, http2):
        config = self.folder / "nginx.conf"
        config.write_text(CONFIG.format(
            folder=self.folder,
            user="user root;" if os.getuid() == 0 else "",
            paths="".join(f"{p}_temp_path {self.folder}/{p}; " for p in PATHS),
            port=self.port,
            options=("ssl " + ("http2" if http2 else "")) if certificate else "",
            tls=(f"ssl_certificate {certificate}/cert.pem; "
                 f"ssl_certificate_key {certificate}/key.pem;") if certificate else "",
            content=(f"root {root};" if root else
                     f"proxy_pass http://{upstream}; proxy_set_header Host $http_host; "
                     "proxy_http_version 1.1; proxy_request_buffering off;")))
        program = shutil.which("nginx", path=os.environ["PATH"] + ":/usr/sbin")
        self.process = subprocess.Popen(
            [program, "-c", config, "-e", self.folder / "error.log", "-p", self.folder])
        self.wait_until_it_listens()

    def wait_until_it_listens(self):
        end = time.monotonic() + 30
        while True:
            try:
                socket.create_connection(("127.0.0.1", self.port)).close()
                return
            except ConnectionRefusedError:
                if self.process.poll() is not None or time.monotonic() > end:
                    raise AssertionError((self.folder / "error.log").read_text()) from None
                time.sleep(0.01)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()

    def stop(self):
        self.process.terminate()
        self.process.wait()

    def log(self):
        """Ends the server: it writes of a request after it was answered."""
        self.process.send_signal(signal.SIGQUIT)
        self.process.wait()
        rows = (self.folder / "access.log").read_text().splitlines()
        return [(p, m, u, int(s)) for p, m, u, s in (row.split(" ") for row in rows)]
