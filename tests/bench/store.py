# SPDX-License-Identifier: Apache-2.0
"""Uploads of a run's artifacts: offshoot against the AWS command line and boto3, to one versitygw on this machine.

200 files, about 200 MB, as dbt and edr make them for a project of 8,000 models: both manifests, the partial parse,
Elementary's page and compiled SQL. Every round runs each contestant once, into a prefix of its own; the table has
medians and ratios. `copy` is the same files through a socket of the loopback into files, by one process that only
copies. s5cmd and rclone are compared where they are on PATH. A second table has as many bytes that no gzip makes shorter.
"""

import argparse
import os
import random
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import uuid
from importlib.util import find_spec
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/store"))
sys.path.insert(0, str(ROOT / "tests/bench"))
import servers  # noqa: E402
import state  # noqa: E402
from servers import KEY, SECRET  # noqa: E402

MB = 1_000_000
BUCKET = "artifacts"
BOTO3 = """
import sys, boto3
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
folder, prefix = Path(sys.argv[1]), sys.argv[2]
client = boto3.client("s3")
files = [path for path in folder.rglob("*") if path.is_file()]
with ThreadPoolExecutor(8) as pool:
    list(pool.map(lambda path: client.upload_file(str(path), "artifacts", f"{prefix}/{path.relative_to(folder)}"), files))
"""


def keep(folder, name, source):
    (folder / name).parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, folder / name)


def dbts_artifacts(folder, files=200):
    """What a run keeps of a project of 8,000 models, made by dbt itself."""
    project = state.Project(8000)
    project.make()
    compiled = project.head / "target/compiled"
    if not compiled.exists():
        state.dbt("compile", "--no-populate-cache", "--no-introspect", "--select", "path:models/marts/domain_00*",
                  "path:models/marts/domain_01*", cwd=project.head)
    keep(folder, "manifest.json", project.head_manifest)
    keep(folder, "state/manifest.json", project.base_manifest)
    keep(folder, "state/partial_parse.msgpack", project.base / "target/partial_parse.msgpack")
    edr = Path(find_spec("elementary").submodule_search_locations[0])
    keep(folder, "elementary.html", edr / "monitor/data_monitoring/report/index.html")
    for file in sorted(compiled.rglob("*.sql"))[:files - 4]:
        keep(folder, f"compiled/{file.relative_to(compiled)}", file)


def random_bytes(folder):
    """As many, about as large, and with no pattern at all."""
    rng = random.Random(1)
    sizes = {"manifest.json": 60 * MB, "partial_parse.msgpack": 50 * MB, "elementary.html": 18 * MB,
             "catalog.json": 12 * MB, "run_results.json": 4 * MB, "run.json": 1 * MB}
    rest = 200 * MB - sum(sizes.values())
    compiled = 200 - len(sizes)
    for i in range(compiled):
        sizes[f"compiled/shop/models/m{i}.sql"] = rest // compiled
    block = rng.randbytes(MB)
    for name, size in sizes.items():
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        offset = rng.randrange(MB)
        with file.open("wb") as out:
            while size > 0:
                out.write(block[offset:offset + size] or block[:size])
                size -= min(size, MB - offset)
                offset = 0


def copy_through_loopback(folder, target):
    """One connection, no protocol, no checksum: the floor."""
    target.mkdir()
    listener = socket.create_server(("127.0.0.1", 0))

    def receive():
        connection, _ = listener.accept()
        with (target / "all").open("wb") as out, connection:
            while data := connection.recv(1 << 20):
                out.write(data)

    receiver = threading.Thread(target=receive)
    receiver.start()
    with socket.create_connection(listener.getsockname()) as sender:
        for file in sorted(folder.rglob("*")):
            if file.is_file():
                with file.open("rb") as source:
                    sender.sendfile(source)
    receiver.join()
    listener.close()


class Bench:
    def __init__(self, tool, folder, make_artifacts):
        self.tool = tool
        self.folder = folder
        self.artifacts = folder / "artifacts"
        make_artifacts(self.artifacts)
        files = [file for file in self.artifacts.rglob("*") if file.is_file()]
        self.megabytes = sum(file.stat().st_size for file in files) / MB
        print(f"{len(files)} files of {self.megabytes:.0f} MB", file=sys.stderr)
        (folder / "server").mkdir()
        self.server = servers.versitygw(folder / "server")
        self.environment = {"PATH": os.environ["PATH"], "HOME": str(folder), "AWS_ACCESS_KEY_ID": KEY,
                            "AWS_SECRET_ACCESS_KEY": SECRET, "AWS_REGION": "us-east-1", "AWS_DEFAULT_REGION": "us-east-1",
                            "AWS_ENDPOINT_URL": self.server.url, "AWS_EC2_METADATA_DISABLED": "true"}
        self.call("python", "-c", "import boto3; boto3.client('s3').create_bucket(Bucket='artifacts')")

    def call(self, *command):
        subprocess.run([str(part) for part in command], env=self.environment, check=True, stdout=subprocess.DEVNULL)

    def timed(self, contestant):
        prefix = uuid.uuid4().hex
        commands = {
            "offshoot": (self.tool, f"s3://{BUCKET}/{prefix}", "upload", "1/runs/x", self.artifacts),
            "aws s3 cp": ("aws", "s3", "cp", "--recursive", "--quiet", self.artifacts, f"s3://{BUCKET}/{prefix}"),
            "boto3, 8 threads": ("python", "-c", BOTO3, self.artifacts, prefix),
            "rclone": ("rclone", "copy", "--quiet", "--transfers", "16", "--s3-no-check-bucket", self.artifacts,
                       f":s3,provider=Other,env_auth,endpoint='{self.server.url}':{BUCKET}/{prefix}"),
            "s5cmd": ("s5cmd", "--endpoint-url", self.server.url, "cp", f"{self.artifacts}/", f"s3://{BUCKET}/{prefix}/"),
        }
        begun = time.monotonic()
        if contestant == "copy":
            copy_through_loopback(self.artifacts, self.folder / prefix)
        elif contestant == "offshoot again":
            self.call(self.tool, f"s3://{BUCKET}/again", "upload", "1/runs/x", self.artifacts)
        else:
            self.call(*commands[contestant])
        took = time.monotonic() - begun
        shutil.rmtree(self.folder / prefix, ignore_errors=True)
        shutil.rmtree(self.folder / "server/root" / BUCKET / prefix, ignore_errors=True)
        return took


def compare(tool, runs, make_artifacts):
    """Prints the table, and returns how many times as fast as the others offshoot is."""
    folder = Path(tempfile.mkdtemp(prefix="offshoot-bench-"))
    bench = Bench(tool, folder, make_artifacts)
    contestants = ["copy", "offshoot", "offshoot again", "boto3, 8 threads", "aws s3 cp"]
    contestants += [name for name in ("rclone", "s5cmd") if shutil.which(name)]
    times = {name: [] for name in contestants}
    try:
        bench.timed("offshoot again")  # what it finds there later
        for n in range(runs):
            for name in contestants:
                times[name].append(bench.timed(name))
                print(f"round {n + 1}: {name} {times[name][-1]:.2f} s", file=sys.stderr)
    finally:
        bench.server.stop()
        shutil.rmtree(folder, ignore_errors=True)
    medians = {name: statistics.median(values) for name, values in times.items()}
    print("| contestant | median s | MB/s | against offshoot |\n| --- | ---: | ---: | ---: |")
    for name, median in medians.items():
        print(f"| {name} | {median:.2f} | {bench.megabytes / median:.0f} | {median / medians['offshoot']:.2f} |")
    print()
    return {name: median / medians["offshoot"] for name, median in medians.items()}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--offshoot", required=True, help="the binary, beside which store_tool lies")
    parser.add_argument("--runs", type=int, default=5)
    options = parser.parse_args()
    subprocess.run([ROOT / "ci/tools", "versitygw"], check=True)
    subprocess.run(["cmake", "--build", "--preset", "release", "--target", "store_tool"], cwd=ROOT, check=True,
                   stdout=subprocess.DEVNULL)
    tool = Path(options.offshoot).parent / "store_tool"
    print("\nWhat dbt and edr make:\n")
    faster = compare(tool, options.runs, dbts_artifacts)
    print("Bytes that cannot be packed:\n")
    compare(tool, options.runs, random_bytes)
    print(f"With dbt's artifacts offshoot is {faster['aws s3 cp']:.1f} times as fast as aws s3 cp (asked for: 3); "
          f"it takes {1 / faster['copy']:.1f} times a plain copy through the loopback.")
    enough = faster["aws s3 cp"] >= 3
    if "s5cmd" in faster:
        print(f"It is {faster['s5cmd']:.2f} times as fast as s5cmd (asked for: 1).")
        enough = enough and faster["s5cmd"] >= 1
    return 0 if enough else 1


if __name__ == "__main__":
    sys.exit(main())
