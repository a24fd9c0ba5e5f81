"""How answers become a score: weights, N/A, critical and fatal questions, conditions, bands, and what holds for all."""

from dataclasses import replace
from fractions import Fraction

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from callcrm.quality.questions import NA, Band, Condition, Form, Option, Question, Section, faults
from callcrm.quality.scoring import Answer, percent, score, share
from tests.quality.forms import SALES, answered, answers, best, made_forms


def points(form: Form, given_: dict[str, Answer]) -> dict[str, float]:
    return {one.key: percent(one.ends.low * one.weight) for one in score(form, given_).sections}


def test_a_call_without_fault_earns_all_and_each_section_its_weight() -> None:
    found = score(SALES, best(SALES))
    assert (found.total, found.complied, found.complete) == (100.0, 100.0, True)
    assert points(SALES, best(SALES)) == {"opening": 15, "law": 25, "solve": 35, "talk": 25}


def test_points_and_steps_of_a_range_share_their_sections_weight() -> None:
    found = points(SALES, best(SALES, but={"need": "3", "offer": "4", "next": "no"}))
    assert found["opening"] == pytest.approx(15 * (1 + 0.5) / 2, abs=0.051)
    assert found["solve"] == pytest.approx(35 * (4 * 0.75) / 7, abs=0.051)


def test_what_is_not_applicable_gives_its_weight_to_its_neighbours() -> None:
    assert points(SALES, best(SALES, but={"need": NA, "greet": "no"}))["opening"] == 0
    assert points(SALES, best(SALES, but={"need": NA}))["opening"] == 15


def test_a_section_of_which_nothing_counts_gives_its_weight_to_the_others() -> None:
    nothing = {"told": NA, "card": NA}
    found = points(SALES, best(SALES, but=nothing))
    assert found["law"] == 0 and found["opening"] == 20 and found["talk"] == pytest.approx(33.3)
    lost = score(SALES, best(SALES, but=nothing | {"offer": "1", "next": "no"}))
    assert lost.total == pytest.approx(100 * 40 / 75, abs=0.051)
    assert lost.complied is None


def test_a_call_of_which_nothing_counts_has_no_score() -> None:
    found = score(SALES, {question.key: Answer(NA) for question in SALES.questions()})
    assert (found.total, found.best, found.complied, found.complete) == (None, None, None, True)


def test_a_fatal_error_makes_the_whole_nothing_and_leaves_what_would_have_been() -> None:
    found = score(SALES, best(SALES, but={"card": "no"}))
    assert (found.total, found.best, found.fatal) == (0.0, 0.0, ("card",))
    assert found.earned == 87.5
    assert found.complied == 50.0


def test_not_applicable_is_no_fatal_error() -> None:
    assert score(SALES, best(SALES, but={"card": NA})).fatal == ()


def test_a_critical_question_weighs_its_multiple() -> None:
    lost = points(SALES, best(SALES, but={"hold": "no"}))["talk"]
    assert lost == pytest.approx(25 / 3, abs=0.051)
    thrice = SALES.model_copy(update={"critical_times": 3})
    assert points(thrice, best(thrice, but={"hold": "no"}))["talk"] == pytest.approx(25 / 4, abs=0.051)
    assert score(SALES, best(SALES, but={"hold": "no"})).critical == ("hold",)


def test_a_question_is_asked_only_when_its_condition_holds() -> None:
    assert "date" in score(SALES, answers(next="yes")).asked
    for said in ("no", NA):
        assert "date" not in score(SALES, answers(next=said)).asked
    # What was answered to it before does not count any more.
    assert (
        score(SALES, best(SALES, but={"next": "no", "date": "3"})).total
        == score(SALES, best(SALES, but={"next": "no"})).total
    )


def test_a_question_below_a_question_that_is_not_asked_is_not_asked_either() -> None:
    grandchild = Question(key="c", text="c", when=Condition(question="b", answers=("yes",)))
    child = Question(key="b", text="b", when=Condition(question="a", answers=("yes",)))
    form = Form(
        sections=(Section(key="s", title="S", weight=100, questions=(Question(key="a", text="a"), child, grandchild)),)
    )
    assert score(form, answers(a="no", b="yes", c="no")).asked == {"a"}
    assert score(form, answers(a="no", b="yes", c="no")).total == 0


def test_a_required_comment_is_asked_for_when_points_are_lost() -> None:
    assert score(SALES, answers(hold="no")).silent == ("hold",)
    assert score(SALES, answers(hold="yes")).silent == ()
    assert score(SALES, {"hold": Answer("no", "At 2:31")}).silent == ()
    assert score(SALES, {"hold": Answer("no", " \n")}).silent == ("hold",)


def test_while_questions_are_open_the_ends_say_how_far_it_can_still_go() -> None:
    found = score(SALES, best(SALES, but={"hold": "no"}) | {"calm": Answer()})
    assert (found.total, found.best) == (75.0, 83.3)
    assert found.open == ("calm",) and not found.complete
    begun = score(SALES, {})
    assert (begun.total, begun.best, len(begun.open)) == (0.0, 100.0, 8)


def test_no_may_be_the_wanted_answer() -> None:
    asked = Question(key="a", text="Interrupted the client", wanted="no")
    assert (share(asked, "no"), share(asked, "yes"), share(asked, NA)) == (1, 0, None)


def test_an_answer_that_the_question_does_not_take_is_refused() -> None:
    for key, value in (("greet", "maybe"), ("need", "6"), ("need", "0"), ("date", "4"), ("need", "٣")):
        question = SALES.question(key)
        assert question is not None
        with pytest.raises(ValueError, match=key):
            share(question, value)
    with pytest.raises(ValueError, match="greet"):
        share(Question(key="greet", na=False), NA)


@pytest.mark.parametrize(
    ("value", "word"),
    [(0, "Issue"), (25.4, "Issue"), (25.5, "Improve"), (50, "Improve"), (75.4, "Meets"), (100, "Exceeds")],
)
def test_a_score_has_the_band_of_the_nearest_whole_number(value: float, word: str) -> None:
    found = SALES.band(value)
    assert found is not None and found.name == word


def test_what_keeps_a_form_from_being_published_is_told_by_place() -> None:
    assert faults(SALES) == {}
    unasked = (Question(key="a"), Question(key="b", text="b", kind="choice"))
    bad = Form(
        sections=(
            Section(key="s", title="", weight=60, questions=unasked),
            Section(
                key="t",
                title="T",
                weight=30,
                questions=(
                    Question(key="c", text="c", when=Condition(question="d", answers=("yes",))),
                    Question(key="d", text="d", kind="range", low=5, high=5),
                    Question(key="e", text="e", when=Condition(question="c", answers=("perhaps",))),
                    Question(key="f", text="f", kind="choice", options=(Option(label="x"), Option(label="y"))),
                ),
            ),
        ),
        bands=(Band(name="All", upto=90),),
    )
    assert faults(bad).keys() == {"sections", "bands", "s", "a", "b", "c", "d", "e", "f"}
    assert "90 %" in faults(bad)["sections"]


@settings(max_examples=60)
@given(st.data())
def test_a_score_lies_between_the_ends_that_were_shown_before(data: st.DataObject) -> None:
    form = data.draw(made_forms())
    assert faults(form) == {}
    final = data.draw(answered(form))
    known = data.draw(st.sets(st.sampled_from(sorted(final))))
    before = score(form, {key: final[key] for key in known})
    after = score(form, final)
    assume(after.whole.counts and before.whole.counts)
    assert 0 <= before.whole.low <= after.whole.low == after.whole.high <= before.whole.high <= 1
    assert set(before.fatal) <= set(after.fatal)


@settings(max_examples=60)
@given(st.data())
def test_weights_of_what_counts_make_a_whole_and_its_sections_the_total(data: st.DataObject) -> None:
    form = data.draw(made_forms())
    found = score(form, data.draw(answered(form)))
    weights = sum((one.weight for one in found.sections), Fraction(0))
    assert weights == (1 if found.whole.counts else 0)
    assert sum((one.weight * one.ends.low for one in found.sections), Fraction(0)) == found.whole.low
    assert found.open == ()


@settings(max_examples=60)
@given(st.data())
def test_a_better_answer_never_costs_points(data: st.DataObject) -> None:
    form = data.draw(made_forms())
    given_ = data.draw(answered(form))
    question = data.draw(st.sampled_from(list(form.questions())))
    # A question on which others depend may open ones that go worse: that is no better answer, but another talk.
    assume(all(one.when is None or one.when.question != question.key for one in form.questions()))
    shares = {value: share(question, value) for value in question.answers() if value != NA}
    top = max(shares, key=lambda value: shares[value] or 0)
    assume(given_[question.key].value != NA)
    better = given_ | {question.key: replace(given_[question.key], value=top)}
    assert (score(form, better).total or 0) >= (score(form, given_).total or 0)


@settings(max_examples=60)
@given(st.data())
def test_what_is_not_asked_or_not_applicable_could_as_well_not_stand_in_the_form(data: st.DataObject) -> None:
    form = data.draw(made_forms())
    given_ = data.draw(answered(form))
    found = score(form, given_)
    counted = {key for key in found.asked if given_[key].value != NA}
    shorter = form.model_copy(
        update={
            "sections": tuple(
                section.model_copy(
                    update={
                        "questions": tuple(
                            one.model_copy(update={"when": None}) for one in section.questions if one.key in counted
                        )
                    }
                )
                for section in form.sections
            )
        }
    )
    again = score(shorter, given_)
    assert (again.total, again.complied, again.fatal) == (found.total, found.complied, found.fatal)


@settings(max_examples=60)
@given(st.data())
def test_a_form_comes_back_from_json_as_it_was(data: st.DataObject) -> None:
    form = data.draw(made_forms())
    assert Form.model_validate(form.model_dump(mode="json")) == form
