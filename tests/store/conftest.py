# SPDX-License-Identifier: Apache-2.0
"""What the store's tests run on: real servers, started once a session, and the tool that drives a store."""

import os
import subprocess
import uuid
from pathlib import Path

import boto3
import pytest
from botocore.client import Config

import servers
from servers import KEY, SECRET

ROOT = Path(__file__).resolve().parents[2]
LONG = os.environ.get("OFFSHOOT_TEST_ALL") == "yes"
# MinIO takes six minutes to build: the short form goes without it where it is not there already.
HAS_MINIO = LONG or (servers.TOOLS / "minio").exists()


@pytest.fixture(scope="session")
def tool():
    binary = Path(os.environ.get("STORE_TOOL", ROOT / "build/release/store_tool"))
    assert binary.is_file(), f"{binary} is missing: run ci/test store"
    return binary


def one_server(name, make):
    @pytest.fixture(scope="session", name=name)
    def start(tmp_path_factory):
        server = make(tmp_path_factory.mktemp(name))
        yield server
        server.stop()

    return start


versitygw = one_server("versitygw", servers.versitygw)
minio = one_server("minio", servers.minio)
toxiproxy = one_server("toxiproxy", servers.toxiproxy)
moto = one_server("moto", servers.moto)


class Said:
    """How a run of the tool ended."""

    def __init__(self, done):
        self.status = done.returncode
        self.out = done.stdout.decode(errors="replace")
        self.err = done.stderr.decode(errors="replace")

    def ok(self):
        assert self.status == 0, self.err
        return self.out


class Place:
    """A store of its own: a prefix in a bucket, or a folder."""

    def __init__(self, tool, address, environment, server=None):
        self.tool = tool
        self.address = address
        self.environment = environment
        self.server = server

    def command(self, *arguments):
        return [str(self.tool), self.address, *map(str, arguments)]

    def run(self, *arguments, timeout=120, **environment):
        env = {**self.environment, **{name: value for name, value in environment.items() if value is not None}}
        for name, value in environment.items():
            if value is None:
                env.pop(name, None)
        return Said(subprocess.run(self.command(*arguments), env=env, capture_output=True, timeout=timeout))

    def start(self, *arguments, **environment):
        return subprocess.Popen(self.command(*arguments), env={**self.environment, **environment},
                                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def through(self, url):
        """The same store, reached through a proxy."""
        return Place(self.tool, self.address, {**self.environment, "AWS_ENDPOINT_URL_S3": url}, self.server)

    @property
    def bucket(self):
        return self.address.split("/")[2]

    @property
    def prefix(self):
        return self.address.split("/", 3)[3]

    def client(self, service="s3", **more):
        """boto3, which knows nothing of offshoot."""
        return boto3.client(service, endpoint_url=self.server.url, aws_access_key_id=KEY, aws_secret_access_key=SECRET,
                            region_name="us-east-1", config=Config(s3={"addressing_style": "path"}), **more)


def s3_place(tool, server):
    environment = {"PATH": os.environ["PATH"], "AWS_ACCESS_KEY_ID": KEY, "AWS_SECRET_ACCESS_KEY": SECRET,
                   "AWS_ENDPOINT_URL_S3": server.url, "AWS_EC2_METADATA_DISABLED": "true"}
    place = Place(tool, f"s3://artifacts/{uuid.uuid4().hex}/offshoot", environment, server)
    client = place.client()
    if "artifacts" not in [bucket["Name"] for bucket in client.list_buckets()["Buckets"]]:
        client.create_bucket(Bucket="artifacts")
    return place


@pytest.fixture
def gateway(tool, versitygw):
    """A store on versitygw, the strictest of the servers."""
    return s3_place(tool, versitygw)


S3_SERVERS = ["versitygw", *(["minio"] if HAS_MINIO else [])]


@pytest.fixture(params=S3_SERVERS)
def s3(request, tool):
    return s3_place(tool, request.getfixturevalue(request.param))


@pytest.fixture(params=["folder", *S3_SERVERS])
def store(request, tool, tmp_path):
    if request.param == "folder":
        return Place(tool, str(tmp_path / "store"), {"PATH": os.environ["PATH"]})
    return s3_place(tool, request.getfixturevalue(request.param))
