import pytest

from callcrm.kernel.errors import StartupError
from callcrm.settings import PbxSettings
from callcrm.telephony.asterisk_listener import WANTED, ami_settings, dial_rules

PBX = {"host": "pbx.example.org", "port": 5039, "username": "callcrm", "secret": "s3cret"}


def test_settings_of_a_pbx_lead_to_its_manager_interface():
    link = ami_settings("office", PbxSettings(**PBX))
    assert (link.host, link.port, link.username, link.secret) == ("pbx.example.org", 5039, "callcrm", "s3cret")
    assert link.tls is None
    assert "s3cret" not in repr(link)


@pytest.mark.parametrize("made", ["missing", "rubbish"])
def test_a_certificate_that_cannot_be_read_is_said_at_the_start(tmp_path, made):
    file = tmp_path / "pbx.pem"
    if made == "rubbish":
        file.write_text("no certificate")
    with pytest.raises(StartupError, match=r"\[pbx\.office\] tls_ca") as told:
        ami_settings("office", PbxSettings(**PBX, tls=True, tls_ca=str(file)))
    assert str(file) in str(told.value)


def test_with_tls_certificates_are_checked():
    link = ami_settings("office", PbxSettings(**PBX, tls=True))
    assert link.tls is not None
    assert link.tls.check_hostname


def test_click_to_call_follows_the_settings():
    rules = dial_rules(PbxSettings(**PBX, dial_context="office", dial_numbers=r"\+7[0-9]{10}", dial_timeout_s=12.4))
    assert (rules.context, rules.ring_s) == ("office", 12)
    assert rules.allows("+79161234567")
    assert not rules.allows("112")


def test_of_the_flood_of_variables_only_names_of_recordings_are_read():
    assert WANTED["VarSet"] == ("MIXMONITOR_FILENAME",)
    assert WANTED["BridgeEnter"] == ()
    assert "RTCPSent" not in WANTED
