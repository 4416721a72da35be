"""Uris become local files: folders, globs and object stores (a real S3 server), within bounded scratch."""

from __future__ import annotations

import fcntl
import os

import pytest
from chronotope.engine.media.container import MediaError
from chronotope.engine.media.fetch import Scratch, list_files, local_copy, stat
from chronotope.engine.media.hashing import media_id_of


@pytest.fixture(scope="module")
def bucket():
    """An S3 server with a few objects; its address in the environment."""
    import boto3
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer(port=0)
    server.start()
    host, port = server.get_host_and_port()
    url = f"http://{host}:{port}"
    wanted = {
        "AWS_ENDPOINT_URL": url, "AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_REGION": "us-east-1",
    }  # fmt: skip
    before = {k: os.environ.get(k) for k in wanted}
    os.environ.update(wanted)
    s3 = boto3.client("s3", endpoint_url=url, region_name="us-east-1")
    s3.create_bucket(Bucket="footage")
    for key in ("a.mp4", "day one/b c.mp4", "day one/deep/d.MOV", "day one/notes.txt", ".hidden/e.mp4"):
        s3.put_object(Bucket="footage", Key=key, Body=key.encode() * 100)
    yield "s3://footage"
    for key, value in before.items():
        os.environ.pop(key) if value is None else os.environ.update({key: value})
    server.stop()


def test_local_folders_globs_and_files(tmp_path):
    for name in ("b.mp4", "a.mp4", "sub/c.MKV", "sub/deep/d.mp4", "notes.txt", ".cache/x.mp4"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(name.encode())

    def names(pattern):
        return [f.uri.removeprefix(f"{tmp_path}/") for f in list_files(f"{tmp_path}/{pattern}")]

    assert names("") == ["a.mp4", "b.mp4", "sub/c.MKV", "sub/deep/d.mp4"]
    assert names("*.mp4") == ["a.mp4", "b.mp4"]
    assert names("**/*.mp4") == ["a.mp4", "b.mp4", "sub/deep/d.mp4"]
    assert names("notes.txt") == ["notes.txt"]
    assert names("*.avi") == []
    with pytest.raises(MediaError, match="no such file or folder"):
        names("missing.mp4")
    with Scratch(tmp_path / "s") as scratch, local_copy(f"{tmp_path}/a.mp4", scratch) as path:
        assert path == tmp_path / "a.mp4"
    assert stat(f"{tmp_path}/a.mp4")[0] == 5


def test_object_stores_list_stat_and_copy(bucket, tmp_path):
    names = [f.uri.removeprefix(f"{bucket}/") for f in list_files(bucket)]
    assert names == ["a.mp4", "day one/b c.mp4", "day one/deep/d.MOV"]
    assert [f.uri for f in list_files(f"{bucket}/day one/*.mp4")] == [f"{bucket}/day one/b c.mp4"]
    assert [f.uri[-5:] for f in list_files(f"{bucket}/**/*.mp4")] == ["a.mp4", "c.mp4"]
    assert [f.size for f in list_files(f"{bucket}/a.mp4")] == [500]
    uri = f"{bucket}/day one/b c.mp4"
    size, etag = stat(uri)
    assert (size, etag) == (1500, stat(uri)[1]) and int(etag) > 0
    with Scratch(tmp_path) as scratch:
        with local_copy(uri, scratch) as path:
            assert path.read_bytes() == b"day one/b c.mp4" * 100 and path.suffix == ".mp4"
            assert scratch.used_bytes == 1500
        assert not path.exists() and scratch.used_bytes == 0
    assert list(tmp_path.iterdir()) == []


def test_what_is_not_there_or_does_not_fit_is_said(bucket, tmp_path, monkeypatch):
    with pytest.raises(MediaError, match="no such object"):
        stat(f"{bucket}/missing.mp4")
    with pytest.raises(MediaError, match="no such object or folder"):
        list_files(f"{bucket}/missing")
    with pytest.raises(MediaError, match="no bucket nowhere"):
        list_files("s3://nowhere/*.mp4")
    with monkeypatch.context() as patch, pytest.raises(MediaError, match=r"does not give it.*AWS_ENDPOINT_URL"):
        patch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
        stat(f"{bucket}/a.mp4")
    scratch = Scratch(tmp_path, limit_bytes=1000)
    with pytest.raises(MediaError, match="scratch"), local_copy(f"{bucket}/day one/b c.mp4", scratch):
        pass
    scratch.close()


def test_scratch_of_a_killed_process_is_removed_and_of_a_living_one_kept(tmp_path):
    dead = tmp_path / "chronotope-scratch-dead"
    dead.mkdir()
    (dead / "lock").touch()
    (dead / "000001.mp4").write_bytes(b"left over")
    living = Scratch(tmp_path)
    other = Scratch(tmp_path)
    assert not dead.exists() and living.folder.exists() and other.folder.exists()
    with pytest.raises(OSError), (living.folder / "lock").open() as lock:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    living.close()
    other.close()


def test_the_identity_of_a_medium_is_its_content(tmp_path):
    for name, data in (("a", b"x" * 9_000_000), ("b", b"x" * 9_000_000), ("c", b"x" * 8_999_999 + b"y")):
        (tmp_path / name).write_bytes(data)
    a, b, c = (media_id_of(tmp_path / n) for n in "abc")
    assert a == b != c and len(a) == 20 and set(a) <= set("0123456789abcdef")
