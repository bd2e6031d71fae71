from __future__ import annotations

import os

import pytest
from hypothesis import settings

# No deadline: the first example of a test may be the one that loads pint or compiles a kernel.
settings.register_profile("skyhall", deadline=None, derandomize="CI" in os.environ, print_blob=True)
settings.load_profile("skyhall")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--forbid-skips", action="store_true", help="count a skipped test as a failure")


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if reporter is None or not session.config.getoption("--forbid-skips"):
        return
    skipped = reporter.stats.get("skipped", [])
    for report in skipped:
        reporter.write_line(f"skipped, which --forbid-skips forbids: {report.nodeid}", red=True)
    if skipped:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
