"""The image is built from a clean tree and run: what `docker build` and `docker run` do elsewhere."""

import os
import re
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import urlopen

import pytest

from tests.container import tools
from tests.container.image import ROOT, Container, Image, NotToBeHad, built, container

PATIENCE_S = 60.0
USER_ID = 10001


@pytest.mark.image
@pytest.mark.skipif(bool(tools.lacking()), reason=tools.lacking())
def test_the_image_is_built_and_a_demo_runs_in_it_without_root(tmp_path: Path) -> None:
    with here(), built() as image, container(image) as box:
        print(f"built in {image.seconds:.0f} s; its files take {box.size_mb():.0f} MB")
        assert image.config["Entrypoint"] == ["tini", "--", "callcrm"]
        assert "Usage: callcrm" in box.do("callcrm", "--help")
        assert box.do("id", "-u").strip() == str(USER_ID)
        begun = time.time()
        with demo(box, image, tmp_path / "said") as url:
            assert fetch(url + "/healthz")
            assert ready(url + "/readyz")
            page = fetch(url + "/").decode()
            assert 'type="password"' in page
            bundled = re.findall(r'(?:src|href)="(/static/\w+-\w+\.(?:js|css))', page)
            assert bundled
            assert all(fetch(url + path) for path in bundled)
            assert box.do(*healthcheck(image, url)) == ""
        assert written_outside_data(box.files, begun) == []


@pytest.mark.image
@pytest.mark.skipif(not shutil.which("docker-compose"), reason="There is no docker-compose here.")
def test_the_compose_file_is_understood() -> None:
    words = ["docker-compose", "--profile", "demo", "config", "--services"]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert set(done.stdout.split()) == {"callcrm", "postgres", "proxy", "demo"}


@contextmanager
def here() -> Iterator[None]:
    """Skips when the machine cannot fetch what the image is made of."""
    try:
        yield
    except NotToBeHad as error:
        pytest.skip(str(error))


@contextmanager
def demo(box: Container, image: Image, said: Path) -> Iterator[str]:
    """The demo's URL once it greets; ended as an engine ends it, which must be clean."""
    words = [*image.config["Entrypoint"], "demo", "--data", "data/demo", "--web-port", "0", "--push-port", "0"]
    with said.open("wb") as out:
        process = subprocess.Popen(box.command(*words), stdout=out, stderr=subprocess.STDOUT, cwd="/")
    try:
        yield greeted(said, process)
        os.kill(init_of(process.pid), signal.SIGTERM)
        assert process.wait(PATIENCE_S) == 0, said.read_text()
        assert "Traceback" not in said.read_text()
    finally:
        if process.poll() is None:
            for pid in (*descendants(process.pid), process.pid):
                os.kill(pid, signal.SIGKILL)
            process.wait()


def greeted(said: Path, process: "subprocess.Popen[bytes]") -> str:
    """Waits for the line with the URL."""
    end = time.monotonic() + PATIENCE_S
    while time.monotonic() < end and process.poll() is None:
        if found := re.search(r"callcrm is at http://[^:]+:(\d+)", said.read_text()):
            return f"http://127.0.0.1:{found[1]}"
        time.sleep(0.1)
    raise AssertionError(f"The demo did not greet:\n{said.read_text()}")


def descendants(pid: int) -> list[int]:
    """The processes below one, the youngest first."""
    parents = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            parents[int(stat.parent.name)] = int(stat.read_text().rpartition(")")[2].split()[1])
        except OSError:
            continue
    below = [child for child, parent in parents.items() if parent == pid]
    return [*(deeper for child in below for deeper in descendants(child)), *below]


def init_of(pid: int) -> int:
    """The process that an engine would send its signals to: the entry point's first word."""
    return next(p for p in descendants(pid) if Path(f"/proc/{p}/comm").read_text().strip() == "tini")


def fetch(url: str) -> bytes:
    """The body of a page that is there; anything but success raises."""
    with urlopen(url, timeout=PATIENCE_S) as answer:
        return bytes(answer.read())


def ready(url: str) -> bool:
    """Waits until the demo is linked with its PBX, which may be a moment after it greets."""
    end = time.monotonic() + PATIENCE_S
    while time.monotonic() < end:
        try:
            return bool(fetch(url))
        except HTTPError as error:
            assert error.code == 503
        time.sleep(0.1)
    return False


def healthcheck(image: Image, url: str) -> list[str]:
    """The image's own health check, on this demo's port."""
    kind, *words = image.config["Healthcheck"]["Test"]
    assert kind == "CMD"
    return [word.replace(":8080/", f":{url.rpartition(':')[2]}/") for word in words]


def written_outside_data(files: Path, begun: float) -> list[Path]:
    """What its user wrote where a container whose files are read-only could not; /tmp is given to it besides."""
    found = []
    for folder, folders, names in os.walk(files):
        folders[:] = [name for name in folders if Path(folder, name) not in (files / "tmp", files / "proc")]
        for path in (Path(folder, name) for name in names):
            status = path.lstat()
            if status.st_uid == USER_ID and status.st_mtime >= begun - 1:
                found.append(path.relative_to(files))
    return [path for path in found if not path.is_relative_to("var/lib/callcrm/data")]
