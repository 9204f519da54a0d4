"""Our own API against its own description: schemathesis asks whatever the document allows, and what it
forbids, and compares each answer with what the document promises.

Deterministic: the same questions in every run.
"""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

# Left out: a cursor, a login code, an app or a URL can be valid by its schema and still name nothing.
LEFT_OUT = "positive_data_acceptance"


@pytest.fixture
def backend(tmp_path):
    """`suanpan dev` in a directory of its own; its ready line."""
    binary = os.environ.get("SUANPAN_BIN")
    assert binary, "set SUANPAN_BIN to the suanpan binary (scripts/check interop does)"
    arguments = ["dev", "--data", tmp_path, "--listen", "127.0.0.1:0", "--simulator-listen", "127.0.0.1:0"]
    with open(tmp_path / "talk.log", "wb") as talk:
        process = subprocess.Popen([binary, *arguments], stdout=subprocess.PIPE, stderr=talk)
    try:
        line = process.stdout.readline()
        assert line, f"it did not start:\n{(tmp_path / 'talk.log').read_text()}"
        yield json.loads(line)
    finally:
        process.terminate()
        process.wait(timeout=30)


def test_every_answer_is_one_that_the_document_promises(backend, tmp_path):
    schemathesis = Path(sys.executable).with_name("schemathesis")
    asked = subprocess.run(
        [
            schemathesis, "run", f"{backend['url']}/openapi.json",
            "--header", f"Authorization: Bearer {backend['api_key']}",
            "--checks", "all", "--exclude-checks", LEFT_OUT,
            "--phases", "examples,coverage,fuzzing", "--max-examples", "8",
            "--generation-deterministic", "--continue-on-failure", "--workers", "1", "--no-color",
        ],
        cwd=tmp_path, capture_output=True, text=True, timeout=300, check=False,
    )
    assert asked.returncode == 0, asked.stdout + asked.stderr
    # It did ask: a document that promises nothing would leave nothing to complain of.
    made, kept = map(int, re.search(r"(\d+) generated, (\d+) passed", asked.stdout).groups())
    assert 500 < made == kept, asked.stdout
