"""A real PostgreSQL on loopback, of Debian's package."""

import os
import pwd
import secrets
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

PASSWORD = "s3cr@t"


def _program(name: str) -> str:
    """Debian keeps the server's programs off PATH, a folder a version."""
    found = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"))
    if not (program := shutil.which(name) or (str(found[-1]) if found else "")):
        pytest.skip(f"needs PostgreSQL's {name} (apt-get install postgresql)")
    return program


def _user() -> dict[str, object]:
    """PostgreSQL refuses to run as root; its package brings a user for it."""
    if os.getuid():
        return {}
    try:
        entry = pwd.getpwnam("postgres")
    except KeyError:
        pytest.skip("needs the user postgres, where tests run as root (apt-get install postgresql)")
    return {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """host:port of a server with the superuser lookbook, who has a password."""
    initdb, program, user = _program("initdb"), _program("postgres"), _user()
    with tempfile.TemporaryDirectory(prefix="lookbook-pg-") as folder, socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
        home = Path(folder)
        (home / "password").write_text(PASSWORD)
        if user:
            for path in (home, home / "password"):
                os.chown(path, user["user"], user["group"])  # type: ignore[arg-type]
        options = {"cwd": folder, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, **user}
        made = [initdb, "-D", f"{folder}/data", "-U", "lookbook", "-A", "scram-sha-256", f"--pwfile={folder}/password"]
        subprocess.run([*made, "--no-sync"], check=True, **options)  # type: ignore[call-overload]
        free.close()
        command = [program, "-D", f"{folder}/data", "-h", "127.0.0.1", "-p", str(port), "-k", folder, "-F"]
        with subprocess.Popen(command, **options) as server:  # type: ignore[call-overload]
            _until_it_listens(port, server)
            yield f"127.0.0.1:{port}"
            server.terminate()


def _until_it_listens(port: int, server: "subprocess.Popen[bytes]") -> None:
    for _ in range(600):
        assert server.poll() is None
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise AssertionError("PostgreSQL did not listen")


@pytest.fixture
def database(postgres: str) -> str:
    """URL of a database that is not there yet."""
    return f"postgresql://lookbook:s3cr%40t@{postgres}/runs_{secrets.token_hex(4)}"
