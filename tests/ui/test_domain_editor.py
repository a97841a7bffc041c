"""The form for a domain beside its document: both edit the same thing."""

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from domains import catalogue
from domains.loading import attachments, find, load_text
from domains.measurements import read_replay
from experiments_db.domain_versions import versions
from orchestrator.own_domains import domain_names, find_domain
from tests.ui.conftest import Look
from ui.form_fields import _rename, _there


def _text(page: AppTest) -> str:
    return str(page.text_area("draft.text").value)


@pytest.mark.parametrize("name", catalogue.names())
def test_every_domain_of_the_catalogue_fills_the_form_and_stays_what_it_is(look: Look, name: str) -> None:
    domain = find(name)

    page = look("domains", new="1", **{"from": name})

    assert not page.error
    text = _text(page)
    assert page.text_input("form.name").value == f"my-{name}"
    same = text.replace(f"name: my-{name}", f"name: {name}")
    assert load_text(same, attachments=attachments(domain)).identity == domain.identity
    _every_field_can_be_changed_and_changed_back(page.session_state["domains.editor"])


def _every_field_can_be_changed_and_changed_back(editor: Any) -> None:
    """What a field shows, written after something else, gives the very document again; so do names, formulas too."""
    before = editor.document
    tried = 0
    for key, (place, apply) in editor.fields.items():
        names = apply is _rename
        if not names and not isinstance(apply, partial):
            continue  # a choice, which begins anew with other numbers
        document, path = _there(editor, place) or pytest.fail(f"{key} has no place")
        other = apply(document, path, "zz_other")
        assert other != document, key
        assert apply(other, (*path[:-1], "zz_other") if names else path, editor.given[key]) == before, key
        tried += 1
    assert tried > 8


def _begin(look: Look, **query: str) -> AppTest:
    return look("domains", new="1", **query)


def _fill(page: AppTest, **fields: str) -> None:
    """Type into fields by their labels, as somebody does, one after the other."""
    for label, value in fields.items():
        found = [field for field in page.text_input if field.label == label]
        assert len(found) == 1, (label, [field.label for field in page.text_input])
        found[0].set_value(value).run()
        assert not page.exception


def _press(page: AppTest, label: str) -> None:
    found = [button for button in page.button if button.label == label]
    assert len(found) == 1, (label, [button.label for button in page.button])
    found[0].click().run()
    assert not page.exception


def _choose(page: AppTest, label: str, value: str) -> None:
    found = [box for box in page.selectbox if box.label == label]
    assert len(found) == 1, label
    found[0].set_value(value).run()
    assert not page.exception


def _wrong(page: AppTest) -> list[str]:
    """What is said in red under the fields."""
    return [entry.value.replace("\\", "") for entry in page.caption if entry.value.startswith(":red[")]


def define_enzyme_inhibition(page: AppTest) -> None:
    """The question of three inhibition laws, from the blank document, by the form alone."""
    _fill(page, Name="enzyme-drug", Title="How does the drug slow the enzyme?", Field="biochemistry")
    _fill(page, **{"Design 1: name": "substrate", "Design 1: lowest": "0.1", "Design 1: highest": "10"})
    _fill(page, **{"Design 1: unit": "mM"})
    _press(page, "Add a design")
    _fill(page, **{"Design 2: name": "inhibitor", "Design 2: lowest": "0", "Design 2: highest": "5"})
    _fill(page, **{"Design 2: unit": "mM"})
    _fill(page, **{"Unknown 1: name": "vmax", "Unknown 1: mu": "0.7", "Unknown 1: sigma": "0.5"})
    for number, name in ((3, "km"), (4, "ki")):
        _press(page, "Add an unknown")
        _fill(
            page, **{f"Unknown {number}: name": name, f"Unknown {number}: mu": "0", f"Unknown {number}: sigma": "0.8"}
        )
    laws = {
        "competitive": "vmax*substrate/(km*(1+inhibitor/ki)+substrate)",
        "uncompetitive": "vmax*substrate/(km+substrate*(1+inhibitor/ki))",
        "noncompetitive": "vmax*substrate/((1+inhibitor/ki)*(km+substrate))",
    }
    for number, (name, formula) in enumerate(laws.items(), 1):
        if number > 1:
            _press(page, "Add a law")
        _fill(page, **{f"Law {number}: name": name, f"Law {number}: formula 1": formula})
    _fill(page, **{"Outcome 1: name": "rate", "Outcome 1: unit": "mM/min"})
    _fill(page, **{"Budget of one run": "12"})
    _choose(page, "Goal", "discriminate")


def test_the_inhibition_question_is_defined_from_blank_by_the_form_alone(look: Look) -> None:
    page = _begin(look)
    assert _wrong(page) == []

    define_enzyme_inhibition(page)

    assert _wrong(page) == []
    domain = load_text(_text(page))
    assert [(d.name, d.low, d.high, d.unit) for d in domain.designs] == [
        ("substrate", 0.1, 10, "mM"),
        ("inhibitor", 0, 5, "mM"),
    ]
    assert [parameter.name for parameter in domain.parameters] == ["vmax", "km", "ki"]
    assert [mechanism.name for mechanism in domain.mechanisms] == ["competitive", "uncompetitive", "noncompetitive"]
    assert (domain.budget, domain.goal.kind, domain.outcomes[0].name) == (12, "discriminate", "rate")
    assert not page.button("draft.save").disabled


def test_what_is_wrong_stands_at_its_field_and_at_the_line_of_the_document(look: Look) -> None:
    page = _begin(look)

    _fill(page, **{"Design 1: lowest": "20"})
    assert _wrong(page) == [":red[✕ low is 20 and high is 10; low must be < high]"]
    assert page.warning[0].value.startswith("1 problem to mend")
    assert page.button("draft.save").disabled
    assert page.code[0].value == "5: x: {real: [20, 10]}"

    _fill(page, **{"Design 1: lowest": "0", "Law 1: formula 1": "a * y_"})
    assert _wrong(page) == [":red[✕ 'y_' is not declared; known here: a, expected, noise, x]"]
    order = [entry.label for entry in page.text_input]
    assert "Law 1: formula 1" in order

    _fill(page, **{"Law 1: formula 1": "a * x", "Unknown 1: sigma": "-1"})
    assert _wrong(page) == [":red[✕ sigma is -1, but must be > 0 (lognormal prior)]"]
    assert "Its density is drawn here once its numbers are in order." in [entry.value for entry in page.caption]


def test_a_name_of_the_catalogue_is_refused_with_another(look: Look) -> None:
    page = _begin(look)

    _fill(page, Name="enzyme-kinetics")

    assert "call yours otherwise, such as 'my-enzyme-kinetics'" in _wrong(page)[0]
    assert page.button("draft.save").disabled


def test_changing_the_document_refills_the_form(look: Look) -> None:
    page = _begin(look)

    page.text_area("draft.text").set_value(_text(page).replace("real: [0, 10]", "real: [2, 30], unit: mg")).run()

    assert page.text_input("form.designs.0.real.0").value == "2"
    assert page.text_input("form.designs.0.real.1").value == "30"
    assert page.text_input("form.designs.0.unit").value == "mg"


def test_a_document_that_is_no_yaml_is_said_and_the_form_comes_back(look: Look) -> None:
    page = _begin(look)
    good = _text(page)

    page.text_area("draft.text").set_value(good.replace("budget: 10", "budget 10")).run()
    assert any("no YAML at the moment" in entry.value for entry in page.warning)
    assert not [field for field in page.text_input if field.label == "Name"]

    page.text_area("draft.text").set_value(good).run()
    assert page.text_input("form.name").value == "my-question"


def test_the_form_keeps_comments_and_what_it_cannot_show(look: Look) -> None:
    page = _begin(look, **{"from": "epidemic"})
    before = _text(page)

    _fill(page, **{"Budget of one run": "30"})

    after = _text(page)
    assert after == before.replace("budget: 24", "budget: 30")
    assert any("Differential equations" in entry.value for entry in page.info)


def test_a_renamed_design_is_renamed_in_formulas_and_a_taken_name_is_refused(look: Look) -> None:
    page = _begin(look)

    _fill(page, **{"Design 1: name": "dose"})
    assert "expected: a * dose" in _text(page)
    _press(page, "Add a design")
    _fill(page, **{"Design 2: name": "dose"})
    assert _wrong(page) == [":red[✕ there is a 'dose' already; choose another name]"]
    assert page.text_input("form.designs.1.name").value == "design_2"


@pytest.mark.parametrize(
    "family",
    [
        "normal",
        "halfnormal",
        "uniform",
        "loguniform",
        "beta",
        "gamma",
        "exponential",
        "studentt",
        "categorical",
        "poisson",
    ],
)
def test_every_prior_can_be_picked_and_is_drawn(look: Look, family: str) -> None:
    page = _begin(look)

    _choose(page, "Unknown 1: prior", family)

    assert _wrong(page) == []
    assert len(page.get("plotly_chart")) == 1
    prior = load_text(_text(page)).parameters[0].prior
    assert prior is not None
    assert prior.family == family


def test_kinds_of_designs_outcomes_and_goals_can_be_changed_to_and_fro(look: Look) -> None:
    page = _begin(look)
    for kind in ("integer", "levels", "choice", "real"):
        _choose(page, "Design 1: kind", kind)
        assert f"{kind}: [" in _text(page)
    page = _begin(look, **{"from": "death-process"})
    for goal in ("discriminate", "learn-some", "predict", "maximise", "learn"):
        _choose(page, "Goal", goal)
    assert _wrong(page) == []
    for family in ("poisson", "categorical", "normal"):
        _choose(page, "Outcome 1: noise", family)
        assert f"{family}:" in _text(page)


def test_the_commented_example_and_another_domain_can_be_begun_from(look: Look) -> None:
    page = _begin(look)
    page.selectbox("begin.from").select("the commented example").run()
    page.button("begin.other").click().run()
    assert "# What the experimenter sets. Four kinds:" in _text(page)
    assert _wrong(page) == []


def test_saving_keeps_a_version_and_opens_its_page(look: Look, write: Any) -> None:
    page = _begin(look)
    define_enzyme_inhibition(page)
    text = _text(page)

    page.button("draft.save").click().run()

    assert not page.exception
    assert page.title[0].value == "How does the drug slow the enzyme?"
    assert "enzyme-drug" in page.query_params["domain"]
    assert domain_names(write.database)[-1] == "enzyme-drug"
    assert find_domain(write.database, "enzyme-drug").text == text

    page = _begin(look, **{"from": "enzyme-drug"})
    _fill(page, **{"Budget of one run": "15"})
    page.button("draft.save").click().run()
    with write.database.read() as session:
        saved = versions(session, "enzyme-drug")
    assert [version.source for version in saved] == ["desk", "desk"]
    assert find_domain(write.database, "enzyme-drug").budget == 15


def test_a_viewer_may_try_the_form_and_not_save(look: Look, write: Any, token: Callable[[str], None]) -> None:
    token("viewer")
    page = _begin(look)
    _fill(page, Name="tried-out")

    assert "name: tried-out" in _text(page)
    assert page.button("draft.save").disabled


def test_begin_anew_forgets_all_changes(look: Look) -> None:
    page = _begin(look)
    before = _text(page)
    _fill(page, Name="another")

    page.button("draft.forget").click().run()

    assert _text(page) == before
    assert page.text_input("form.name").value == "my-question"


def test_taking_an_entry_away_leaves_the_others_as_they_are(look: Look) -> None:
    page = _begin(look, **{"from": "source-location"})
    names = [field.value for field in page.text_input if field.label.endswith(": name") and "Unknown" in field.label]
    assert names == ["x1", "y1", "x2", "y2"]

    _press(page, "Remove unknown 2")

    names = [field.value for field in page.text_input if field.label.endswith(": name") and "Unknown" in field.label]
    assert names == ["x1", "x2", "y2"]
    assert any("'y1' is not declared" in line for line in _wrong(page))


def test_a_table_of_measurements_begins_a_domain_with_its_replay(look: Look, write: Any) -> None:
    page = _begin(look)
    table = b"dose (mg),strain,response,day\n1,wild,2.5,1\n2,wild,3.5,2\n4,mutant,,3\n8,mutant,9,4\n"
    page.file_uploader("begin.table").set_value(("My data.csv", table, "text/csv")).run()
    roles = {box.label: box.value for box in page.selectbox if box.label.startswith("Column")}
    assert list(roles.values()) == ["design", "design", "outcome", "left out"]

    page.button("begin.measurements").click().run()

    assert _wrong(page) == []
    assert "dose: {integer: [1, 8], unit: mg}" in _text(page)
    assert "strain: {choice: [wild, mutant]}" in _text(page)
    assert any("My-data.csv (dose = dose (mg)" in entry.value.replace("\\", "") for entry in page.caption)
    page.button("draft.save").click().run()
    saved = find_domain(write.database, "my-measurements")
    assert read_replay(saved, "measurements").outcomes[2] == {"response": None}


def test_a_table_that_is_none_is_said(look: Look) -> None:
    page = _begin(look)

    page.file_uploader("begin.table").set_value(("made.csv", b"a;b\n1;2\n", "text/csv")).run()

    assert "separated by semicolons" in page.error[0].value
