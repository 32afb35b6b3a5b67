from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.dataset
import pyarrow.parquet
import pytest
from PIL import Image

import rays
from dogmood.cluster.claim import alone_in
from dogmood.cluster.connection import ClusterError, connected, slots
from dogmood.cluster.places import Folder, photos_at
from dogmood.cluster.run import prepare, read_shards
from dogmood.cluster.shards import Shards
from dogmood.cluster.worker import Job, ShardReader
from pictures import encoded
from rays import cluster

__all__ = ["cluster"]

pytest.importorskip("ray.data", reason="the cluster extra is not installed")
pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="looks for workers in /proc")

PER_SHARD = 4


@pytest.fixture
def photos(bull_mastiff: Path, tmp_path: Path) -> Path:
    """A folder of small photos of one dog, every fifth one unreadable."""
    return fill(tmp_path / "in", bull_mastiff, 24)


def fill(folder: Path, photo: Path, count: int) -> Path:
    folder.mkdir()
    with Image.open(photo) as image:
        small = encoded(image.resize((144, 144)), "JPEG")
    for i in range(count):
        (folder / f"{i:03d}.jpg").write_bytes(b"woof" if i % 5 == 3 else small)
    return folder


def command(address: str, photos: object, out: object, *more: str) -> list[str]:
    words = ["read", str(photos), "--cluster", address, "--out", str(out), "--model", "fast", *more]
    return [sys.executable, "-m", "dogmood", *words]


def table_of(out: Path) -> pa.Table:
    return pyarrow.dataset.dataset(out).to_table().sort_by("source")


def ordinary(photos: Path, tmp_path: Path) -> pa.Table:
    one = tmp_path / "one.parquet"
    words = ["read", str(photos), "--out", str(one), "--model", "fast", "--quiet"]
    subprocess.run([sys.executable, "-m", "dogmood", *words], check=True, stderr=subprocess.DEVNULL)
    return pyarrow.parquet.read_table(one).sort_by("source")


def read_here(cluster: Any, photos: Path, out: Path, resume: bool = False, on_shard: Callable[[], None] = str) -> int:
    """Read on the cluster from this process; return how many photos were read."""
    job = Job((str(photos),), str(out), "fast")
    sources, _ = photos_at(job.places)
    read = 0
    with connected(cluster.address) as ray, alone_in(Folder(job.out)):
        plan = prepare(job, sources, resume, slots(ray, 1), PER_SHARD)
        for done in read_shards(ray, plan, 2):
            read += len(done.shard.sources)
            on_shard()
    return read


def worker_at_work(out: Path) -> Any:
    """Return the number of a worker's process that has begun a shard, and not ended it."""
    for begun in (out / "_begun").glob("*.json"):
        with suppress(OSError, ValueError):
            return json.loads(begun.read_text())["process"]
    return None


def assert_all_there(out: Path, photos: Path) -> None:
    assert table_of(out)["source"].to_pylist() == sorted(str(photo) for photo in photos.iterdir())
    assert (out / "_SUCCESS").exists()
    assert {path.name for path in out.iterdir() if path.name.startswith(("_", "."))} == {
        "_SUCCESS",
        "_plan",
        "_run.json",
    }


def assert_same_page(out: Path, one: Path) -> None:
    """The page about a folder of shards is that about one file of the same readings, but for rounding."""
    for readings in (out, one):
        words = [sys.executable, "-m", "dogmood", "report", str(readings)]
        told = subprocess.run(words, capture_output=True, text=True, check=False)
        assert (told.returncode, told.stderr) == (0, "")
        assert told.stdout == f"{out.with_name(readings.stem)}.html: open it in a browser\n"
    # Counts and reasons, which stand outside of drawings and of figures with a point.
    pages = [readings.with_suffix(".html").read_text("utf-8") for readings in (out, one)]
    plain = [re.sub(r'src="[^"]*"|\d+(\.\d+)?%', "", page.replace("one.parquet", "out")) for page in pages]
    assert plain[0] == plain[1]


def test_two_nodes_give_what_one_machine_gives_and_go_on_where_they_stopped(
    cluster: Any, photos: Path, bull_mastiff: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    done = subprocess.run(command(cluster.address, photos, out), capture_output=True, text=True, check=False)
    assert done.returncode == 0
    assert "24 photos: " in done.stdout
    assert "5 unreadable" in done.stdout
    assert f"Written to {out}." in done.stdout
    # A sentence for each photo that cannot be read, and nothing of Ray's.
    assert len(done.stderr.splitlines()) == 5
    assert all("is not a picture that can be read" in line for line in done.stderr.splitlines())
    table, one = table_of(out), ordinary(photos, tmp_path)
    assert_all_there(out, photos)
    for shard in out.glob("*.parquet"):
        assert pyarrow.parquet.read_schema(shard).equals(pyarrow.parquet.read_schema(tmp_path / "one.parquet"))
    assert table.drop_columns("probability").select(["source", "status", "reason", "width", "dogs"]) == one.select(
        ["source", "status", "reason", "width", "dogs"]
    )
    for row, same in zip(table.to_pylist(), one.to_pylist(), strict=True):
        assert {k: pytest.approx(v, abs=2e-4) if isinstance(v, float) else v for k, v in same.items()} == row

    assert_same_page(out, tmp_path / "one.parquet")

    before = {path.name: path.stat().st_mtime_ns for path in out.glob("*.parquet")}
    again = subprocess.run(command(cluster.address, photos, out), capture_output=True, text=True, check=False)
    assert (again.returncode, again.stdout) == (2, "")
    assert again.stderr == f"{out} was begun already: add --resume to go on with it, or name another.\n"
    (photos / "new.jpg").write_bytes((photos / "000.jpg").read_bytes())
    (out / "readings-000001.parquet").unlink()
    more = subprocess.run(
        command(cluster.address, photos, out, "--resume"), capture_output=True, text=True, check=False
    )
    assert more.returncode == 0
    lost = 24 // 8
    assert f"{lost + 1} photos: " in more.stdout
    assert f"{24 - lost} of the photos and videos had been read before." in more.stdout
    assert_all_there(out, photos)
    after = {path.name: path.stat().st_mtime_ns for path in out.glob("*.parquet")}
    assert {name for name, when in after.items() if before.get(name) == when} == before.keys() - {
        "readings-000001.parquet"
    }


@pytest.mark.parametrize("more", [[], ["--resume"]], ids=["anew", "resume"])
def test_a_second_run_on_the_folder_is_told_and_tears_nothing(
    cluster: Any, photos: Path, tmp_path: Path, more: list[str]
) -> None:
    out = tmp_path / "out"
    with subprocess.Popen(command(cluster.address, photos, out), stderr=subprocess.DEVNULL) as first:
        rays.awaited(lambda: next(out.glob("readings-*.parquet"), None))
        first.send_signal(signal.SIGSTOP)
        try:
            second = subprocess.run(
                command(cluster.address, photos, out, *more), capture_output=True, text=True, check=False
            )
        finally:
            first.send_signal(signal.SIGCONT)
    assert (second.returncode, second.stdout) == (2, "")
    assert second.stderr == f"Another run is at work in {out}: wait for it, or stop it.\n"
    assert first.returncode == 0
    assert_all_there(out, photos)


def test_a_worker_killed_in_the_middle_loses_nothing(cluster: Any, photos: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    with subprocess.Popen(command(cluster.address, photos, out, "--quiet"), stderr=subprocess.PIPE) as running:
        killed = rays.awaited(lambda: worker_at_work(out))
        os.kill(killed, signal.SIGKILL)
        _, err = running.communicate()
    assert running.returncode == 0
    assert len(err.splitlines()) == 5
    assert_all_there(out, photos)


def test_a_node_lost_in_the_middle_loses_nothing(cluster: Any, photos: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    with subprocess.Popen(command(cluster.address, photos, out, "--quiet"), stderr=subprocess.DEVNULL) as running:
        process = rays.awaited(lambda: worker_at_work(out))
        cluster.remove_node(rays.node_of(cluster, process), allow_graceful=False)
        running.wait()
    rays.add_node(cluster)
    assert running.returncode == 0
    assert_all_there(out, photos)


def test_a_run_that_is_killed_itself_goes_on(cluster: Any, photos: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    with subprocess.Popen(command(cluster.address, photos, out), stderr=subprocess.DEVNULL) as running:
        rays.awaited(lambda: next(out.glob("readings-*.parquet"), None))
        running.send_signal(signal.SIGKILL)
    for shard in out.glob("readings-*.parquet"):
        pyarrow.parquet.read_table(shard)
    read = read_here(cluster, photos, out, resume=True)
    assert 0 < read < 24
    assert_all_there(out, photos)


def test_ctrl_c_keeps_what_is_finished_and_says_how_to_go_on(cluster: Any, photos: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    with subprocess.Popen(command(cluster.address, photos, out), stderr=subprocess.PIPE, text=True) as running:
        rays.awaited(lambda: next(out.glob("readings-*.parquet"), None))
        running.send_signal(signal.SIGINT)
        _, err = running.communicate()
    assert running.returncode == 130
    assert err.splitlines()[-1] == ("Stopped: finished shards are kept; the same command with --resume goes on.")
    assert "Traceback" not in err
    assert read_here(cluster, photos, out, resume=True) < 24
    assert_all_there(out, photos)


def test_a_model_file_need_not_be_where_the_workers_are(cluster: Any, photos: Path, tmp_path: Path) -> None:
    from dogmood.bundle import SHIPPED

    model = tmp_path / "mine.dogmood"
    model.write_bytes((SHIPPED / "fast.dogmood").read_bytes())
    job = Job((str(photos),), str(tmp_path / "out"), str(model))
    with connected(cluster.address) as ray:
        plan = prepare(job, [str(photos / "000.jpg")], False, 1)
        model.unlink()
        assert len(list(read_shards(ray, plan, 1))) == 1
    assert table_of(tmp_path / "out").num_rows == 1


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"out": "nowhere"}, "does not see the folder .*nowhere: name one that all machines share"),
        ({"run": "another"}, "does not see the folder"),
        ({"places": ("/no/such/place",)}, "does not see /no/such/place"),
        ({"places": ("in",), "start": "/no/such/start"}, "does not see the folder /no/such/start, from which"),
        ({"version": "0.0.0"}, "install the same"),
        ({"sha256": "0"}, "has another model"),
    ],
    ids=str,
)
def test_a_worker_that_cannot_work_says_why(photos: Path, tmp_path: Path, changed: dict[str, Any], words: str) -> None:
    from dataclasses import replace

    job = prepare(Job((str(photos),), str(tmp_path / "out"), "fast"), ["a.jpg"], False, 1).job
    changed = {key: str(tmp_path / value) if key == "out" else value for key, value in changed.items()}
    answer = json.loads(ShardReader(replace(job, **changed))({"shard": [0], "sources": ['["a.jpg"]']})["answer"][0])
    assert re.search(words, answer["problem"])
    assert not list((tmp_path / "out").glob("*.parquet"))


def test_what_stops_a_worker_stops_the_run_in_one_sentence(cluster: Any, photos: Path, tmp_path: Path) -> None:
    from dataclasses import replace

    with connected(cluster.address) as ray:
        plan = prepare(Job((str(photos),), str(tmp_path / "out"), "fast"), ["a.jpg"], False, 1)
        with pytest.raises(ClusterError, match="does not see /no/such/place"):
            list(read_shards(ray, replace(plan, job=replace(plan.job, places=("/no/such/place",))), 1))


def test_a_thread_that_was_being_started_when_ctrl_c_came_is_waited_for(cluster: Any) -> None:
    ended: list[bool] = []
    late = threading.Thread(target=lambda: ended.append(True), daemon=True)
    came = threading.Event()

    def start_late() -> None:
        came.wait()
        time.sleep(0.3)
        late.start()

    def interrupted() -> None:
        with connected(cluster.address):
            threading._limbo[late] = late  # type: ignore[attr-defined]  # where start() puts a thread first
            came.set()
            raise KeyboardInterrupt

    threading.Thread(target=start_late, daemon=True).start()
    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert ended == [True]


@pytest.fixture(scope="module")
def storage() -> Iterator[str]:
    """Storage that speaks S3, on this machine; what stands behind an address to reach it."""
    moto = pytest.importorskip("moto.server", reason="moto, which plays S3, is not installed")
    server = moto.ThreadedMotoServer(port=0, verbose=False)
    server.start()
    _, port = server.get_host_and_port()
    yield f"?endpoint_override=127.0.0.1:{port}&scheme=http&region=us-east-1"
    server.stop()


def test_photos_come_from_storage_and_readings_go_there(
    cluster: Any, storage: str, photos: Path, tmp_path: Path
) -> None:
    from pyarrow import fs

    system, _ = fs.FileSystem.from_uri(f"s3://key:secret@dogs{storage}&allow_bucket_creation=true")
    system.create_dir("dogs")
    with alone_in(Folder(f"s3://key:secret@dogs/taken{storage}")):
        words = command(cluster.address, photos, f"s3://key:secret@dogs/taken{storage}")
        second = subprocess.run(words, capture_output=True, text=True, check=False)
    assert (second.returncode, second.stdout) == (2, "")
    assert second.stderr == "Another run is at work in s3://dogs/taken: wait for it, or stop it.\n"
    for photo in photos.iterdir():
        with system.open_output_stream(f"dogs/in/{photo.name}") as file:
            file.write(photo.read_bytes())
    where = f"s3://key:secret@dogs/in{storage}", f"s3://key:secret@dogs/out/a{storage}"
    done = subprocess.run(command(cluster.address, *where), capture_output=True, text=True, check=False)
    assert done.returncode == 0
    assert "24 photos: " in done.stdout
    assert "Written to s3://dogs/out/a." in done.stdout
    assert "secret" not in done.stdout + done.stderr
    table = pyarrow.dataset.dataset("dogs/out/a", filesystem=system, format="parquet").to_table().sort_by("source")
    assert table["source"].to_pylist() == [f"s3://dogs/in/{photo.name}" for photo in sorted(photos.iterdir())]
    assert table["status"].to_pylist().count("unreadable") == 5
    names = {info.base_name for info in system.get_file_info(fs.FileSelector("dogs/out/a"))}
    assert {name for name in names if not name.startswith("readings-")} == {"_SUCCESS", "_plan", "_run.json"}
    with system.open_input_stream("dogs/out/a/_run.json") as file:
        assert b"secret" not in file.read()
    assert Shards(Folder(where[1])).finished() == set(range(8))
    words = [sys.executable, "-m", "dogmood", "report", where[1]]
    told = subprocess.run(words, capture_output=True, text=True, check=False, cwd=tmp_path)
    assert (told.returncode, told.stdout, told.stderr) == (0, "a.html: open it in a browser\n", "")
    page = (tmp_path / "a.html").read_text("utf-8")
    assert "a: what the dogs showed" in page
    assert "s3://dogs/in/003.jpg" in page
