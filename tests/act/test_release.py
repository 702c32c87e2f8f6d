# SPDX-License-Identifier: Apache-2.0
"""release.yml, run by act on this machine: what a tag publishes, and what keeps it from being published. GitHub's own
actions and its command line are stand-ins here that keep what they are given."""

import hashlib
import json
import os
import re
import shutil
import subprocess
import tarfile

import pytest

from conftest import ROOT, TOOLS, VENV, git
from test_act import ALL, CHECKOUT

UPLOAD = "bbbca2ddaa5d8feaa63e36b76fdaad77386f024f"
DOWNLOAD = "3e5f45b2cfb9172054b4087a40e8e0b5a5461e7c"
ATTEST = "a2bbfa25375fe432b6a289bc6b6cd05ecd0c4c32"

VERSION = re.search(r"^project\(offshoot VERSION ([0-9.]+)", (ROOT / "CMakeLists.txt").read_text(), re.MULTILINE)[1]
NAME = f"offshoot-{VERSION}-linux-x86_64"

STAND_INS = {
    f"actions/checkout@{CHECKOUT}": """inputs: {fetch-depth: {default: "1"}, persist-credentials: {default: "true"}}
runs:
  using: composite
  steps:
    - shell: bash
      env: {DEPTH: "${{ inputs.fetch-depth }}", PERSIST: "${{ inputs.persist-credentials }}"}
      run: |
        [ "$PERSIST" = false ]
        find . -mindepth 1 -delete
        git clone --quiet ${DEPTH:+--depth "$((DEPTH == 0 ? 1000000 : DEPTH))"} "file://$TAGGED" .
""",
    f"actions/upload-artifact@{UPLOAD}": """inputs: {name: {required: true}, path: {required: true}, if-no-files-found: {default: warn}}
runs:
  using: composite
  steps:
    - shell: bash
      env: {NAME: "${{ inputs.name }}", FILES: "${{ inputs.path }}"}
      run: |
        mkdir "$SAID/$NAME"
        cp $FILES "$SAID/$NAME"
""",
    f"actions/download-artifact@{DOWNLOAD}": """inputs: {name: {required: true}, path: {required: true}}
runs:
  using: composite
  steps:
    - shell: bash
      env: {NAME: "${{ inputs.name }}", INTO: "${{ inputs.path }}"}
      run: mkdir -p "$INTO" && cp "$SAID/$NAME"/* "$INTO"
""",
    f"actions/attest-build-provenance@{ATTEST}": """inputs: {subject-path: {required: true}}
runs:
  using: composite
  steps:
    - shell: bash
      env: {SUBJECTS: "${{ inputs.subject-path }}"}
      run: sha256sum $SUBJECTS > "$SAID/attested"
""",
}

GH = """#!/bin/sh
[ -n "$GH_TOKEN" ] || exit 4
printf '%s\\n' "$@" > "$SAID/gh"
for file; do [ ! -f "$file" ] || cp "$file" "$SAID/published"; done
"""

# In place of compiling: what the test says that compiling gives.
BUILT_BEFORE = """#!/bin/sh
[ "$*" = --all ] && mkdir -p build/dist && cp "$BUILT"/* build/dist
"""


class Release:
    """A repository with a tag, and the runner that GitHub starts on it."""

    def __init__(self, folder):
        self.folder = folder
        self.tagged = folder / "tagged"
        self.said = folder / "said"
        self.built = folder / "built"
        for each in (self.said / "published", self.built, folder / "bin", folder / "home"):
            each.mkdir(parents=True)
        for path in subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True).stdout.decode().split("\0"):
            if path and (ROOT / path).is_file():
                (self.tagged / path).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(ROOT / path, self.tagged / path)
        gh = folder / "bin/gh"
        gh.write_text(GH)
        gh.chmod(0o755)
        # The image that the workflow names is a Debian 12, as this machine is.
        workflow = self.tagged / ".github/workflows/release.yml"
        text, images = re.subn(r"    container:\n      image: docker\.io/library/debian:bookworm@.*\n      options: .*\n", "", workflow.read_text())
        assert images == 1
        workflow.write_text(text)
        self.actions = []
        for number, (action, text) in enumerate(STAND_INS.items()):
            place = folder / f"action-{number}"
            place.mkdir()
            (place / "action.yml").write_text(f"name: a stand-in\ndescription: Keeps what it is given\n{text}")
            git(place, "init", "--quiet")
            git(place, "add", "--all")
            git(place, "commit", "--quiet", "--message", "An action")
            self.actions += ["--local-repository", f"{action}={place}"]
        git(self.tagged, "init", "--quiet")
        git(self.tagged, "remote", "add", "origin", "https://github.com/offshoot-dev/offshoot")

    def build(self, program):
        """What ci/package is to have made: `program`, packed, and its sums."""
        with tarfile.open(self.built / f"{NAME}.tar.gz", "w:gz") as archive:
            archive.add(program, f"offshoot-{VERSION}/bin/offshoot")
        (self.built / f"{NAME}.spdx.json").write_text("{}\n")
        sums = [f"{hashlib.sha256((self.built / file).read_bytes()).hexdigest()}  {file}\n" for file in (f"{NAME}.tar.gz", f"{NAME}.spdx.json")]
        (self.built / "SHA256SUMS").write_text("".join(sums))
        (self.tagged / "ci/package").write_text(BUILT_BEFORE)
        # What the job installs is what packing needs.
        (self.folder / "bin/apt-get").symlink_to("/bin/true")
        (self.tagged / "action/SHA256SUMS").write_text(sums[0])

    def tag(self, name):
        git(self.tagged, "add", "--all")
        git(self.tagged, "commit", "--quiet", "--allow-empty", "--message", "A release")
        git(self.tagged, "tag", name)
        event = self.folder / "event.json"
        event.write_text(json.dumps({"ref": f"refs/tags/{name}", "repository": {"full_name": "offshoot-dev/offshoot", "default_branch": "main"}}))
        command = [TOOLS / "bin/act", "push", "--workflows", ".github/workflows/release.yml", "--eventpath", event, "-P", "ubuntu-24.04=-self-hosted",
                   "--env", f"TAGGED={self.tagged}", "--env", f"SAID={self.said}", "--env", f"BUILT={self.built}",
                   "--secret", "GITHUB_TOKEN=ghs_0123456789abcdef", "--defaultbranch", "main", *self.actions]
        home = self.folder / "home"
        environment = {name: value for name, value in os.environ.items() if not name.startswith(("GIT_", "GITHUB_", "CCACHE_"))}
        environment |= {"PATH": f"{self.folder / 'bin'}:{VENV / 'bin'}:{os.environ['PATH']}", "HOME": str(home), "XDG_CACHE_HOME": str(home / "cache")}
        done = subprocess.run(command, cwd=self.tagged, env=environment, capture_output=True, text=True)
        return done.returncode, done.stdout + done.stderr

    def published(self):
        return {file.name: file.read_bytes() for file in (self.said / "published").iterdir()}


@pytest.fixture
def release(tmp_path):
    if os.geteuid() != 0:
        pytest.skip("the workflow installs packages as root")
    return Release(tmp_path)


def assert_that_it_is_published(release, name):
    assert (release.said / "gh").read_text().splitlines() == [
        "release", "create", name, "--repo", "offshoot-dev/offshoot", "--verify-tag", "--generate-notes",
        "dist/SHA256SUMS", f"dist/{NAME}.spdx.json", f"dist/{NAME}.tar.gz",
    ]
    published = release.published()
    sums = dict(reversed(line.split()) for line in published.pop("SHA256SUMS").decode().splitlines())
    assert sums == {file: hashlib.sha256(data).hexdigest() for file, data in published.items()}
    attested = dict(reversed(line.split()) for line in (release.said / "attested").read_text().splitlines())
    assert sums.items() <= {file.removeprefix("dist/"): digest for file, digest in attested.items()}.items()


def test_a_tag_publishes_what_was_tried_and_attested(release, offshoot):
    release.build(offshoot)
    status, said = release.tag(f"v{VERSION}")
    assert status == 0, said
    assert "asks over TLS" in said
    assert_that_it_is_published(release, f"v{VERSION}")


def test_H2_what_the_action_has_no_checksum_of_is_not_published(release, offshoot):
    release.build(offshoot)
    (release.tagged / "action/SHA256SUMS").write_text(f"{'0' * 64}  {NAME}.tar.gz\n")
    status, said = release.tag(f"v{VERSION}")
    assert status != 0
    assert "action/SHA256SUMS is not of what was built here: run ci/release again" in said
    assert not release.published()


def test_a_tag_that_is_not_the_version_publishes_nothing(release, offshoot):
    release.build(offshoot)
    status, _ = release.tag("v99.0.0")
    assert status != 0
    assert not release.published()


def test_what_does_not_run_is_not_published(release):
    release.build("/bin/false")
    status, _ = release.tag(f"v{VERSION}")
    assert status != 0
    assert (release.said / "dist").is_dir(), "it was built, and then tried"
    assert not release.published()


@pytest.mark.skipif(not ALL, reason="compiles everything anew, thrice, and makes two bare Debians twice: in the long form")
def test_H4_from_ci_release_to_what_is_published(release):
    changes = release.tagged / "CHANGELOG.md"
    changes.write_text(changes.read_text().replace("## Unreleased", f"## {VERSION}"))
    git(release.tagged, "add", "--all")
    git(release.tagged, "commit", "--quiet", "--message", "What is to be released")
    identity = {f"GIT_{who}_{what}": value for who in ("AUTHOR", "COMMITTER") for what, value in (("NAME", "test"), ("EMAIL", "test@example.com"))}
    clone = release.folder / "maintainer"
    git(release.folder, "clone", "--quiet", release.tagged, clone)
    made = subprocess.run(["ci/release"], cwd=clone, env=os.environ | identity, capture_output=True, text=True)
    assert made.returncode == 0, made.stdout + made.stderr
    git(release.tagged, "pull", "--quiet", "--ff-only", clone)
    status, said = release.tag(f"v{VERSION}")
    assert status == 0, said
    assert said.count("two builds are byte for byte the same") == 1
    for suite in ("bookworm", "trixie"):
        assert f"all of that in {suite}" in said
    assert_that_it_is_published(release, f"v{VERSION}")
    digest = hashlib.sha256(release.published()[f"{NAME}.tar.gz"]).hexdigest()
    assert (release.tagged / "action/SHA256SUMS").read_text() == f"{digest}  {NAME}.tar.gz\n"
