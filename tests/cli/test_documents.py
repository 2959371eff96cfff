"""Help, documentation, manual page and completions say the same."""

from __future__ import annotations

import pathlib
import re
import shutil
import subprocess
import unittest

from program import ProgramTest

ROOT = pathlib.Path(__file__).parents[2]
CLI_MD = ROOT / "docs" / "cli.md"
ERROR_HPP = ROOT / "include" / "weighbridge" / "error.hpp"
VERBS = (
    "convert",
    "ls",
    "info",
    "validate",
    "scan",
    "cat",
    "extract",
    "hash",
    "diff",
    "merge",
    "split",
    "meta",
    "completion",
)


def documented(verb: str) -> str:
    """The section of docs/cli.md on a verb."""
    text = CLI_MD.read_text()
    start = text.index(f"\n## weighbridge {verb}\n")
    end = text.find("\n## ", start + 1)
    return text[start:end]


# How findings come to their codes in the sources.
FINDING = re.compile(
    r"(?:\.code = |Verdict::\w+, |Severity::\w+, |warning\(|info\(|FindingsOfOneKind \w+\()"
    r'\s*"([A-Z][A-Za-z0-9]+)"'
)


class Documents(ProgramTest):
    def text_of(self, *arguments: str) -> str:
        done = self.run_program(*arguments)
        self.assertEqual((done.returncode, done.stderr), (0, b""))
        return done.stdout.decode()

    def options_of(self, verb: str) -> set[str]:
        return set(re.findall(r"(?<![\w-])--?[a-z][a-z0-9-]*", self.text_of(verb, "--help").split("Examples:")[0]))

    def test_the_help_lists_every_verb(self) -> None:
        commands = self.text_of("--help").split("Commands:\n")[1].split("\n\n")[0]
        self.assertEqual(tuple(re.findall(r"^  (\w+)", commands, re.MULTILINE)), VERBS)

    def test_every_option_of_the_help_is_documented(self) -> None:
        for verb in VERBS:
            section = documented(verb)
            for option in self.options_of(verb) - {"-h", "--help"}:
                self.assertRegex(section, rf"`[^`]*{option}\b", f"{verb} {option}")

    def test_every_documented_option_exists(self) -> None:
        for verb in VERBS:
            rows = re.findall(r"^\| `([^`]*)` \|", documented(verb), re.MULTILINE)
            named = {option for row in rows for option in re.findall(r"--?[a-z][a-z0-9-]*", row)}
            self.assertEqual(named - self.options_of(verb), set(), verb)

    def test_every_code_of_a_finding_is_documented_and_no_other(self) -> None:
        section = CLI_MD.read_text().split("\n## Findings\n")[1]
        listed = set(re.findall(r"^\| `(\w+)`", section, re.MULTILINE))
        used = {code for path in (ROOT / "src").rglob("*.cpp") for code in FINDING.findall(path.read_text())}
        errors = set(re.findall(r"^  (\w+) = \d+,", ERROR_HPP.read_text(), re.MULTILINE))
        self.assertEqual(used - errors, listed)

    def test_every_help_has_its_sections(self) -> None:
        for verb in VERBS:
            for section in ("Usage: weighbridge ", "Options:", "Examples:", "Exit status:"):
                self.assertIn(section, self.text_of(verb, "--help"), verb)

    def test_the_manual_page_names_every_option(self) -> None:
        page = self.text_of("man").replace("\\-", "-")
        for verb in VERBS:
            for option in self.options_of(verb):
                self.assertIn(option, page)

    @unittest.skipUnless(shutil.which("groff"), "groff is not installed")
    def test_the_manual_page_is_sound(self) -> None:
        command = ["groff", "-man", "-Tutf8", "-ww"]
        done = subprocess.run(command, input=self.text_of("man").encode(), capture_output=True, check=True)
        self.assertEqual(done.stderr, b"")

    def test_completions_name_every_option(self) -> None:
        for shell in ("bash", "zsh"):
            script = self.text_of("completion", shell)
            for verb in VERBS:
                for option in self.options_of(verb):
                    self.assertIn(option, script, shell)

    def test_completions_are_sound(self) -> None:
        checks = {"bash": ["bash", "-n"], "zsh": ["zsh", "-n"], "fish": ["fish", "--no-execute"]}
        for shell, command in checks.items():
            script = self.folder / f"completion.{shell}"
            script.write_text(self.text_of("completion", shell))
            if shutil.which(shell):
                subprocess.run([*command, str(script)], check=True)

    def test_bash_completes_verbs_options_and_values(self) -> None:
        words = {
            ("con",): ["convert"],
            ("convert", "--dur"): ["--durability"],
            ("convert", "--durability", ""): ["none", "data", "full"],
            ("completion", "z"): ["zsh"],
        }
        script = self.text_of("completion", "bash")
        for line, expected in words.items():
            quoted = " ".join(f"'{word}'" for word in ("weighbridge", *line))
            test = f'COMP_WORDS=({quoted}); COMP_CWORD={len(line)}; _weighbridge; echo "${{COMPREPLY[@]}}"'
            done = subprocess.run(["bash", "-c", script + test], capture_output=True, text=True, check=True)
            self.assertEqual(done.stdout.split(), expected)


if __name__ == "__main__":
    unittest.main()
