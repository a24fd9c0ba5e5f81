"""Forms for tests: the one of the sales people, and hypothesis' own with answers to them."""

from hypothesis import strategies as st

from callcrm.quality.questions import Condition, Form, Option, Question, Section
from callcrm.quality.scoring import Answer

CHOICES = (Option(label="Client chose", points=2), Option(label="We chose", points=1), Option(label="Open"))
SALES = Form(
    sections=(
        Section(
            key="opening",
            title="Opening",
            weight=15,
            questions=(
                Question(key="greet", text="Greeted by name of the line"),
                Question(key="need", text="Found the need with open questions", kind="range"),
            ),
        ),
        Section(
            key="law",
            title="Compliance",
            weight=25,
            compliance=True,
            questions=(
                Question(key="told", text="Said that the call is recorded"),
                Question(key="card", text="Card number kept out of the recording", severity="fatal"),
            ),
        ),
        Section(
            key="solve",
            title="Resolution",
            weight=35,
            questions=(
                Question(key="offer", text="Offer fits what the client asked", kind="range", points=4),
                Question(key="next", text="Next step with a date", points=3),
                Question(
                    key="date",
                    text="How was the date agreed?",
                    kind="choice",
                    points=3,
                    options=(
                        Option(label="Client chose", points=2),
                        Option(label="We chose", points=1),
                        Option(label="Open"),
                    ),
                    when=Condition(question="next", answers=("yes",)),
                ),
            ),
        ),
        Section(
            key="talk",
            title="Communication",
            weight=25,
            questions=(
                Question(key="hold", text="Asked before putting on hold", severity="critical", comment="lost"),
                Question(key="calm", text="Calm, clear, not over the client", kind="range"),
            ),
        ),
    )
)


def answers(**values: str) -> dict[str, Answer]:
    """Answers by their words."""
    return {key: Answer(value) for key, value in values.items()}


def best(form: Form, *, but: dict[str, str] | None = None) -> dict[str, Answer]:
    """Every question answered as well as it can be, with these instead."""
    found = {}
    for question in form.questions():
        top = {"yes_no": question.wanted, "range": str(question.high), "choice": "1"}[question.kind]
        found[question.key] = Answer((but or {}).get(question.key, top), "said")
    return found


@st.composite
def made_forms(draw: st.DrawFn) -> Form:
    """Any form that may be published: whatever kinds, weights, severities and conditions."""
    weights = draw(st.lists(st.integers(1, 20), min_size=1, max_size=4))
    sections, earlier = [], list[Question]()
    for s, weight in enumerate(weights):
        questions = []
        for q in range(draw(st.integers(1, 3))):
            question = draw(_question(f"q{s}{q}", tuple(earlier)))
            questions.append(question)
            earlier.append(question)
        share = weight * 100 // sum(weights) or 1
        law = draw(st.booleans())
        sections.append(Section(key=f"s{s}", title="S", weight=share, compliance=law, questions=tuple(questions)))
    sections[0] = sections[0].model_copy(update={"weight": 100 - sum(one.weight for one in sections[1:])})
    return Form(sections=tuple(sections), critical_times=draw(st.integers(1, 5)))


@st.composite
def _question(draw: st.DrawFn, key: str, earlier: tuple[Question, ...]) -> Question:
    kind = draw(st.sampled_from(["yes_no", "choice", "range"]))
    low = draw(st.integers(0, 5))
    points = draw(st.lists(st.integers(0, 10), min_size=2, max_size=4).filter(lambda some: len(set(some)) > 1))
    when = None
    if earlier and draw(st.booleans()):
        other = draw(st.sampled_from(earlier))
        some = draw(st.lists(st.sampled_from(other.answers()), min_size=1, unique=True))
        when = Condition(question=other.key, answers=tuple(some))
    return Question(
        key=key,
        text=f"Is it {key}?",
        kind=kind,
        points=draw(st.integers(1, 9)),
        low=low,
        high=low + draw(st.integers(1, 6)),
        options=tuple(Option(label=f"Answer {n}", points=one) for n, one in enumerate(points)),
        wanted=draw(st.sampled_from(["yes", "no"])),
        na=draw(st.booleans()),
        comment=draw(st.sampled_from(["free", "lost", "always"])),
        severity=draw(st.sampled_from(["", "", "critical", "fatal"])),
        when=when,
    )


@st.composite
def answered(draw: st.DrawFn, form: Form) -> dict[str, Answer]:
    """An answer to every question, whether it is asked or not."""
    comments = st.sampled_from(["", " ", "because"])
    said = {one.key: draw(st.sampled_from(one.answers())) for one in form.questions()}
    return {key: Answer(value, draw(comments)) for key, value in said.items()}
