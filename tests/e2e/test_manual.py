"""The manual: it names every command, option and configuration key that help names."""

import re
import shutil
import subprocess
import unittest

from mounted import TOP, MountTest, modelfs

MANUAL = TOP / "cli/modelfs.1"


def words_of(text):
    """The manual's words without its markup; a dash of an option is written or macro."""
    text = re.sub(r"^\.\\\".*$", "", text, flags=re.MULTILINE)
    return {word.strip(",") for word in re.split(r"[\s|]+", text)}


class Manual(MountTest):
    def setUp(self):
        super().setUp()
        self.words = words_of(MANUAL.read_text(encoding="utf-8"))
        help_text = modelfs("--help").stdout
        self.commands = re.findall(r"^  ([a-z]+) {2,}", help_text, re.MULTILINE)

    def assert_named(self, word):
        # Not assertIn, which would print every word of the manual.
        self.assertTrue(word in self.words, f"{MANUAL} does not name '{word}'")

    def test_names_every_command(self):
        self.assertGreater(len(self.commands), 10)
        for command in self.commands:
            with self.subTest(command):
                self.assert_named(command)

    def test_names_every_option(self):
        for command in self.commands:
            text = modelfs(command, "-h").stdout
            options = re.findall(r"^ +(?:-\w, )?-(-?[a-z]+)", text, re.MULTILINE)
            self.assertIn("-help", options)
            for option in options:
                with self.subTest(command=command, option=option):
                    self.assert_named(option)

    def test_names_every_configuration_key(self):
        text = modelfs("mount", "-h").stdout
        keys = re.findall(r"^  ([a-z]+(?:\.[a-z]+)?) {2,}",
                          text[text.index("Configuration"):], re.MULTILINE)
        self.assertIn("cache.size", keys)
        self.assertIn("log", keys)
        for key in keys:
            with self.subTest(key):
                self.assert_named(key)

    @unittest.skipUnless(shutil.which("mandoc"), "mandoc is not installed")
    def test_is_well_formed(self):
        done = subprocess.run(["mandoc", "-T", "lint", "-W", "error", MANUAL],
                              capture_output=True, text=True, check=False, timeout=60)
        self.assertEqual(done.stdout, "")
