"""The note that says where the private Redis is, and rings that are waited for."""

import socket
from pathlib import Path

from pirunner import broker_note
from pirunner.doorbell import Doorbell, Ring


def test_a_note_is_read_while_its_socket_is_there(tmp_path: Path):
    (tmp_path / "run").mkdir()
    address = tmp_path / "redis.sock"
    url = f"redis+socket://{address}"
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(address))
        broker_note.write(tmp_path, url)
        assert broker_note.read(tmp_path) == url

    address.unlink()
    assert broker_note.read(tmp_path) == ""


def test_no_note_is_no_address(tmp_path: Path):
    broker_note.write(tmp_path / "nowhere", "redis+socket:///x")
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "broker").write_text("redis://elsewhere.example")

    assert broker_note.read(tmp_path / "nowhere") == ""
    assert broker_note.read(tmp_path) == ""
    broker_note.remove(tmp_path)
    assert not (tmp_path / "run" / "broker").exists()


def test_a_process_that_ends_soon_waits_for_its_rings():
    published: list[Ring] = []
    bell = Doorbell(published.append, lambda _: 0)
    assert bell.drain(0.0)

    bell._rings.put_nowait(Ring("jobs.ping", 7, "jobs"))

    assert not bell.drain(0.02)
    Doorbell.ring(bell, [])
    assert bell.drain(5.0)
    assert [ring.row_id for ring in published] == [7]
