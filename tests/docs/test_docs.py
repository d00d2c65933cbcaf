"""The pages in the repository agree with the code and with each other."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote

import click
import pytest

import app
import assembly
from b24app.core.portal import Gateway, PortalSettings
from b24app.engine.setup.registration import EVENTS, OPTIONAL_EVENTS
from b24app.settings import PREFIX, Settings
from b24app.web.settings_forms import PRESETS
from robots import CATALOGUE

ROOT = Path(__file__).parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), ROOT / "sandbox/README.md"])
OWN_SCOPE = (
    *("crm", "task", "bizproc", "user", "department"),
    *("im", "calendar", "placement", "messageservice", "userfieldconfig", "log"),
)
SCOPES = {name: name for name in OWN_SCOPE} | {"tasks": "task"}
"""The first word of a method -> the permission it needs; pages of the methods, "Scope"."""
NO_SCOPE = {"app", "event", "oauth", "profile", "batch", "server", "scope"}
_CALL = re.compile(r'(?:Command\(|positional\(|[:=]\s|\(|\s)"([a-z]+)\.[a-z]+(?:\.[a-z]+)*"')
_FENCE = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)


def _text(path: str) -> str:
    return (ROOT / path).read_text(encoding="utf-8")


def _prose(page: Path) -> str:
    return _FENCE.sub("", page.read_text(encoding="utf-8"))


def _links() -> Iterator[tuple[Path, str]]:
    for page in PAGES:
        for target in re.findall(r"\]\(([^)\s]+)\)", _prose(page)):
            yield page, target


def _anchors(page: Path) -> set[str]:
    """Name the headings of a page the way links to them do."""
    headings = re.findall(r"^#+ (.+)$", _prose(page), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_every_link_leads_somewhere() -> None:
    lost = []
    for page, target in _links():
        if target.startswith(("https://", "mailto:")):
            continue
        path, _, anchor = unquote(target).partition("#")
        there = (page.parent / path).resolve() if path else page
        if not there.exists() or (anchor and anchor not in _anchors(there)):
            lost.append(f"{page.relative_to(ROOT)}: {target}")
    assert lost == []


def test_every_page_can_be_reached_from_the_readme() -> None:
    ways: dict[Path, set[Path]] = {}
    for page, target in _links():
        ways.setdefault(page, set()).add((page.parent / target.partition("#")[0]).resolve())
    reached, new = set[Path](), {ROOT / "README.md"}
    while new:
        reached |= new
        new = {there for page in new for there in ways.get(page, set())} - reached
    assert set(PAGES) - reached == set()


def test_the_settings_page_names_every_variable_and_no_other() -> None:
    variables = {f"{PREFIX}{name.upper()}" for name in Settings.model_fields}
    rows = re.findall(rf"^\| `({PREFIX}[A-Z_]+)`", _text("docs/settings.md"), re.MULTILINE)
    assert (set(rows), len(rows)) == (variables, len(variables))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_no_page_speaks_of_a_variable_that_does_not_exist(page: Path) -> None:
    variables = {f"{PREFIX}{name.upper()}" for name in Settings.model_fields}
    named = {name.removesuffix("_FILE") for name in re.findall(rf"{PREFIX}[A-Z_]+[A-Z]", page.read_text(encoding="utf-8"))}
    assert named - variables == set()


def test_the_defaults_of_the_variables_are_the_ones_told() -> None:
    rows = re.findall(rf"^\| `{PREFIX}([A-Z_]+)` \| `([^`]+)` \|", _text("docs/settings.md"), re.MULTILINE)
    for name, told in rows:
        default = Settings.model_fields[name.lower()].default
        assert told == (",".join(default) if isinstance(default, tuple) else str(default)), name


def test_every_setting_of_a_portal_is_explained() -> None:
    assert [name for name in PortalSettings.model_fields if f"`{name}`" not in _text("docs/settings.md")] == []
    assert [name for name in Gateway.model_fields if f"`{name}`" not in _text("docs/sms.md")] == []


def test_the_permissions_asked_for_are_those_of_the_methods_called() -> None:
    called = {
        word
        for folder in ("b24app/bitrix", "b24app/engine")
        for file in (ROOT / folder).rglob("*.py")
        for word in _CALL.findall(file.read_text(encoding="utf-8"))
        if word in SCOPES.keys() | NO_SCOPE
    }
    told = set(re.findall(r"^\| `([a-z]+)` \|", _text("docs/install.md"), re.MULTILINE)) - {"active", "installing"}
    assert told - {"reconnect", "removed"} == {SCOPES[word] for word in called - NO_SCOPE}


def test_every_method_called_belongs_to_a_permission_we_know_of() -> None:
    words = {
        word
        for folder in ("b24app/bitrix", "b24app/engine")
        for file in (ROOT / folder).rglob("*.py")
        for word in re.findall(r'(?:Command|positional)\(\s*"([a-z]+)\.', file.read_text(encoding="utf-8"))
    }
    assert words
    assert words - SCOPES.keys() - NO_SCOPE == set()


@pytest.mark.parametrize("readme", ["README.md", "README.ru.md"])
def test_the_readme_asks_for_the_permissions_of_the_installation_page(readme: str) -> None:
    table = re.findall(r"^\| `([a-z]+)` \|", _text("docs/install.md").split("**5.")[0], re.MULTILINE)
    step = next(line for line in _text(readme).splitlines() if line.startswith("4. "))
    assert sorted(re.findall(r"`([a-z]+)`", step)) == sorted(table)


@pytest.mark.parametrize(("heading", "code"), [("SMSC.ru", "smsc"), ("SMS.ru", "smsru")])
def test_a_gateway_is_described_the_way_its_button_fills_it_in(heading: str, code: str) -> None:
    part = _text("docs/sms.md").partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    told = {name: value.replace("`", "") for name, value in re.findall(r"^\| `(\w+)` \| (.+) \|$", part, re.MULTILINE)}

    filled = {name: value for name, value in PRESETS[code].model_dump().items() if value}
    filled["fields"] = " ".join(f"{name}={value}" for name, value in PRESETS[code].fields.items())
    assert told == {"method": "POST", **filled, "fields": f"{filled['fields']} (one a line)"}


def test_every_robot_has_its_place_on_the_page_of_robots() -> None:
    page = _text("docs/robots.md")
    assert [code for code in CATALOGUE if f"\n## {code}\n" not in page] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_commands_that_pages_name_exist(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    named = set(re.findall(r"flask --app app (\w+)", text))
    commands = {found.name for found in vars(app).values() if isinstance(found, click.Command)}
    targets = set(re.findall(r"^(\w+):", _text("Makefile"), re.MULTILINE))
    assert named - commands == set()
    assert set(re.findall(r"(?:`|^)make (\w+)", text, re.MULTILINE)) - targets == set()


def test_addresses_that_pages_name_exist(settings: Settings) -> None:
    rules = [re.escape(re.sub(r"<[^>]+>", "*", rule.rule)) for rule in assembly.assemble(settings).web.url_map.iter_rules()]
    known = re.compile("|".join(rule.replace(r"\*", "[^/]+") for rule in rules))
    named = {
        path
        for page in PAGES
        for path in re.findall(r"`(/(?:b24|admin|api)/[a-z/_<>-]+|/health|/ready|/metrics)(?=[`?])", _prose(page))
    }
    parents = {"/admin/api", "/b24/placement/<name>"}
    assert {path for path in named if not known.fullmatch(path)} - parents == set()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_files_that_pages_name_exist(page: Path) -> None:
    named = re.findall(r"`((?:b24app|robots|sandbox|tests|demo|processes|docs)/[\w./-]*\w)`", _prose(page))
    short = re.findall(r"`((?:bitrix|core|engine|store|web)/[\w./-]+\.(?:py|js))`", _prose(page))
    lost = [name for name in named if not (ROOT / name).exists()]
    assert lost + [name for name in short if not (ROOT / "b24app" / name).exists()] == []


def test_the_metrics_told_are_the_metrics_counted() -> None:
    counted = set()
    for folder in ("engine", "web"):
        for file in (ROOT / "b24app" / folder).rglob("*.py"):
            for kind, name in re.findall(
                r'= (Counter|Gauge|Histogram)\(\s*"(b24app_\w+)"', file.read_text(encoding="utf-8")
            ):
                counted.add(f"{name}_total" if kind == "Counter" else name)
    rows = re.findall(r"^\| `(b24app_\w+)` \|", _text("docs/operations.md"), re.MULTILINE)
    assert counted
    assert sorted(rows) == sorted(counted)


def test_every_folder_of_the_tree_is_on_the_map() -> None:
    folders = {path.parent.name for path in ROOT.glob("*/__init__.py")} | {"docs", "processes"}
    for readme in ("README.md", "README.ru.md"):
        rows = set(re.findall(r"^\| `([\w.]+)(?:/\w+)?` \|", _text(readme), re.MULTILINE))
        assert folders - rows == set(), readme


def test_both_readmes_have_the_same_parts() -> None:
    def parts(page: str) -> list[tuple[int, int, int]]:
        sections = re.split(r"^## ", _text(page), flags=re.MULTILINE)
        return [(s.count("\n|"), len(re.findall(r"^(?:- |\d+\. )", s, re.MULTILINE)), s.count("```")) for s in sections]

    assert parts("README.md") == parts("README.ru.md")


def test_the_russian_readme_is_not_the_shorter_one() -> None:
    assert len(_text("README.ru.md")) > 0.95 * len(_text("README.md"))


def test_the_events_registered_belong_to_what_the_installation_page_tells() -> None:
    told = _text("docs/install.md")
    for word in ("deals", "leads", "smart process items", "tasks", "application itself"):
        assert word in told
    kinds = {
        re.sub(r"^ON(CRM)?|(ADD|UPDATE|DELETE|MOVETOCATEGORY|UNINSTALL|TEST)$", "", e) for e in EVENTS + OPTIONAL_EVENTS
    }
    assert kinds == {"DEAL", "LEAD", "DYNAMICITEM", "TASK", "APP"}


def test_every_decision_is_listed() -> None:
    listed = set(re.findall(r"\]\((\d{4}-[\w-]+\.md)\)", _text("docs/adr/README.md")))
    assert listed == {path.name for path in (ROOT / "docs/adr").glob("0*.md")}


@pytest.mark.parametrize("decision", sorted((ROOT / "docs/adr").glob("0*.md")), ids=lambda path: str(path.stem))
def test_a_decision_has_its_three_parts_and_fits_a_page(decision: Path) -> None:
    text = decision.read_text(encoding="utf-8")
    assert re.findall(r"^## (.+)$", text, re.MULTILINE) == ["Context", "Decision", "Consequences"]
    assert len(text.splitlines()) <= 60
