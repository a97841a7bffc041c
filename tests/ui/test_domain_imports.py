"""What the pages of domains load."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import ui

_LOADED = """
import os
import sys
from streamlit.testing.v1 import AppTest
from ui import access
access.sent_token = lambda: os.environ["ORGANON_UI_TOKEN"]
page = AppTest.from_file(sys.argv[1], default_timeout=30)
page.run()
page.switch_page("views/domains.py").run()
assert page.dataframe, page
page.query_params["domain"] = "structural-causal"
page.run()
assert page.latex, page
del page.query_params["domain"]
page.query_params["new"] = "1"
page.run()
assert page.text_area("draft.text"), page
assert not page.exception, page.exception
heavy = ("torch", "meta_learner", "scipy.stats", "domains.compiler")
print(*sorted(name for name in sys.modules if name in heavy))
"""


def test_the_pages_of_domains_load_neither_torch_nor_the_science(write: Any) -> None:
    app = str(Path(ui.__file__).parent / "app.py")

    done = subprocess.run([sys.executable, "-c", _LOADED, app], capture_output=True, text=True, timeout=90, check=False)

    assert done.returncode == 0, done.stderr
    assert set(done.stdout.split()) <= {"meta_learner"}  # its cards of agents
