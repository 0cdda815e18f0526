import pytest

from simulator.__main__ import main


@pytest.mark.parametrize(("command", "variable"), [("serve", "SIMULATOR_API_KEY"), ("seed", "SIMULATOR_USER_DB_URL")])
def test_it_says_which_variable_is_missing(command, variable, monkeypatch, capsys):
    monkeypatch.delenv(variable, raising=False)
    with pytest.raises(SystemExit) as ending:
        main([command])
    assert ending.value.code == 2
    assert f"{variable} is not set" in capsys.readouterr().err


def test_a_bad_epoch_is_refused(capsys):
    with pytest.raises(SystemExit):
        main(["serve", "--epoch", "yesterday"])
    assert "--epoch" in capsys.readouterr().err


def test_seed_reports_what_it_wrote(empty_database_url, monkeypatch, capsys):
    monkeypatch.setenv("SIMULATOR_USER_DB_URL", empty_database_url)
    main(["seed", "--accounts", "40", "--seed", "x", "--epoch", "2026-03-01"])
    assert "accounts=40" in capsys.readouterr().out


def test_help_lists_every_option(capsys):
    with pytest.raises(SystemExit):
        main(["serve", "--help"])
    shown = capsys.readouterr().out
    for option in (
        "--host",
        "--port",
        "--seed",
        "--accounts",
        "--epoch",
        "--latency-ms",
        "--requests-per-second",
    ):
        assert option in shown
