import io

import pytest

from timbrelib.audio import progress


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("stderr", "delay", "shown"), [(Terminal(), 0.0, True), (Terminal(), 60.0, False), (io.StringIO(), 0.0, False)]
)
def test_a_bar_appears_only_in_a_terminal_and_only_if_it_takes_long(monkeypatch, stderr, delay, shown):
    monkeypatch.setattr("sys.stderr", stderr)
    monkeypatch.setattr(progress, "DELAY", delay)
    assert list(progress.progress(range(3), "tracking the pitch")) == [0, 1, 2]
    assert ("tracking the pitch" in stderr.getvalue()) == shown
