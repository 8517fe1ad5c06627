# SPDX-License-Identifier: Apache-2.0
"""The documents: commands that they show exist with those options, and links lead somewhere."""

import re
import shlex
from pathlib import Path

import pytest
from emlearn_tools import spec_yaml
from emlearn_tools.cli import COMMANDS, build_parser

ROOT = Path(__file__).resolve().parents[2]
DOCUMENTS = sorted(
    path
    for pattern in ("*.md", "docs/**/*.md", "docs/**/*.yml", "samples/**/*.rst", "specs/*.yaml")
    for path in ROOT.glob(pattern)
)
MARKDOWN = [path for path in DOCUMENTS if path.suffix == ".md"]


def relative(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def commands_in(text: str) -> list[list[str]]:
    """Words behind `west emlearn` or `python -m emlearn_tools`, of every line that calls one in full."""
    found = []
    # A literal of reStructuredText may go over a line end.
    text = re.sub(r"(?<!`)``[^`]+``(?!`)", lambda span: " ".join(span[0].split()), text)
    for line in text.replace("\\\n", " ").splitlines():
        for match in re.finditer(r"(?:west emlearn|-m emlearn_tools) ([a-z]+ [^`|#]*)", line):
            words = shlex.split(match.group(1).split(" - ")[0].replace("...", ""), comments=True)
            if any(word.startswith("-") or "." in word or "/" in word for word in words[1:]):
                found.append(words)
    return found


COMMANDS_SHOWN = [
    pytest.param(words, id=f"{relative(path)}: {' '.join(words)}"[:90])
    for path in DOCUMENTS
    for words in commands_in(path.read_text(encoding="utf-8"))
    if words[0] != "SUB"
]


def test_the_documents_show_every_command():
    shown = {words[0] for param in COMMANDS_SHOWN for words in param.values}
    assert set(COMMANDS) - shown <= {"demo", "recording"}


@pytest.mark.parametrize("words", COMMANDS_SHOWN)
def test_a_command_that_is_shown_can_be_parsed(words, capsys):
    try:
        build_parser().parse_args(words)
    except SystemExit as error:
        pytest.fail(f"exit {error.code}: {capsys.readouterr().err}")


def test_an_option_that_does_not_exist_would_be_noticed():
    assert commands_in("try `west emlearn size build --colour red` now") == [
        ["size", "build", "--colour", "red"]
    ]
    with pytest.raises(SystemExit):
        build_parser().parse_args(["size", "build", "--colour", "red"])


def anchors(path: Path) -> set[str]:
    """What `#...` may lead to in a document, by GitHub's rule."""
    titles = re.findall(r"^#+ (.*)$", path.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


LINKS = [
    pytest.param(path, target, id=f"{relative(path)}: {target}")
    for path in MARKDOWN
    for target in re.findall(r"\]\(([^)\s]+)\)", path.read_text(encoding="utf-8"))
    if not target.startswith(("http://", "https://"))
]


@pytest.mark.parametrize(("path", "target"), LINKS)
def test_a_link_leads_somewhere(path, target):
    file, _, anchor = target.partition("#")
    there = (path.parent / file).resolve() if file else path
    assert there.exists(), f"{target} is not there"
    assert ROOT in there.parents or there == ROOT
    if anchor:
        assert anchor in anchors(there), f"{there.name} has no #{anchor}"


@pytest.mark.parametrize("path", MARKDOWN, ids=relative)
def test_make_targets_that_are_shown_exist(path):
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z]+):", makefile, re.MULTILINE))
    shown = set(re.findall(r"(?:^    |`)make ([a-z]+)", path.read_text(encoding="utf-8"), re.MULTILINE))
    assert shown <= targets


@pytest.mark.parametrize("path", MARKDOWN, ids=relative)
def test_code_blocks_are_closed_and_lines_end_plainly(path):
    text = path.read_text(encoding="utf-8")
    assert len(re.findall(r"^ *```", text, re.MULTILINE)) % 2 == 0
    assert "\t\n" not in text
    assert " \n" not in re.sub(r" *```.*?```", "", text, flags=re.DOTALL)


def test_the_spec_of_the_tutorial_is_a_valid_spec(tmp_path):
    text = (ROOT / "docs" / "tutorial.md").read_text(encoding="utf-8")
    (block,) = re.findall(r"```yaml\n(name:.*?)```", text, re.DOTALL)
    path = tmp_path / "wrist.yaml"
    path.write_text(block)
    spec = spec_yaml.read(path)
    assert spec.name == "wrist"
    assert spec.labels.merge == {"resting": ("sitting", "standing")}
    assert len(spec.model.candidates) == 4


def test_the_tutorial_names_every_spec_for_public_data():
    text = (ROOT / "docs" / "tutorial.md").read_text(encoding="utf-8")
    names = {path.name for path in (ROOT / "specs").glob("*.yaml")} - {"synth.yaml"}
    assert names
    for name in names:
        assert f"`{name}`" in text, name


def test_the_workflow_is_valid_and_holds_a_budget():
    yaml = pytest.importorskip("yaml")
    workflow = yaml.safe_load((ROOT / "docs" / "ci" / "twister.yml").read_text(encoding="utf-8"))
    steps = workflow["jobs"]["twister"]["steps"]
    assert all("uses" in step or "run" in step for step in steps)
    script = "\n".join(step.get("run", "") for step in steps)
    assert "west twister" in script
    assert "west emlearn size" in script
    budget = shlex.split(workflow["env"]["BUDGET"])
    build_parser().parse_args(["size", "build", *budget])


def test_the_readme_says_what_must_not_stand_beside_it():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert "west-commands: scripts/west-commands.yml" in text
    assert "Not beside the upstream emlearn module" in text
    assert not re.search(r"^@[A-Z]+@$", text, re.MULTILINE), "output is missing"
