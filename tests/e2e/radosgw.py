"""radosgw: Ceph's S3 server on loopback, for tests of the S3 backend.

    class Test(OnS3, MountTest):
        def test_reading(self):
            repository = self.repository()          # a bucket
            uid = repository.publish({"a.txt": b"hello"})
            mount = self.mount(repository)

A real and strict server: one monitor, one store in memory, one gateway, on free ports.
Gateways may be killed: who changes users waits until their watches time out. It takes
about 15 s to start, so the runner gives all tests one (MODELFS_SERVERS names the folder of
its state) and stops it at the end; a test that is run by itself starts its own. Each test
is a tenant of its own, with its own keys and buckets. Objects are put and looked at through
boto3, with the metadata that audbackend writes.
"""

import fcntl
import fnmatch
import hashlib
import io
import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import unittest
import uuid

from ports import Port
from repository import Repository

PROGRAMS = ("ceph-mon", "ceph-osd", "radosgw", "radosgw-admin", "ceph", "monmaptool")
START_S = 120

CONF = """
[global]
fsid = {fsid}
mon host = v1:127.0.0.1:{mon_port}
mon initial members = a
ms bind msgr2 = false
public addr = 127.0.0.1
cluster addr = 127.0.0.1
auth cluster required = none
auth service required = none
auth client required = none
osd class update on start = false
osd crush update on start = false
osd crush chooseleaf type = 0
osd pool default size = 1
osd pool default min size = 1
osd pool default pg num = 8
osd pool default pgp num = 8
osd pool default pg autoscale mode = off
mon allow pool size one = true
mon max pg per osd = 1000
osd class dir = {classes}
osd objectstore = memstore
osd client watch timeout = 5
memstore device bytes = 4294967296
run dir = {folder}/run
admin socket = {folder}/run/$cluster-$name.$pid.asok
log file = {folder}/log/$name.log
pid file = {folder}/run/$name.pid
mon data = {folder}/mon
osd data = {folder}/osd
keyring = {folder}/keyring
[client.rgw]
rgw thread pool size = 16
"""


def class_folder():
    """Debian 13's own default is relative, and found by no daemon."""
    return next(pathlib.Path("/usr/lib").glob("*/rados-classes"), "")


def missing():
    """Why the tests cannot run; None if they can."""
    absent = [name for name in PROGRAMS if not shutil.which(name)]
    if absent:
        return f"no {', '.join(absent)}: install radosgw ceph-mon ceph-osd ceph-common"
    try:
        import boto3  # noqa: F401
    except ImportError:
        return "no boto3: install python3-boto3"
    return None


def answers(port):
    try:
        with socket.create_connection(("127.0.0.1", port), 1) as connection:
            connection.sendall(b"GET / HTTP/1.0\r\n\r\n")
            return connection.recv(5) == b"HTTP/"
    except OSError:
        return False


def wait_for(condition, what):
    end = time.monotonic() + START_S
    while not condition():
        if time.monotonic() > end:
            raise RuntimeError(f"{what}: not after {START_S} s")
        time.sleep(0.05)


class Radosgw:
    """One cluster, whose state lies in a folder; gateways come and go."""

    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        self.conf = self.folder / "ceph.conf"

    def attempt(self, *command):
        return subprocess.run(
            [str(word) for word in command], stdin=subprocess.DEVNULL,
            capture_output=True, text=True, timeout=START_S, check=False)

    def run(self, *command):
        done = self.attempt(*command)
        if done.returncode:
            raise RuntimeError(f"{command}: {done.stdout}{done.stderr}")
        return done.stdout

    def tell_monitor(self, *command):
        """What may be told twice: a new one under load refuses commands at times, with
        "EPERM: problem getting command descriptions from mon"."""
        wait_for(lambda: self.attempt("ceph", "-c", self.conf, *command).returncode == 0,
                 f"ceph {command}")

    def start(self):
        with Port() as monitor, Port() as gateway:
            self.start_on(monitor.number, gateway.number)
        (self.folder / "port").write_text(str(gateway.number))

    def start_on(self, mon_port, port):
        for name in ("mon", "osd", "run", "log"):
            (self.folder / name).mkdir(parents=True)
        (self.folder / "keyring").touch()
        fsid = uuid.uuid4()
        self.conf.write_text(
            CONF.format(folder=self.folder, fsid=fsid, mon_port=mon_port,
                        classes=class_folder()))
        monmap = self.folder / "monmap"
        self.run("monmaptool", "--create", "--clobber", "--addv", "a",
                 f"v1:127.0.0.1:{mon_port}", "--fsid", fsid, monmap)
        self.run("ceph-mon", "--mkfs", "-i", "a", "--monmap", monmap, "-c", self.conf)
        self.run("ceph-mon", "-i", "a", "-c", self.conf)
        osd = uuid.uuid4()
        self.tell_monitor("osd", "new", osd)
        self.run("ceph-osd", "-i", "0", "-c", self.conf, "--mkfs", "--osd-uuid", osd)
        self.run("ceph-osd", "-i", "0", "-c", self.conf)
        self.tell_monitor("osd", "crush", "add", "osd.0", "1.0", "root=default", "host=h")
        self.start_gateway(port)

    def start_gateway(self, port, name="rgw"):
        """Another one by another name; the same objects."""
        self.run("radosgw", "-c", self.conf, "-n", "client.rgw",
                 f"--pid-file={self.folder}/run/{name}.pid",
                 f"--log-file={self.folder}/log/{name}.log",
                 f"--rgw-frontends=beast endpoint=127.0.0.1:{port} tcp_nodelay=1")
        wait_for(lambda: answers(port), "radosgw")

    def stop_gateway(self, name):
        stop_process(self.folder / f"run/{name}.pid", str(self.conf), signal.SIGKILL)

    def stop(self):
        for path in (self.folder / "run").glob("*.pid"):
            stop_process(path, str(self.conf), signal.SIGKILL)
        shutil.rmtree(self.folder, ignore_errors=True)

    @property
    def port(self):
        return int((self.folder / "port").read_text())

    def admin(self, *arguments):
        return self.run("radosgw-admin", "-c", self.conf, *arguments)

    def add_tenant(self, tenant, key, secret):
        self.admin("user", "create", f"--tenant={tenant}", "--uid=user",
                   "--display-name=test", f"--access-key={key}", f"--secret-key={secret}")


def stop_process(pid_file, conf, number):
    """Only a process of this cluster: the number may be another's by now."""
    try:
        pid = int(pid_file.read_text())
        command = pathlib.Path(f"/proc/{pid}/cmdline").read_bytes().decode()
    except (OSError, ValueError):
        return
    if conf not in command:
        return
    os.kill(pid, number)
    wait_for(lambda: not pathlib.Path(f"/proc/{pid}").exists(), f"end of {pid}")
    pid_file.unlink(missing_ok=True)


def shared(folder):
    """The server that all tests of a run share: the first one starts it."""
    folder = pathlib.Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    server = Radosgw(folder / "radosgw")
    with open(folder / "radosgw.lock", "w", encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (server.folder / "port").exists():
            server.stop()
            server.start()
    return server


def stop_shared(folder):
    """What the runner calls at its end."""
    Radosgw(pathlib.Path(folder) / "radosgw").stop()


class Upload(io.BytesIO):
    """What is written becomes the object at the end."""

    def __init__(self, path):
        super().__init__()
        self.path = path

    def close(self):
        if not self.closed:
            self.path.write_bytes(self.getvalue())
        super().close()


class S3Path:
    """An object, or a folder, as pathlib would have it."""

    def __init__(self, bucket, key=""):
        self.bucket = bucket
        self.key = key

    def __truediv__(self, name):
        return S3Path(self.bucket, f"{self.key}/{name}".lstrip("/"))

    def __str__(self):
        return f"{self.bucket.name}/{self.key}"

    def __lt__(self, other):
        return self.key < other.key

    @property
    def name(self):
        return self.key.rsplit("/", 1)[-1]

    @property
    def parent(self):
        return S3Path(self.bucket, self.key.rpartition("/")[0])

    def with_name(self, name):
        return self.parent / name

    def mkdir(self, **_):
        """Folders come with their objects."""

    def relative_to(self, other):
        return pathlib.PurePosixPath(self.key).relative_to(other.key)

    def head(self):
        return self.bucket.meta.client.head_object(Bucket=self.bucket.name, Key=self.key)

    def exists(self):
        return any(summary.key == self.key
                   for summary in self.bucket.objects.filter(Prefix=self.key, MaxKeys=1))

    def rglob(self, _):
        """Every object and every folder below, as pathlib's rglob("*")."""
        prefix = f"{self.key}/" if self.key else ""
        seen = set()
        for summary in self.bucket.objects.filter(Prefix=prefix):
            seen.add(summary.key)
            seen |= {str(p) for p in pathlib.PurePosixPath(summary.key).parents}
        return (S3Path(self.bucket, key)
                for key in seen if key.startswith(prefix) and key != ".")

    def glob(self, pattern):
        """Those of the folder itself; a pattern without "/"."""
        return (path for path in self.rglob("*")
                if path.parent.key == self.key and fnmatch.fnmatch(path.name, pattern))

    def read_bytes(self):
        return self.bucket.Object(self.key).get()["Body"].read()

    def read_text(self):
        return self.read_bytes().decode()

    def open(self, mode="rb"):
        return io.BytesIO(self.read_bytes()) if mode == "rb" else Upload(self)

    def write_bytes(self, content):
        """As audbackend puts it."""
        is_archive = self.key.endswith(".zip")
        self.bucket.put_object(
            Key=self.key, Body=content,
            ContentType="application/zip" if is_archive else "application/octet-stream",
            Metadata={"checksum": hashlib.md5(content).hexdigest(), "owner": "sphinx"})

    def write_text(self, text):
        self.write_bytes(text.encode())

    def unlink(self):
        self.bucket.Object(self.key).delete()


class S3Repository(Repository):
    """A bucket that holds what audmodel would write."""

    def __init__(self, bucket):
        self.host = "/s3"
        self.name = bucket.name
        self.folder = S3Path(bucket)


class OnS3:
    """Put in front of a MountTest: its repositories are buckets."""

    server = None

    def setUp(self):
        reason = missing()
        if reason:
            raise unittest.SkipTest(reason)
        self.rgw = self.find_server()
        self.endpoint = f"http://127.0.0.1:{self.rgw.port}"
        self.tenant = f"t{uuid.uuid4().hex[:12]}"
        self.key, self.secret = f"AK{self.tenant}", f"secret/{self.tenant}+1"
        self.rgw.add_tenant(self.tenant, self.key, self.secret)
        os.environ.update(MINIO_ACCESS_KEY=self.key, MINIO_SECRET_KEY=self.secret)
        self.s3 = self.connect(self.key, self.secret)
        self.served = set()
        super().setUp()

    def find_server(self):
        folder = os.environ.get("MODELFS_SERVERS")
        if folder:
            return shared(folder)
        folder = tempfile.mkdtemp(prefix="modelfs-radosgw-")
        self.addCleanup(stop_shared, folder)
        return shared(folder)

    def connect(self, key, secret):
        import boto3
        import botocore.config

        return boto3.resource(
            "s3", endpoint_url=self.endpoint, aws_access_key_id=key,
            aws_secret_access_key=secret, region_name="us-east-1",
            config=botocore.config.Config(s3={"addressing_style": "path"}))

    def bucket(self, name):
        return self.s3.create_bucket(Bucket=name)

    def repository(self, name="models", host="host"):
        return S3Repository(self.bucket(name))

    def serve(self, host):
        """Repositories in a folder become buckets, with all that they hold."""
        host = pathlib.Path(host)
        if host.is_dir() and host not in self.served:
            self.served.add(host)
            for folder in host.iterdir():
                if folder.is_dir():
                    self.upload(folder)
        return "minio", self.endpoint

    def upload(self, folder):
        top = S3Path(self.bucket(folder.name))
        for path in folder.rglob("*"):
            if path.is_file():
                (top / path.relative_to(folder).as_posix()).write_bytes(path.read_bytes())


if __name__ == "__main__":
    if sys.argv[1:2] == ["stop"]:
        stop_shared(sys.argv[2])
    elif sys.argv[1:2] == ["start"]:
        print(json.dumps({"port": shared(sys.argv[2]).port}))
    else:
        sys.exit("usage: radosgw.py start|stop FOLDER")
