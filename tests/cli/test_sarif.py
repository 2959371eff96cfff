"""What `scan --sarif` prints is what SARIF 2.1.0 asks for, as far as readers of it insist."""

from __future__ import annotations

import json
import re
import unittest

from program import ProgramTest

LEVELS = {"none", "note", "warning", "error"}
URI = re.compile(r"^(?:[A-Za-z0-9._~/-]|%[0-9A-F]{2})+$")


class Sarif(ProgramTest):
    def scan(self, *paths: str) -> dict:
        done = self.run_program("scan", "--sarif", *paths)
        log = json.loads(done.stdout)
        self.assertEqual(log["version"], "2.1.0")
        self.assertTrue(log["$schema"].endswith("sarif-2.1.0.json"))
        self.assertEqual(len(log["runs"]), 1)
        return log["runs"][0]

    def check_artifacts(self, run: dict) -> None:
        for artifact in run["artifacts"]:
            self.assertRegex(artifact["location"]["uri"], URI)
            parent = artifact.get("parentIndex")
            if parent is not None:
                self.assertLess(parent, len(run["artifacts"]))
                self.assertNotIn("parentIndex", run["artifacts"][parent])

    def check_location(self, run: dict, location: dict) -> None:
        physical = location["physicalLocation"]
        index = physical["artifactLocation"]["index"]
        self.assertEqual(physical["artifactLocation"]["uri"], run["artifacts"][index]["location"]["uri"])
        if "region" in physical:
            self.assertGreaterEqual(physical["region"]["byteOffset"], 0)

    def check_result(self, run: dict, result: dict) -> None:
        rule = run["tool"]["driver"]["rules"][result["ruleIndex"]]
        self.assertEqual(rule["id"], result["ruleId"])
        self.assertIn(result["level"], LEVELS)
        self.assertTrue(result["message"]["text"])
        self.assertEqual(len(result["locations"]), 1)
        self.check_location(run, result["locations"][0])

    def check_run(self, run: dict) -> None:
        driver = run["tool"]["driver"]
        self.assertEqual(driver["name"], "weighbridge")
        names = [rule["id"] for rule in driver["rules"]]
        self.assertEqual(len(names), len(set(names)))
        for rule in driver["rules"]:
            self.assertTrue(rule["shortDescription"]["text"])
            self.assertIn(rule["defaultConfiguration"]["level"], LEVELS)
        self.check_artifacts(run)
        for result in run["results"]:
            self.check_result(run, result)

    def test_every_part_is_sound(self) -> None:
        run = self.scan("models", "dangerous.pt", "model.safetensors", "noise.bin")
        self.check_run(run)
        self.assertTrue(run["invocations"][0]["executionSuccessful"])

    def test_a_dangerous_name_is_an_error_at_its_byte(self) -> None:
        run = self.scan("models/inner.zip")
        self.check_run(run)
        (result,) = run["results"]
        self.assertEqual((result["ruleId"], result["level"]), ("DangerousGlobal", "error"))
        physical = result["locations"][0]["physicalLocation"]
        self.assertEqual(physical["region"], {"byteOffset": 161})
        self.assertEqual(physical["artifactLocation"]["uri"], "policy%1B.pth%21archive/data.pkl")
        artifact = run["artifacts"][physical["artifactLocation"]["index"]]
        self.assertEqual(run["artifacts"][artifact["parentIndex"]]["location"]["uri"], "models/inner.zip")

    def test_clean_files_have_no_results(self) -> None:
        self.assertEqual(self.scan("model.safetensors", "training.pt")["results"], [])

    def test_a_file_that_cannot_be_read_is_a_notification(self) -> None:
        run = self.scan("missing.pt")
        self.check_run(run)
        (invocation,) = run["invocations"]
        self.assertFalse(invocation["executionSuccessful"])
        (notification,) = invocation["toolExecutionNotifications"]
        self.assertEqual(notification["level"], "error")
        self.check_location(run, notification["locations"][0])


class Scan(ProgramTest):
    """What no transcript shows: links, standard input, the order of folders."""

    def verdicts(self, *arguments: str, **options: object) -> dict[str, str]:
        done = self.run_program("scan", "--json", *arguments, **options)
        return {file["file"]: file["verdict"] for file in json.loads(done.stdout)["files"]}

    def test_links_in_folders_are_not_followed(self) -> None:
        (self.folder / "models" / "link.pt").symlink_to(self.folder / "dangerous.pt")
        (self.folder / "models" / "loop").symlink_to(self.folder / "models")
        self.assertNotIn("models/link.pt", self.verdicts("models"))
        self.assertEqual(len(self.verdicts("models")), 5)

    def test_a_link_that_is_named_is_followed(self) -> None:
        (self.folder / "link.pt").symlink_to(self.folder / "dangerous.pt")
        self.assertEqual(self.verdicts("link.pt"), {"link.pt": "dangerous"})

    def test_files_below_folders_come_in_order(self) -> None:
        (self.folder / "models" / "deep").mkdir()
        (self.folder / "models" / "deep" / "z.pkl").write_bytes(b"N.")
        names = list(self.verdicts("models"))
        self.assertEqual(names, sorted(names))
        self.assertIn("models/deep/z.pkl", names)

    def test_standard_input_is_a_file_too(self) -> None:
        content = (self.folder / "dangerous.pt").read_bytes()
        self.assertEqual(self.verdicts("-", input=content), {"-": "dangerous"})


if __name__ == "__main__":
    unittest.main()
