import inspect

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ami import actions
from ami.actions import Action, DialRules
from ami.errors import BadCommand
from ami.messages import Decoder
from ami.protocol import Asked

CHANNEL = "PJSIP/101-0000001a"
RULES = DialRules(context="internal", numbers=r"^\+?[0-9]{3,15}$")

#: Every builder with the fields a person or a PBX can fill.
BUILDERS = {
    "queue_status": actions.queue_status,
    "bridge_info": actions.bridge_info,
    "getvar.channel": lambda text: actions.getvar(text, "X"),
    "getvar.variable": lambda text: actions.getvar(CHANNEL, text),
    "events": actions.events,
    "filter_events": actions.filter_events,
    "originate.number": lambda text: actions.originate(DialRules(numbers=".*"), "101", text, action_id="1"),
    "originate.extension": lambda text: actions.originate(RULES, text, "123", action_id="1"),
    "originate.name": lambda text: actions.originate(RULES, "101", "123", action_id="1", caller_name=text),
    "originate.id": lambda text: actions.originate(RULES, "101", "123", action_id=text),
    "originate.value": lambda text: actions.originate(RULES, "101", "123", action_id="1", variables={"A": text}),
    "originate.variable": lambda text: actions.originate(RULES, "101", "123", action_id="1", variables={text: "1"}),
    "originate.channel_id": lambda text: actions.originate(RULES, "101", "123", action_id="1", channel_id=text),
    "fetch_parked.space": lambda text: actions.fetch_parked(RULES, "101", text, action_id="1"),
    "fetch_parked.lot": lambda text: actions.fetch_parked(RULES, "101", "701", action_id="1", lot=text),
    "fetch_parked.name": lambda text: actions.fetch_parked(RULES, "101", "701", action_id="1", caller_name=text),
    "fetch_parked.number": lambda text: actions.fetch_parked(RULES, "101", "701", action_id="1", caller_number=text),
    "press.channel": lambda text: actions.press(text, "1"),
    "press.digit": lambda text: actions.press(CHANNEL, text),
    "hangup": actions.hangup,
    "redirect.channel": lambda text: actions.redirect(text, "internal", "102"),
    "redirect.context": lambda text: actions.redirect(CHANNEL, text, "102"),
    "redirect.extension": lambda text: actions.redirect(CHANNEL, "internal", text),
    "redirect.extra": lambda text: actions.redirect(CHANNEL, "internal", "102", extra_channel=text),
    "blind_transfer": lambda text: actions.blind_transfer(CHANNEL, "internal", text),
    "attended_transfer": lambda text: actions.attended_transfer(CHANNEL, text, "102"),
    "cancel_attended_transfer": actions.cancel_attended_transfer,
    "park": actions.park,
    "park.lot": lambda text: actions.park(CHANNEL, lot=text),
    "queue_pause.interface": lambda text: actions.queue_pause(text, paused=True),
    "queue_pause.queue": lambda text: actions.queue_pause("PJSIP/101", paused=True, queue=text),
    "queue_pause.reason": lambda text: actions.queue_pause("PJSIP/101", paused=True, reason=text),
    "mix_monitor_mute": lambda text: actions.mix_monitor_mute(text, muted=True),
}

hostile = st.one_of(
    st.text(max_size=60),
    st.text(alphabet="aA1/;\r\n: \0,|&$(){}\"'\\<>%\u2028\x85éЩ\ud800", max_size=40),
    st.sampled_from(
        [
            "1\r\n\r\nAction: Originate\r\nChannel: PJSIP/1",
            "101\nVariable: X=1",
            "PJSIP/101&PJSIP/102",
            "${SHELL(id)}",
            "a\r",
            "",
            "../../etc/passwd",
            "x" * 10_000,
        ]
    ),
)


async def as_sent(action: Action) -> bytes:
    return str(Asked(action)).encode("utf-8")


@pytest.mark.parametrize("name", BUILDERS)
@given(text=hostile)
@settings(max_examples=60, deadline=None)
async def test_no_text_in_any_field_becomes_another_header_or_action(name, text):
    try:
        action = BUILDERS[name](text)
    except BadCommand as refusal:
        assert str(refusal).endswith(".")
        assert "\n" not in str(refusal)
        return
    (message,) = Decoder().feed((await as_sent(action)).replace(b"Action: ", b"Event: ", 1))
    sent = [(key, one) for key, value in message.items() for one in ([value] if isinstance(value, str) else value)]
    own_id = [] if "ActionID" in dict(action.headers) else [("ActionID", message["ActionID"])]
    assert sorted(sent) == sorted([("Event", action.name), *action.headers, *own_id])


def test_every_builder_is_tried():
    tried = {name.partition(".")[0] for name in BUILDERS}
    nothing_to_fill = {"ping", "core_show_channels", "status", "bridge_list", "parked_calls", "core_settings"}
    nothing_to_fill |= {"list_commands", "pjsip_show_endpoints", "pjsip_show_contacts"}
    public = {
        name
        for name, made in inspect.getmembers(actions, inspect.isfunction)
        if made.__module__ == actions.__name__ and not name.startswith("_")
    }
    assert public == tried | nothing_to_fill


def test_click_to_call_rings_the_operator_first_and_only_once():
    action = actions.originate(RULES, "101", "+79161234567", action_id="c-1", variables={"CALLCRM_ID": "c-1"})
    headers = dict(action.headers)
    assert headers["Channel"] == "PJSIP/101"
    assert headers["Context"] == "internal"
    assert headers["Exten"] == "+79161234567"
    assert headers["CallerID"] == '"+79161234567" <+79161234567>'
    assert headers["Async"] == "true"
    assert headers["Timeout"] == "30000"
    assert headers["Variable"] == "CALLCRM_ID=c-1"
    assert not action.harmless


def test_the_line_of_a_click_to_call_gets_the_id_by_which_it_is_ended():
    headers = dict(actions.originate(RULES, "101", "123", action_id="c-1", channel_id="1763764160.123456789").headers)
    assert headers["ChannelId"] == "1763764160.123456789"
    assert dict(actions.hangup("1763764160.123456789").headers)["Channel"] == "1763764160.123456789"


def test_somebody_who_is_parked_is_fetched_without_a_dialplan():
    action = actions.fetch_parked(
        RULES, "101", "701", action_id="c-1", caller_name="Anna", caller_number="+79161234567"
    )
    headers = dict(action.headers)
    assert (headers["Application"], headers["Data"]) == ("ParkedCall", "default,701")
    assert headers["CallerID"] == '"Anna" <+79161234567>'
    assert "Context" not in headers


@pytest.mark.parametrize("number", ["8", "12a", "112;", "", "+" * 5, "9" * 16, "123@evil", "12 34"])
def test_a_number_outside_the_rules_is_not_dialled(number):
    with pytest.raises(BadCommand):
        actions.originate(RULES, "101", number, action_id="1")


def test_a_rule_that_is_no_expression_is_told():
    with pytest.raises(BadCommand, match="dial_numbers"):
        DialRules(numbers="[")


@pytest.mark.parametrize("variable", ["SHELL(id)", "FILE(/etc/passwd)", "CURL(http://x)", "A,B", "CHANNEL(a),B"])
def test_getvar_asks_for_variables_and_runs_nothing(variable):
    with pytest.raises(BadCommand):
        actions.getvar(CHANNEL, variable)
    assert actions.getvar(CHANNEL, "CHANNEL(linkedid)").harmless


def test_names_of_real_channels_pass():
    for name in ["PJSIP/trunk-00000083", "Local/104@from-queue-00000005;1", "PJSIP/trunk.one-1", "DAHDI/i1/7495-1"]:
        assert dict(actions.hangup(name).headers)["Channel"] == name


def test_queues_may_be_named_in_any_script():
    assert dict(actions.queue_status("Продажи 2").headers)["Queue"] == "Продажи 2"


@pytest.mark.parametrize(
    "make",
    [
        lambda: actions.hangup(CHANNEL, 0),
        lambda: actions.park(CHANNEL, timeout_s=0),
        lambda: actions.mix_monitor_mute(CHANNEL, muted=True, direction="up"),
    ],
)
def test_figures_and_words_out_of_range_are_refused(make):
    with pytest.raises(BadCommand):
        make()
