"""The page in a real browser against the real service: real data, a real (hastily trained) model.

Runs the page's own end-to-end suite (`web/e2e`) with its address set. Skipped, by name, where a part is not installed.
"""

import json
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from gars.datasets.build import build_sample
from gars.entrypoints.api.page import FOLDER
from gars.entrypoints.cli.train import train_on
from gars.library.fit_config import FitConfig
from gars.library.registry import Registry
from gars.ranking.mlp import RankingConfig
from gars.retrieval.retriever import RetrievalConfig
from gars.runtime.progress import Silent
from gars_test_support.server import ServerProcess

ROOT = Path(__file__).parents[2]
OPERATOR = "the operator of this test"
HASTY = FitConfig(
    folds=2,
    repeats=1,
    max_ranking_users=800,
    retrieval=RetrievalConfig(walks_per_node=5, epochs=1, dim=64),
    ranking=RankingConfig(epochs=3),
)

pytestmark = [pytest.mark.browser, pytest.mark.sample, pytest.mark.slow, pytest.mark.timeout(2400)]


READER = "mina"


class AniList(BaseHTTPRequestHandler):
    """Answers as AniList does: ``READER`` has a public list of twelve titles, others have none."""

    watched = (1535, 5114, 16498, 1575, 2904, 11061, 9253, 30276, 19815, 6547, 4224, 10620)

    def do_POST(self) -> None:
        name = json.loads(self.rfile.read(int(self.headers["content-length"])))["variables"]["name"]
        entries = [
            {"status": "COMPLETED", "score": 8 + n % 3, "updatedAt": 1_700_000_000 + n, "media": {"id": n, "idMal": n}}
            for n in self.watched
        ]
        options = {"mediaListOptions": {"scoreFormat": "POINT_10"}}
        collection = {"hasNextChunk": False, "user": options, "lists": [{"entries": entries}]}
        body = json.dumps({"data": {"MediaListCollection": collection}}).encode()
        self.send_response(200 if name == READER else 404)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None: ...


@pytest.fixture(scope="module")
def anilist() -> Iterator[str]:
    """Return the address of a stand-in for AniList."""
    with ThreadingHTTPServer(("127.0.0.1", 0), AniList) as site:
        thread = threading.Thread(target=site.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{site.server_port}"
        site.shutdown()
        thread.join()


@pytest.fixture(scope="module")
def address(mirror: Path, anilist: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A service on a free port."""
    home = tmp_path_factory.mktemp("home")
    dataset = build_sample(home, mirror=mirror, progress=Silent())
    registry = Registry(home / "models")
    registry.promote(train_on(dataset, registry, config=HASTY, seed=0, progress=Silent()).version)
    command = [sys.executable, "-c", "from gars.entrypoints.cli.app import main; main()", "serve", "--port", "0"]
    environment = {"GARS_ADMIN_TOKEN": OPERATOR, "GARS_ANILIST_URL": anilist}
    server = ServerProcess([*command, "--home", str(home)], environment=environment)
    yield server.address
    assert server.stop() == 0, server.output


@pytest.fixture(scope="module")
def npm() -> str:
    """Return npm if the page's packages and a Chromium are installed."""
    program = shutil.which("npm")
    if program is None or not (ROOT / "web" / "node_modules").is_dir():
        pytest.skip("npm and the page's packages are not installed: make page")
    if not (FOLDER / "index.html").is_file():
        pytest.skip("the page is not built: make page")
    browsers = ("chromium", "chromium-browser", "google-chrome")
    if "CHROMIUM" not in os.environ and not any(map(shutil.which, browsers)):
        pytest.skip(f"no browser: none of {', '.join(browsers)} is installed and CHROMIUM is not set")
    return program


def test_the_page_end_to_end(npm: str, address: str) -> None:
    done = subprocess.run(
        [npm, "run", "e2e"],
        cwd=ROOT / "web",
        env={**os.environ, "GARS_URL": address, "GARS_ADMIN_TOKEN": OPERATOR, "GARS_LIST_NAME": READER},
        capture_output=True,
        text=True,
        timeout=1800,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr[-2000:]
    assert "# fail 0" in done.stdout or "ℹ fail 0" in done.stdout
