"""Downloads, from a server on this machine's loopback address: mirrors that fail, lie or break off; two at a time."""

import contextlib
import hashlib
import http.server
import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import pooch
import pytest
import small_cifar

from scratchnet.datasets import cifar10, cifar100, collection, download, fashion_mnist, mnist

PAYLOAD = small_cifar.tar_gz(small_cifar.members(binary=False))
CHECKSUM = f"sha256:{hashlib.sha256(PAYLOAD).hexdigest()}"


class Mirror(http.server.BaseHTTPRequestHandler):
    """The first folder of the address says how it behaves."""

    def do_GET(self):
        kind = self.path.split("/")[1]
        self.server.asked.append(kind)
        body = {"wrong": PAYLOAD[:-1] + b"?", "page": b"<html>Please log in to this network</html>"}.get(kind, PAYLOAD)
        if kind == "missing":
            self.send_error(404)
            return
        if kind == "mute":  # the header comes byte by byte, and never ends
            self.drip(b"HTTP/1.1 200 OK\r\nX: " + b"x" * 10**6)
            return
        self.send_response(200)
        if kind in ("endless", "trickle"):  # without saying how much
            self.end_headers()
            self.drip(PAYLOAD) if kind == "trickle" else self.flood()
            return
        self.send_header("Content-Length", str(len(body) + {"huge": 10**10}.get(kind, 0)))
        if kind == "gzip":  # the server means well: it says how the file is packed
            self.send_header(
                "Content-Encoding", "identity" if "identity" in self.headers["Accept-Encoding"] else "gzip"
            )
        self.end_headers()
        if kind == "silent":
            self.server.closing.wait(20)
            return
        self.wfile.write(body[: len(body) // 2])
        if kind == "half":
            return
        if kind == "slow":  # so that two processes overlap
            time.sleep(0.3)
        self.wfile.write(body[len(body) // 2 :])

    def drip(self, data):
        """Send a byte now and then, until the test is over or the client has gone."""
        with contextlib.suppress(OSError):
            for place in range(len(data)):
                if self.server.closing.wait(0.02):
                    return
                self.wfile.write(data[place : place + 1])
                self.wfile.flush()

    def flood(self):
        """Send for ever."""
        with contextlib.suppress(OSError):
            while not self.server.closing.is_set():
                self.wfile.write(PAYLOAD)
                self.server.sent += len(PAYLOAD)

    def log_message(self, *arguments):
        pass


@pytest.fixture
def server(monkeypatch):
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Mirror) as server:
        server.asked, server.closing, server.sent = [], threading.Event(), 0
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield server
        server.closing.set()
        server.shutdown()
        thread.join()


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A data folder that is not there yet."""
    folder = tmp_path / "data" / "sets"
    monkeypatch.setenv("SCRATCHNET_DATA", str(folder))
    return folder


def serve(server, monkeypatch, *kinds, checksum=CHECKSUM):
    """Let cifar10 have mirrors of these kinds."""
    mirrors = [f"http://127.0.0.1:{server.server_port}/{kind}/{{name}}" for kind in kinds]
    small = small_cifar.description(*mirrors, checksum=checksum, size=len(PAYLOAD))
    monkeypatch.setattr(cifar10, "DESCRIPTION", small)
    return mirrors


def test_a_good_mirror_is_asked_once(server, folder, monkeypatch, capfd):
    serve(server, monkeypatch, "good", "missing")
    assert small_cifar.same(cifar10.load_data())
    assert "100%" in capfd.readouterr().err  # the bar
    assert small_cifar.same(cifar10.load_data())
    assert server.asked == ["good"]
    assert sorted(p.name for p in folder.iterdir()) == ["cifar-10-python.tar.gz", "cifar10.npy"]


@pytest.mark.parametrize("bad", ["missing", "wrong", "page", "half", "silent"])
def test_after_a_bad_mirror_comes_the_next(server, folder, monkeypatch, bad):
    monkeypatch.setattr(download, "TIMEOUT", 0.3)
    serve(server, monkeypatch, bad, "good")
    assert small_cifar.same(cifar10.load_data())
    assert server.asked == [bad, "good"]
    assert sorted(p.name for p in folder.iterdir()) == ["cifar-10-python.tar.gz", "cifar10.npy"]


@pytest.mark.parametrize("bad", ["endless", "huge", "trickle", "mute"])
def test_a_mirror_that_never_ends_is_left(server, folder, monkeypatch, bad):
    """Neither by bytes without end nor by time without end, in the header or after it."""
    monkeypatch.setattr(download, "WINDOW", 0.3)
    monkeypatch.setattr(download, "ANSWER", 0.5)
    serve(server, monkeypatch, bad, "good")
    assert small_cifar.same(cifar10.load_data())
    assert server.asked == [bad, "good"]
    assert server.sent < len(PAYLOAD) + 10**8  # what the system's buffers take
    assert sorted(p.name for p in folder.iterdir()) == ["cifar-10-python.tar.gz", "cifar10.npy"]


def test_what_each_mirror_did_is_said(server, folder, monkeypatch):
    monkeypatch.setattr(download, "WINDOW", 0.3)
    monkeypatch.setattr(download, "ANSWER", 0.5)
    monkeypatch.setattr(download, "TIMEOUT", 0.4)
    kinds = ("endless", "huge", "trickle", "mute", "silent", "half", "wrong")
    serve(server, monkeypatch, *kinds)
    with pytest.raises(ConnectionError) as caught:
        cifar10.load_data()
    lines = str(caught.value).splitlines()
    size = f"{len(PAYLOAD):,}"
    for kind, wanted in zip(
        kinds,
        (
            f"BadMirror: expected {size} bytes, the server goes on sending after them",
            f"BadMirror: expected {size} bytes, the server announces 10,000,",
            "BadMirror: too slow: ",
            "BadMirror: no whole answer within 0.5 s",
            "Timeout",
            "",  # urllib3 or we, by its version
            "ValueError: ",
        ),
    ):
        (place,) = (i for i, line in enumerate(lines) if f"/{kind}/" in line)
        assert wanted in lines[place + 1]
    assert list(folder.iterdir()) == []


def test_a_slow_mirror_is_not_too_slow(server, folder, monkeypatch):
    """50 bytes a second are enough, where so many are wanted."""
    monkeypatch.setattr(download, "WINDOW", 0.2)
    monkeypatch.setattr(download, "SLOWEST", 5)
    monkeypatch.setattr(sys.modules[__name__], "PAYLOAD", b"x" * 60)
    serve(server, monkeypatch, "trickle")
    file = cifar10.DESCRIPTION.files[0]._replace(checksum=f"sha256:{hashlib.sha256(b'x' * 60).hexdigest()}")
    assert download.fetch(file, folder).read_bytes() == b"x" * 60


def test_a_server_that_would_unpack_on_the_way_is_told_not_to(server, folder, monkeypatch):
    serve(server, monkeypatch, "gzip")
    assert small_cifar.same(cifar10.load_data())


def test_without_a_mirror_the_error_says_what_was_tried_and_what_to_do(server, folder, monkeypatch):
    serve(server, monkeypatch, "missing", "wrong", "half")
    closed = "http://127.0.0.1:9/{name}"  # nothing listens there: as without a network
    description = cifar10.DESCRIPTION
    file = description.files[0]._replace(mirrors=(*description.files[0].mirrors, closed))
    monkeypatch.setattr(cifar10, "DESCRIPTION", description._replace(files=(file,)))
    with pytest.raises(ConnectionError) as caught:
        cifar10.load_data()
    said = str(caught.value)
    for kind, reason in (("missing", "404"), ("wrong", "does not match"), ("half", "IncompleteRead")):
        assert f"{server.server_port}/{kind}/cifar-10-python.tar.gz" in said
        assert reason in said
    for wanted in (CHECKSUM, "127.0.0.1:9", str(folder), "SCRATCHNET_DATA", "shapes10", "fashion_mnist_small"):
        assert wanted in said
    assert "cifar-10-batches-bin" in said
    assert list(folder.iterdir()) == []  # no part is left


def test_only_missing_files_are_asked_for(server, folder, monkeypatch):
    mirror = f"http://127.0.0.1:{server.server_port}/good/{{name}}"
    file = {"mirrors": (mirror,), "checksum": CHECKSUM, "size": len(PAYLOAD)}
    files = tuple(f._replace(**file) for f in fashion_mnist.DESCRIPTION.files)
    monkeypatch.setattr(fashion_mnist, "DESCRIPTION", fashion_mnist.DESCRIPTION._replace(files=files))
    folder.mkdir(parents=True)
    for file in files[:3]:
        (folder / file.name).write_bytes(b"here")
    with pytest.raises(ValueError, match=r"train-images-idx3-ubyte.gz: not an IDX file"):  # all four are there now
        fashion_mnist.load_data()
    assert server.asked == ["good"]
    assert (folder / "fashion-mnist" / files[3].name).read_bytes() == PAYLOAD


def test_first_loads_of_two_processes_do_not_disturb_each_other(server, folder, tmp_path):
    """Both download, decode and write at the same time; both are right, and so is what remains."""
    address, gate = f"http://127.0.0.1:{server.server_port}/slow/{{name}}", tmp_path / "gate"
    path = os.pathsep.join([str(Path(download.__file__).parents[2]), os.environ.get("PYTHONPATH", "")])
    command = [sys.executable, "-W", "error", small_cifar.__file__, address, CHECKSUM, str(gate)]
    environment = {**os.environ, "PYTHONPATH": path}
    running = [
        subprocess.Popen(command, env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        for _ in range(2)
    ]
    try:
        assert [process.stdout.readline() for process in running] == ["ready\n"] * 2
        gate.touch()
        for process in running:
            out, err = process.communicate(timeout=60)
            assert (process.returncode, out) == (0, "same\n"), err
    finally:
        for process in running:
            process.kill()
            process.communicate()
    assert server.asked == ["slow", "slow"]
    assert sorted(p.name for p in folder.iterdir()) == ["cifar-10-python.tar.gz", "cifar10.npy"]
    (folder / "cifar-10-python.tar.gz").unlink()
    assert small_cifar.same(collection.load(small_cifar.description(), cifar10.find))


def test_a_folder_that_cannot_be_made_is_named(tmp_path, monkeypatch):
    (tmp_path / "file").touch()
    monkeypatch.setenv("SCRATCHNET_DATA", str(tmp_path / "file" / "data"))
    monkeypatch.setattr(cifar10, "DESCRIPTION", small_cifar.description("http://127.0.0.1:9/{name}"))
    with pytest.raises(OSError, match=r"cifar-10-python.tar.gz needs the folder .*data.*Set SCRATCHNET_DATA"):
        cifar10.load_data()


def test_a_full_disk_is_not_the_mirror_s_fault(server, folder, monkeypatch):
    serve(server, monkeypatch, "good", "missing")

    def fail(*arguments, **named):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(pooch, "retrieve", fail)
    with pytest.raises(OSError, match=r"cannot be written to .*No space left.*SCRATCHNET_DATA"):
        cifar10.load_data()
    assert server.asked == []


def test_the_folder_is_the_user_s_own_where_none_is_chosen(monkeypatch):
    for value in (None, ""):
        monkeypatch.delenv("SCRATCHNET_DATA", raising=False)
        if value is not None:
            monkeypatch.setenv("SCRATCHNET_DATA", value)
        assert download.data_folder() == pooch.os_cache("scratchnet")
    monkeypatch.setenv("SCRATCHNET_DATA", "~/sets")
    assert download.data_folder() == Path.home() / "sets"


def test_every_file_has_mirrors_and_a_checksum():
    modules = (cifar10, cifar100, fashion_mnist, mnist)
    for file in (file for module in modules for file in module.DESCRIPTION.files):
        assert len(file.addresses()) >= 3
        assert all(file.name in address for address in file.addresses())
        kind, digits = file.checksum.split(":")
        assert len(digits) == 2 * hashlib.new(kind).digest_size
