"""The JSON of a diagnosis is its schema, and the schema is the model."""

from __future__ import annotations

import copy
import importlib.util
import json
from importlib.resources import files
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from gopherdx.model import Diagnosis
from gopherdx.report.json import render
from tests.conftest import ROOT, MakeDiagnosis, MakeFinding


@pytest.fixture(scope="module")
def schema() -> Any:
    return json.loads((files("gopherdx") / "schema" / "diagnosis-1.0.json").read_text("utf-8"))


def load_generator() -> ModuleType:
    """docs/generate.py as a module."""
    spec = importlib.util.spec_from_file_location("generate", ROOT / "docs" / "generate.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def closed(schema: Any) -> Any:
    """The schema with every object closed: what is in the output must be in the schema, too."""
    schema = copy.deepcopy(schema)
    for definition in [schema, *schema["$defs"].values()]:
        definition["additionalProperties"] = False
    return schema


def test_the_schema_file_is_what_the_model_says(schema: Any) -> None:
    assert schema == json.loads(load_generator().schema_text()), "run `make docs`"


def test_the_schema_is_a_json_schema(schema: Any) -> None:
    Draft202012Validator.check_schema(schema)


def test_a_full_diagnosis_is_valid_and_has_no_key_that_the_schema_lacks(
    schema: Any, full_diagnosis: Diagnosis
) -> None:
    Draft202012Validator(closed(schema)).validate(json.loads(render(full_diagnosis)))


def test_every_key_is_always_there(schema: Any, make_diagnosis: MakeDiagnosis) -> None:
    empty = make_diagnosis(
        findings=(), ruled_out=(), not_judged=(), next=(), inputs=(), outcome="insufficient"
    )
    Draft202012Validator(closed(schema)).validate(json.loads(render(empty)))


@pytest.mark.parametrize(
    "change", [{"outcome": "sick"}, {"schema_version": "2.0"}, {"findings": [{}]}, {"inputs": "trace.out"}]
)
def test_the_schema_refuses_what_is_no_diagnosis(
    schema: Any, change: dict[str, Any], make_diagnosis: MakeDiagnosis
) -> None:
    assert not Draft202012Validator(schema).is_valid(json.loads(render(make_diagnosis())) | change)


def test_keys_come_in_the_order_in_which_people_read(make_diagnosis: MakeDiagnosis) -> None:
    keys = list(json.loads(render(make_diagnosis())))
    assert keys[:7] == ["schema_version", "tool", "outcome", "summary", "inputs", "overview", "findings"]


def test_the_output_is_ascii_and_ends_in_a_newline(
    make_diagnosis: MakeDiagnosis, make_finding: MakeFinding
) -> None:
    text = render(make_diagnosis(findings=(make_finding(summary="日本\x1b[31m"),)))
    assert text.isascii()
    assert "\x1b" not in text
    assert text.endswith("}\n")


def test_a_number_that_json_lacks_is_refused(
    make_diagnosis: MakeDiagnosis, make_finding: MakeFinding
) -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        render(make_diagnosis(findings=(make_finding(confidence=float("nan")),)))


def test_docs_of_the_json_name_every_key_of_a_diagnosis(schema: Any) -> None:
    text = (Path(ROOT) / "docs" / "json.md").read_text("utf-8")
    for key in schema["properties"]:
        assert f"`{key}`" in text
