"""Servers behind TLS: whose certificate is trusted, HTTP/2, and proxies that the
environment names.

An nginx with an authority of the test's own stands in front of the Artifactory stand-in.
"""

import os
import socket
import threading
import unittest

import yaml
from artifactory import Artifactory
from mounted import MountTest, modelfs
from nginx import Authority, Nginx

LOGIN = {"ARTIFACTORY_USERNAME": "me", "ARTIFACTORY_API_KEY": "secret"}
# Whatever the machine says: the tests name their own.
NO_PROXY = {name: "" for name in ("SSL_CERT_FILE", "AWS_CA_BUNDLE", "REQUESTS_CA_BUNDLE",
                                  "http_proxy", "https_proxy", "HTTPS_PROXY", "all_proxy",
                                  "ALL_PROXY", "no_proxy", "NO_PROXY")}


class ConnectProxy:
    """A proxy that makes the tunnels it is asked for, and notes them; or refuses."""

    def __init__(self, refuses=False):
        self.refuses = refuses
        self.asked = []
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://me:secret@127.0.0.1:{self.listener.getsockname()[1]}"
        threading.Thread(target=self.run, daemon=True).start()

    def run(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self.serve, args=(client,), daemon=True).start()

    def serve(self, client):
        with client:
            head = b""
            while b"\r\n\r\n" not in head:
                data = client.recv(4096)
                if not data:
                    return
                head += data
            line = head.split(b"\r\n")[0].decode()
            self.asked.append(line)
            method, where, _ = line.split(" ")
            if self.refuses or method != "CONNECT":
                client.sendall(b"HTTP/1.1 403 Not you\r\nContent-Length: 0\r\n\r\n")
                return
            host, _, port = where.rpartition(":")
            with socket.create_connection((host, int(port))) as server:
                client.sendall(b"HTTP/1.1 200 Go on\r\n\r\n")
                back = threading.Thread(target=copy, args=(server, client), daemon=True)
                back.start()
                copy(client, server)
                back.join()

    def close(self):
        self.listener.close()


def copy(source, target):
    try:
        while data := source.recv(1 << 16):
            target.sendall(data)
        target.shutdown(socket.SHUT_WR)
    except OSError:
        pass


class Tls(MountTest):
    def setUp(self):
        super().setUp()
        repository = self.repository()
        self.uid = repository.publish({"a.txt": b"hello\n", "b.bin": os.urandom(300_000)})
        self.server = Artifactory(repository.host)
        self.addCleanup(self.server.stop)
        self.authority = Authority(self.folder)

    def serve(self, certificate, **options):
        upstream = self.server.url.split("/")[2]
        nginx = Nginx(self.folder, upstream=upstream, certificate=certificate, **options)
        self.addCleanup(nginx.stop)
        return nginx

    def run_ls(self, host, ca_file="own", env=None):
        """`modelfs ls` of the repository at host."""
        config = {"repositories": [{"name": "models", "host": f"https://{host}/artifactory",
                                    "backend": "artifactory"}],
                  "cache": {"root": str(self.folder / "cache")}}
        if ca_file:
            config["ca_file"] = str(self.authority.path if ca_file == "own" else ca_file)
        path = self.folder / "config.yaml"
        path.write_text(yaml.dump(config))
        return modelfs("ls", config=path, env={**NO_PROXY, **LOGIN, **(env or {})})

    def assert_works(self, done):
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn(self.uid.partition("-")[0], done.stdout)

    def assert_refused(self, done, *words):
        self.assertEqual(done.returncode, 1, done.stdout)
        self.assert_sentence(done.stderr, *words)
        self.assertNotIn("secret", done.stderr)
        self.assertEqual(self.server.count(), 0)

    def test_own_authority(self):
        nginx = self.serve(self.authority.sign("localhost", "IP:127.0.0.1"))
        self.assert_works(self.run_ls(f"localhost:{nginx.port}"))
        self.assert_works(self.run_ls(f"127.0.0.1:{nginx.port}"))

    def test_http2_where_offered(self):
        nginx = self.serve(self.authority.sign("localhost"))
        self.assert_works(self.run_ls(f"localhost:{nginx.port}"))
        self.assertEqual({row[0] for row in nginx.log()}, {"HTTP/2.0"})

    def test_http1_where_not(self):
        nginx = self.serve(self.authority.sign("localhost"), http2=False)
        self.assert_works(self.run_ls(f"localhost:{nginx.port}"))
        self.assertEqual({row[0] for row in nginx.log()}, {"HTTP/1.1"})

    def test_unknown_authority(self):
        nginx = self.serve(self.authority.sign("localhost"))
        self.assert_refused(self.run_ls(f"localhost:{nginx.port}", ca_file=None),
                            "certificate", "ca_file")

    def test_authority_of_the_environment(self):
        nginx = self.serve(self.authority.sign("localhost"))
        host = f"localhost:{nginx.port}"
        for variable in ("SSL_CERT_FILE", "AWS_CA_BUNDLE", "REQUESTS_CA_BUNDLE"):
            with self.subTest(variable):
                self.assert_works(self.run_ls(host, ca_file=None,
                                              env={variable: str(self.authority.path)}))
        self.server.forget()
        self.assert_refused(self.run_ls(host, ca_file=None,
                                        env={"SSL_CERT_FILE": "/nowhere/own.pem"}),
                            "certificate", "ca_file")

    def test_another_authority(self):
        nginx = self.serve(self.authority.sign("localhost"))
        other = Authority(self.folder, "other")
        self.assert_refused(self.run_ls(f"localhost:{nginx.port}", ca_file=other.path),
                            "certificate")

    def test_wrong_host_name(self):
        nginx = self.serve(self.authority.sign("models.example.org"))
        self.assert_refused(self.run_ls(f"localhost:{nginx.port}"), "certificate",
                            "localhost")

    def test_expired_certificate(self):
        nginx = self.serve(self.authority.sign("localhost", days_ago=3))
        self.assert_refused(self.run_ls(f"localhost:{nginx.port}"), "certificate",
                            "expired")

    def test_plain_http_behind_https(self):
        nginx = self.serve(None)
        self.assert_refused(self.run_ls(f"localhost:{nginx.port}"), "TLS", "'http://'")

    def test_https_behind_plain_http(self):
        nginx = self.serve(self.authority.sign("localhost"))
        for backend, below in (("artifactory", "/artifactory"), ("s3", "")):
            with self.subTest(backend):
                config = self.folder / f"{backend}.yaml"
                config.write_text(yaml.dump({
                    "repositories": [{"name": "models", "backend": backend,
                                      "host": f"http://localhost:{nginx.port}{below}"}],
                    "cache": {"root": str(self.folder / "cache")}}))
                for command in (("ls",), ("exists", self.uid)):
                    done = modelfs(*command, config=config, env={**NO_PROXY, **LOGIN})
                    self.assert_refused(done, "'https://'")

    def test_ca_file_that_is_missing(self):
        self.assert_refused(self.run_ls("localhost:1", ca_file="/nowhere/own.pem"),
                            "/nowhere/own.pem")

    def test_ca_file_that_is_none(self):
        nginx = self.serve(self.authority.sign("localhost"))
        wrong = self.folder / "wrong.pem"
        wrong.write_text("no certificate\n")
        self.assert_refused(self.run_ls(f"localhost:{nginx.port}", ca_file=wrong),
                            "ca_file", "ca-certificates")

    def test_mount_over_http2(self):
        nginx = self.serve(self.authority.sign("localhost"))
        config = self.folder / "mount.yaml"
        config.write_text(yaml.dump({
            "repositories": [{"name": "models", "backend": "artifactory",
                              "host": f"https://localhost:{nginx.port}/artifactory"}],
            "cache": {"root": str(self.folder / "cache")},
            "ca_file": str(self.authority.path)}))
        mount = self.mount_config(config, env={**NO_PROXY, **LOGIN})
        self.assertEqual(mount.read(self.uid, "a.txt"), b"hello\n")
        self.assertEqual(len(mount.read(self.uid, "b.bin")), 300_000)

    def proxy(self, **options):
        proxy = ConnectProxy(**options)
        self.addCleanup(proxy.close)
        return proxy

    def test_proxy_from_the_environment(self):
        nginx = self.serve(self.authority.sign("localhost"))
        proxy = self.proxy()
        host = f"localhost:{nginx.port}"
        self.assert_works(self.run_ls(host, env={"https_proxy": proxy.url}))
        self.assertEqual(set(proxy.asked), {f"CONNECT {host} HTTP/1.1"})

    def test_no_proxy(self):
        nginx = self.serve(self.authority.sign("localhost"))
        proxy = self.proxy()
        self.assert_works(self.run_ls(f"localhost:{nginx.port}", env={
            "https_proxy": proxy.url, "no_proxy": "localhost"}))
        self.assertEqual(proxy.asked, [])

    def test_proxy_that_refuses(self):
        nginx = self.serve(self.authority.sign("localhost"))
        proxy = self.proxy(refuses=True)
        self.assert_refused(
            self.run_ls(f"localhost:{nginx.port}", env={"https_proxy": proxy.url}),
            "proxy", "403")
        self.assertEqual(nginx.log(), [])


if __name__ == "__main__":
    unittest.main()
