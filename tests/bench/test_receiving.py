from pathlib import Path

from bench import receiving

TRACE = Path(__file__).parent.parent / "traces" / "22.10.1" / "transfer_attended.raw.gz"


def test_the_benchmark_runs_and_ours_is_no_slower_than_stock(capsys):
    ratio = receiving.run(TRACE, rounds=3, times=8)
    printed = capsys.readouterr().out
    assert printed.count("ev/s of CPU") == 3
    assert "stock panoramisk" in printed
    assert ratio > 1.0
