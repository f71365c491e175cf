"""get_file: what comes from the network is checked, kept, and unpacked to its own folder only."""

import bz2
import gzip
import hashlib
import io
import lzma
import random
import shutil
import tarfile
import threading
import zipfile
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from small_cifar import tar, tar_gz

from scratchnet.utils import get_file, unpacking

PAYLOAD = b"some text\n" * 1000
SHA256, MD5 = hashlib.sha256(PAYLOAD).hexdigest(), hashlib.md5(PAYLOAD).hexdigest()


class Server(ThreadingHTTPServer):
    """Serves `files` by their names, and counts what is asked for."""

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.files, self.asked, self.length = {"text.txt": PAYLOAD, "{a} b.txt": PAYLOAD}, [], True

    def address(self, name):
        return f"http://127.0.0.1:{self.server_port}/deep/{name}?download=1"


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        name = self.path.split("/")[-1].partition("?")[0].replace("%20", " ").replace("%7B", "{").replace("%7D", "}")
        self.server.asked.append(name)
        data = self.server.files.get(name)
        if data is None:
            self.send_error(404)
            return
        self.send_response(200)
        if self.server.length:
            self.send_header("Content-Length", str(len(data) + (self.server.length == "more")))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *arguments):
        pass


@pytest.fixture
def server(tmp_path, monkeypatch):
    monkeypatch.setenv("SCRATCHNET_DATA", str(tmp_path))
    with Server() as made:
        thread = threading.Thread(target=made.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        yield made
        made.shutdown()
        thread.join()


PACKERS = {"gz": gzip.compress, "tgz": gzip.compress, "bz2": bz2.compress, "xz": lzma.compress, "tar": bytes}


def pack_zip(contents):
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in contents.items():
            archive.writestr(name, data)
    return packed.getvalue()


CONTENTS = {"pictures/a.txt": b"a", "pictures/deep/b.txt": b"b" * 5000, "c.txt": b""}


def unpacked(folder):
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("hashes", [{}, {"file_hash": SHA256}, {"file_hash": MD5.upper()}, {"md5_hash": MD5}])
@pytest.mark.parametrize("length", [True, False])
def test_a_file_is_asked_for_once(server, tmp_path, hashes, length):
    server.length = length
    for _ in range(2):
        path = get_file(origin=server.address("text.txt"), **hashes)
        assert path == str(tmp_path / "datasets" / "text.txt")
        assert (tmp_path / "datasets" / "text.txt").read_bytes() == PAYLOAD
    assert server.asked == ["text.txt"]
    get_file("text.txt", server.address("text.txt"), force_download=True, **hashes)
    assert server.asked == ["text.txt"] * 2


def test_where_and_under_which_name(server, tmp_path):
    path = get_file("other.md", server.address("{a} b.txt"), cache_subdir="here/there", cache_dir=tmp_path / "cache")
    assert path == str(tmp_path / "cache" / "here" / "there" / "other.md")
    assert get_file("x", server.address("text.txt"), cache_subdir=str(tmp_path / "own")) == str(tmp_path / "own" / "x")


def test_a_wrong_file_is_not_kept(server, tmp_path):
    with pytest.raises(ConnectionError, match=rf"No mirror gave text.txt \(sha256:{'0' * 64}\)(.|\n)*hash"):
        get_file(origin=server.address("text.txt"), file_hash="0" * 64)
    assert not list((tmp_path / "datasets").iterdir())
    with pytest.raises(ConnectionError, match=r"No mirror gave none.txt. Tried(.|\n)*404"):
        get_file(origin=server.address("none.txt"))
    (tmp_path / "datasets" / "text.txt").write_bytes(b"an older one")
    assert get_file(origin=server.address("text.txt")).endswith("text.txt")
    assert server.asked == ["text.txt", "none.txt"]  # without a hash nobody knows
    get_file(origin=server.address("text.txt"), file_hash=SHA256)
    assert (tmp_path / "datasets" / "text.txt").read_bytes() == PAYLOAD


def test_a_file_that_ends_early_is_not_kept(server, tmp_path):
    server.length = "more"
    with pytest.raises(ConnectionError, match=r"text\.txt"):
        get_file(origin=server.address("text.txt"))
    assert not list((tmp_path / "datasets").iterdir())


@pytest.mark.parametrize("name", ["x.tar.gz", "x.tgz", "x.tar.bz2", "x.tar.xz", "x.tar", "x.zip"])
@pytest.mark.parametrize(("fname", "kept", "folder"), [
    (None, "{}_archive", "{}"), ("x", "x_archive", "x"), ("x.y.z", "x.y.z", "x_extracted"),
])  # fmt: skip
def test_archives_are_unpacked_as_keras_names_it(server, tmp_path, name, fname, kept, folder):
    packer = PACKERS.get(name.split(".")[-1])

    def pack(contents):
        return pack_zip(contents) if packer is None else packer(tar(contents))

    server.files[name] = pack(CONTENTS)
    for _ in range(2):
        place = get_file(fname, server.address(name), extract=True)
        assert place == str(tmp_path / "datasets" / folder.format(name))
    assert unpacked(tmp_path / "datasets" / folder.format(name)) == CONTENTS
    assert sorted(path.name for path in (tmp_path / "datasets").iterdir()) == sorted(
        [kept.format(name), folder.format(name)]
    )
    assert server.asked == [name]
    server.files[name] = pack({"new.txt": b"n"})
    get_file(fname, server.address(name), extract=True, force_download=True)
    assert unpacked(tmp_path / "datasets" / folder.format(name)) == {**CONTENTS, "new.txt": b"n"}


def test_untar_and_formats(server, tmp_path):
    server.files.update({"a.zip": pack_zip(CONTENTS), "a.tar": tar_gz(CONTENTS)})
    assert unpacked(tmp_path / "datasets" / "t") == {}
    get_file("t", server.address("a.tar"), untar=True)
    assert unpacked(tmp_path / "datasets" / "t") == CONTENTS
    get_file("u", server.address("a.zip"), extract=True, archive_format=["tar", "zip"])
    assert unpacked(tmp_path / "datasets" / "u") == CONTENTS
    for named in ({"untar": True}, {"extract": True, "archive_format": "tar"}):
        with pytest.raises(ValueError, match=r"v_archive is no archive that can be unpacked.*Read are: tar"):
            get_file("v", server.address("a.zip"), **named)
    with pytest.raises(ValueError, match=r"w_archive is no archive"):
        get_file("w", server.address("text.txt"), extract=True)


OUTSIDE = ["../x.txt", "a/../../x.txt", "/x.txt", "a\\..\\..\\x.txt", "C:\\x.txt", "a:stream"]


@pytest.mark.parametrize("name", OUTSIDE)
@pytest.mark.parametrize("pack", [tar_gz, pack_zip])
def test_nothing_is_written_outside(server, tmp_path, name, pack):
    server.files["x"] = pack({"good.txt": b"1", name: b"2"})
    with pytest.raises(ValueError, match=r"x_archive: the member .* would lie outside of the folder"):
        get_file("x", server.address("x"), extract=True)
    assert [path.name for path in tmp_path.rglob("*")] == ["datasets", "x_archive"]


def test_links_and_devices_are_left_out(server, tmp_path):
    contents = {"good.txt": b"1"}
    for kind in (tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.FIFOTYPE):
        entry = tarfile.TarInfo(f"link{kind.decode()}")
        entry.type, entry.linkname = kind, "/etc/hostname"
        contents[entry.name] = entry
    server.files["x"] = tar_gz(contents)
    with pytest.warns(UserWarning, match=r"x_archive: link. is a link or a device, and left out"):
        get_file("x", server.address("x"), extract=True)
    assert unpacked(tmp_path / "datasets" / "x") == {"good.txt": b"1"}


@pytest.mark.parametrize("pack", [tar_gz, pack_zip])
def test_an_archive_that_would_fill_the_disk(server, tmp_path, monkeypatch, pack):
    monkeypatch.setattr(unpacking, "ROOM", 100_000)
    server.files["x"] = pack({"zeros": bytes(3_000_000)})
    with pytest.raises(ValueError, match=r"x_archive: unpacks to more than [\d,]+ bytes"):
        get_file("x", server.address("x"), extract=True)
    monkeypatch.setattr(unpacking, "FILES", 2)
    server.files["y"] = pack({str(i): b"" for i in range(3)})
    with pytest.raises(ValueError, match=r"y_archive: has over 2 members"):
        get_file("y", server.address("y"), extract=True)
    assert sorted(path.name for path in (tmp_path / "datasets").iterdir()) == ["x_archive", "y_archive"]


def test_a_header_that_would_fill_the_memory(server):
    for kind in (tarfile.XHDTYPE, tarfile.GNUTYPE_LONGNAME):
        header = tarfile.TarInfo("large")
        header.type, header.size = kind, 1 << 30
        server.files["x"] = gzip.compress(header.tobuf(tarfile.GNU_FORMAT) + bytes(1 << 20))
        with pytest.raises(ValueError, match="x_archive is no archive"):
            get_file("x", server.address("x"), extract=True, force_download=True)


@pytest.mark.parametrize("pack", [tar_gz, pack_zip])
def test_damage_is_a_value_error_and_leaves_nothing(server, tmp_path, pack):
    whole = pack({f"{i}.bin": bytes(range(256)) * 40 for i in range(20)})
    draw, refused = random.Random(0), 0
    path, folder = tmp_path / "x", tmp_path / "folder"
    for number in range(60):
        data = bytearray(whole[: draw.randrange(len(whole))] if number % 2 else whole)
        for _ in range(3):
            if data:
                data[draw.randrange(len(data))] = draw.randrange(256)
        path.write_bytes(data)
        try:
            unpacking.unpack(path, folder, ("tar", "zip"))
        except ValueError as error:
            refused += 1
            said = str(error)
            left = folder.exists()
        else:
            said, left = str(path), False
            shutil.rmtree(folder)
        assert str(path) in said
        assert not left
        assert not list(tmp_path.glob(".*"))
    assert refused > 30


@pytest.mark.parametrize(
    ("named", "message"),
    [
        ({"origin": None}, "expected origin to be an address, http or https, got None"),
        ({"origin": "file:///etc/passwd"}, "expected origin to be an address"),
        ({"origin": "http://127.0.0.1:9/"}, "expected origin to end in a file's name.*Give fname"),
        ({"fname": "../x"}, "a file's name without folders, got '../x'"),
        ({"fname": ".."}, "a file's name without folders"),
        ({"fname": "a\\b"}, "a file's name without folders"),
        ({"origin": "http://127.0.0.1:9/a/%2e%2e/.."}, "a file's name without folders"),
        ({"file_hash": "abc"}, "SHA-256 of 64 hexadecimal digits or an MD5 of 32, got 'abc'"),
        ({"file_hash": "g" * 64}, "hexadecimal digits"),
        ({"file_hash": SHA256, "hash_algorithm": "md5"}, "hexadecimal digits"),
        ({"file_hash": SHA256, "hash_algorithm": "crc"}, "unknown hash_algorithm 'crc'"),
        ({"extract": True, "archive_format": "rar"}, "expected archive_format"),
        ({"extract": True, "archive_format": None}, "expected archive_format"),
    ],
)
def test_bad_arguments(server, named, message):
    with pytest.raises(ValueError, match=f"get_file: .*{message}"):
        get_file(**{"origin": server.address("text.txt"), **named})
    assert not server.asked
