# SPDX-License-Identifier: Apache-2.0
"""What only S3 does: signatures, regions, clocks, sessions, faults, uploads in parts, links."""

import collections
import datetime
import gzip
import hashlib
import os
import random
import re
import signal
import subprocess
import threading
import time
import urllib.error
import urllib.request
import zlib
from concurrent.futures import ThreadPoolExecutor

import pytest

from conftest import LONG, Place, s3_place
from servers import KEY, SECRET, Between, Toxics


def written(tmp_path, size, name="file"):
    file = tmp_path / name
    file.write_bytes(random.Random(size).randbytes(size))
    return file


# --- what a wrong setting is told as


def test_J1_a_wrong_secret(s3, tmp_path):
    said = s3.run("put", "1/x", written(tmp_path, 10), AWS_SECRET_ACCESS_KEY="wrongcanary")
    assert said.status == 3
    assert "the signature does not match: the secret from the environment" in said.err
    assert "canary" not in said.err
    assert s3.run("list", "1/").ok() == ""


def test_an_unknown_access_key(s3):
    said = s3.run("list", "1/", AWS_ACCESS_KEY_ID="NOSUCHKEY")
    assert said.status == 3
    assert "does not know the access key from the environment" in said.err


def test_no_credentials(s3):
    said = s3.run("list", "1/", AWS_ACCESS_KEY_ID=None, AWS_SECRET_ACCESS_KEY=None)
    assert said.status == 2
    assert "there are none in the environment" in said.err and "docs/store.md" in said.err


def test_half_of_the_credentials(s3):
    said = s3.run("list", "1/", AWS_SECRET_ACCESS_KEY=None)
    assert said.status == 2
    assert "AWS_ACCESS_KEY_ID is set, and AWS_SECRET_ACCESS_KEY is not" in said.err


def test_a_bucket_that_is_not_there(s3):
    other = Place(s3.tool, "s3://nosuchbucket/x", s3.environment)
    for verb in (["list", "1/"], ["read", "1/x"], ["put-if", "1/x", "y"]):
        said = other.run(*verb)
        assert said.status == 2
        assert "there is no bucket 'nosuchbucket' at http://127.0.0.1" in said.err


def test_a_server_that_is_not_there(gateway):
    said = gateway.run("list", "1/", AWS_ENDPOINT_URL_S3="http://127.0.0.1:9")
    assert said.status == 3
    assert "connection refused" in said.err


def test_J1_a_wrong_region_is_mended(s3, tmp_path):
    s3.run("put", "1/x", written(tmp_path, 10), AWS_REGION="eu-west-1").ok()
    assert s3.run("list", "1/", AWS_DEFAULT_REGION="eu-west-1").ok() == "1/x 10\n"


def test_J4_a_wrong_clock_is_mended(s3, tmp_path):
    file = written(tmp_path, 10)
    # The server is one whose clock is 20 minutes ahead: our Date as it comes, x-amz-date moved on the way.
    skewed = []

    def ahead(handler, n):
        sent = datetime.datetime.strptime(handler.headers["x-amz-date"], "%Y%m%dT%H%M%SZ")
        off = abs((datetime.datetime.utcnow() + datetime.timedelta(minutes=20) - sent).total_seconds())
        if off < 60:
            handler.answer(200, b"", ETag='"x"')
            return True
        skewed.append(n)
        date = (datetime.datetime.utcnow() + datetime.timedelta(minutes=20)).strftime("%a, %d %b %Y %H:%M:%S GMT")
        handler.date_time_string = lambda: date
        handler.answer(403, b"<Error><Code>RequestTimeTooSkewed</Code><Message>x</Message></Error>")
        return True

    between = Between(s3.server, ahead)
    s3.through(between.url).run("put", "1/x", file).ok()
    assert skewed == [1]
    assert len(between.seen) == 2


def test_a_clock_that_cannot_be_mended_is_told(gateway):
    body = b"<Error><Code>RequestTimeTooSkewed</Code><Message>x</Message></Error>"
    between = Between(gateway.server, lambda handler, n: handler.answer(403, body) or True)
    said = gateway.through(between.url).run("list", "1/")
    assert said.status == 3 and "clock" in said.err
    assert len(between.seen) == 2


# --- sessions


@pytest.fixture
def session(request):
    """A session of MinIO's STS, or none where MinIO is not there."""
    minio = request.getfixturevalue("minio")
    place = s3_place(request.getfixturevalue("tool"), minio)
    given = place.client("sts").assume_role(RoleArn="arn:x:ignored:in:minio:aaaaaaaaa", RoleSessionName="xx",
                                            DurationSeconds=900)["Credentials"]
    place.environment |= {"AWS_ACCESS_KEY_ID": given["AccessKeyId"], "AWS_SECRET_ACCESS_KEY": given["SecretAccessKey"],
                          "AWS_SESSION_TOKEN": given["SessionToken"]}
    return place


needs_minio = pytest.mark.skipif("not __import__('conftest').HAS_MINIO", reason="MinIO: ci/tools minio, or --all")


@needs_minio
def test_a_session_token_is_sent_and_signed(session, tmp_path):
    session.run("put", "1/x", written(tmp_path, 10)).ok()
    assert session.run("list", "1/").ok() == "1/x 10\n"
    without = session.run("list", "1/", AWS_SESSION_TOKEN=None)
    assert without.status == 3
    tampered = session.run("list", "1/", AWS_SESSION_TOKEN=session.environment["AWS_SESSION_TOKEN"][:-4] + "AAAA")
    assert tampered.status == 3
    assert session.environment["AWS_SESSION_TOKEN"][:20] not in tampered.err + without.err


@needs_minio
def test_assumes_a_role_of_a_profile(minio, tool, tmp_path):
    place = s3_place(tool, minio)
    (tmp_path / "config").write_text(f"""
[profile ci]
role_arn = arn:aws:iam::123456789012:role/ci
source_profile = base   # keys in the other file
region = us-east-1
endpoint_url = {minio.url}
s3 =
  addressing_style = path
""")
    (tmp_path / "credentials").write_text(f"[base]\naws_access_key_id = {KEY}\naws_secret_access_key = {SECRET}\n")
    profile = {"AWS_PROFILE": "ci", "AWS_CONFIG_FILE": str(tmp_path / "config"), "AWS_ACCESS_KEY_ID": None,
               "AWS_SHARED_CREDENTIALS_FILE": str(tmp_path / "credentials"), "AWS_SECRET_ACCESS_KEY": None}
    place.run("put", "1/x", written(tmp_path, 10), AWS_ENDPOINT_URL=minio.url, **profile).ok()
    assert place.run("list", "1/", AWS_ENDPOINT_URL=minio.url, AWS_ENDPOINT_URL_S3=None, **profile).ok() == "1/x 10\n"
    link, expires = place.run("link", "1/x", 7 * 24 * 3600, AWS_ENDPOINT_URL=minio.url, **profile).ok().split()
    lives = datetime.datetime.fromisoformat(expires.replace("Z", "+00:00")) - datetime.datetime.now(datetime.timezone.utc)
    assert lives < datetime.timedelta(seconds=3601), "a link dies with its session"
    assert urllib.request.urlopen(link).read() == (tmp_path / "file").read_bytes()


def test_an_expired_token_is_renewed_once(gateway, tmp_path):
    (tmp_path / "credentials").write_text(
        f"[default]\naws_access_key_id = {KEY}\naws_secret_access_key = {SECRET}\n")
    expired = b"<Error><Code>ExpiredToken</Code><Message>The provided token has expired.</Message></Error>"
    once = Between(gateway.server, lambda handler, n: n == 1 and (handler.answer(400, expired) or True))
    gateway.through(once.url).run("list", "1/").ok()
    always = Between(gateway.server, lambda handler, n: handler.answer(400, expired) or True)
    said = gateway.through(always.url).run("list", "1/")
    assert said.status == 3
    assert "the session token from the environment is expired" in said.err
    assert len(always.seen) == 2


def test_C5_web_identity_by_file_and_by_githubs_endpoint(gateway, moto, tmp_path):
    asked = []

    def sts(handler, n):
        body = handler.body.decode()
        asked.append(body)
        return False

    between = Between(moto, sts)
    (tmp_path / "token").write_text("header.payload.signature\n")
    role = {"AWS_ROLE_ARN": "arn:aws:iam::123456789012:role/ci", "AWS_ENDPOINT_URL_STS": between.url,
            "AWS_ACCESS_KEY_ID": None, "AWS_SECRET_ACCESS_KEY": None, "GITHUB_RUN_ID": "77", "GITHUB_RUN_ATTEMPT": "2"}
    # moto gives a session that versitygw does not know: that it says so shows whose key was used.
    said = gateway.run("list", "1/", AWS_WEB_IDENTITY_TOKEN_FILE=str(tmp_path / "token"), **role)
    assert "the session token from the role arn:aws:iam::123456789012:role/ci by web identity is not valid" in said.err
    assert "Action=AssumeRoleWithWebIdentity" in asked[-1] and "WebIdentityToken=header.payload.signature" in asked[-1]
    assert "RoleSessionName=offshoot-77-2" in asked[-1]

    tokens = Between(moto, lambda handler, n: handler.answer(
        200 if handler.headers["Authorization"] == "Bearer request-canary" else 401, b'{"value": "from.github.canary"}') or True)
    said = gateway.run("list", "1/", ACTIONS_ID_TOKEN_REQUEST_URL=tokens.url + "/token?api-version=2",
                       ACTIONS_ID_TOKEN_REQUEST_TOKEN="request-canary", **role)
    assert tokens.seen == [("GET", "/token?api-version=2&audience=sts.amazonaws.com")]
    assert "WebIdentityToken=from.github.canary" in asked[-1]
    assert "by web identity" in said.err and "canary" not in said.err

    # moto's own S3 takes the session: it is sent with each request, and signed.
    sent = []
    bucket = Between(moto, lambda handler, n: sent.append(handler.headers))
    there = Place(gateway.tool, gateway.address, {**gateway.environment, "AWS_ENDPOINT_URL_S3": bucket.url}, moto)
    there.client().create_bucket(Bucket=there.bucket)
    there.run("put", "1/x", written(tmp_path, 10), AWS_WEB_IDENTITY_TOKEN_FILE=str(tmp_path / "token"), **role).ok()
    assert there.client().get_object(Bucket=there.bucket, Key=f"{there.prefix}/1/x")["ContentLength"] == 10
    for headers in sent:
        assert len(headers["x-amz-security-token"]) > 100
        assert "x-amz-security-token" in headers["Authorization"].split("SignedHeaders=")[1]
        assert KEY not in headers["Authorization"]
    said = gateway.run("list", "1/", GITHUB_ACTIONS="true", **role)
    assert said.status == 2 and "id-token: write" in said.err


def metadata_server(upstream, **credentials):
    """Answers as an instance's metadata and as a container's endpoint do."""
    body = ('{"Code": "Success", "AccessKeyId": "%s", "SecretAccessKey": "%s", "Token": "", '
            '"Expiration": "%s"}' % (KEY, SECRET, credentials.get("expires", "2099-01-01T00:00:00Z"))).encode()

    def answer(handler, n):
        if handler.path == "/latest/api/token" and handler.command == "PUT":
            return handler.answer(200, b"imds-token") or True
        allowed = handler.headers.get("X-aws-ec2-metadata-token") == "imds-token"
        if handler.path == "/latest/meta-data/iam/security-credentials/" and allowed:
            return handler.answer(200, b"the-role\n") or True
        if handler.path == "/latest/meta-data/iam/security-credentials/the-role" and allowed:
            return handler.answer(200, body) or True
        if handler.path == "/creds" and handler.headers.get("Authorization") == "container-canary":
            return handler.answer(200, body) or True
        return handler.answer(401) or True

    return Between(upstream, answer)


def test_instance_and_container_credentials(gateway, tmp_path):
    server = metadata_server(gateway.server)
    bare = {"AWS_ACCESS_KEY_ID": None, "AWS_SECRET_ACCESS_KEY": None, "AWS_EC2_METADATA_DISABLED": None}
    gateway.run("put", "1/x", written(tmp_path, 10), AWS_EC2_METADATA_SERVICE_ENDPOINT=server.url, **bare).ok()
    assert ("PUT", "/latest/api/token") in server.seen
    (tmp_path / "auth").write_text("container-canary\n")
    container = {"AWS_CONTAINER_CREDENTIALS_FULL_URI": server.url + "/creds", **bare}
    gateway.run("list", "1/", AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE=str(tmp_path / "auth"), **container).ok()
    said = gateway.run("list", "1/", AWS_CONTAINER_AUTHORIZATION_TOKEN="wrong", **container)
    assert said.status == 3 and "the container's endpoint" in said.err
    said = gateway.run("list", "1/", **{**container, "AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://evil.example/creds"})
    assert said.status == 2 and "neither https nor an address of this machine" in said.err


def test_credentials_are_renewed_before_they_run_out(gateway):
    soon = (datetime.datetime.utcnow() + datetime.timedelta(seconds=10)).strftime("%Y-%m-%dT%H:%M:%SZ")
    server = metadata_server(gateway.server, expires=soon)
    environment = {**gateway.environment, "AWS_EC2_METADATA_SERVICE_ENDPOINT": server.url}
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_EC2_METADATA_DISABLED"):
        environment.pop(name)
    place = Place(gateway.tool, gateway.address, environment, gateway.server)
    holder = place.start("hold", "1/locks/x", "a", "300")
    holder.stdout.readline()
    for line, wait in (("go", 0), ("renew", 0), ("renew", 9)):
        time.sleep(wait)
        holder.stdin.write(line + "\n")
        holder.stdin.flush()
        assert holder.stdout.readline().strip() in ("held 1", "ok")
        if not wait:
            assert server.seen.count(("PUT", "/latest/api/token")) == 1
    assert server.seen.count(("PUT", "/latest/api/token")) == 2
    holder.communicate("end\n", timeout=30)


# --- checksums, encryption, tags, links


def test_J2_objects_carry_what_was_asked_for(s3, tmp_path):
    file = written(tmp_path, 2000, "page.html")
    settings = {"OFFSHOOT_S3_TAGS": "team=data&for=a b"}
    s3.run("put", "1/page.html", file, **settings).ok()
    head = s3.client().head_object(Bucket=s3.bucket, Key=f"{s3.prefix}/1/page.html", ChecksumMode="ENABLED")
    assert head["ContentType"] == "text/html; charset=utf-8"
    assert head["ContentDisposition"] == "attachment"
    import base64
    assert head["ChecksumSHA256"] == base64.b64encode(hashlib.sha256(file.read_bytes()).digest()).decode()
    assert head["Metadata"]["sha256"] == hashlib.sha256(file.read_bytes()).hexdigest()
    tags = s3.client().get_object_tagging(Bucket=s3.bucket, Key=f"{s3.prefix}/1/page.html")["TagSet"]
    assert sorted((tag["Key"], tag["Value"]) for tag in tags) == [("for", "a b"), ("team", "data")]


# --- packed objects


def artifact(tmp_path, size, name="manifest.json"):
    """As dbt writes them: the same words again and again."""
    text = "".join(f'"model.shop.m{i}": {{"resource_type": "model", "package_name": "shop"}},\n' for i in range(size // 60))
    file = tmp_path / name
    file.write_text(text)
    return file


def kept(place, key):
    head = place.client().head_object(Bucket=place.bucket, Key=f"{place.prefix}/{key}")
    body = place.client().get_object(Bucket=place.bucket, Key=f"{place.prefix}/{key}")["Body"].read()
    return head, body


def test_what_packs_well_is_kept_packed_and_read_as_it_was(s3, tmp_path):
    file = artifact(tmp_path, 600_000)
    s3.run("put", "1/manifest.json", file).ok()
    head, body = kept(s3, "1/manifest.json")
    assert head["ContentEncoding"] == "gzip" and head["ContentType"] == "application/json"
    assert len(body) < file.stat().st_size / 4
    assert gzip.decompress(body) == file.read_bytes()
    assert head["Metadata"]["sha256"] == hashlib.sha256(file.read_bytes()).hexdigest()
    s3.run("fetch", "1/manifest.json", tmp_path / "back").ok()
    assert (tmp_path / "back").read_bytes() == file.read_bytes()
    assert s3.run("read", "1/manifest.json").ok().endswith(file.read_text())
    link, _ = s3.run("link", "1/manifest.json", 60).ok().split()
    shown = subprocess.run(["curl", "--silent", "--compressed", link], capture_output=True, check=True).stdout
    assert shown == file.read_bytes()


@pytest.mark.parametrize("size", [10_000, 60_000])
def test_what_is_small_or_packs_badly_is_kept_as_it_is(s3, tmp_path, size):
    file = written(tmp_path, size) if size > 16 * 1024 else artifact(tmp_path, size)
    s3.run("put", "1/x", file).ok()
    head, body = kept(s3, "1/x")
    assert head.get("ContentEncoding", "") == "" and body == file.read_bytes()


def test_packing_can_be_turned_off_and_both_are_read(s3, tmp_path):
    file = artifact(tmp_path, 100_000)
    s3.run("put", "1/x", file, OFFSHOOT_S3_COMPRESSION="none").ok()
    assert kept(s3, "1/x")[1] == file.read_bytes()
    s3.run("put", "1/y", file).ok()
    for key in ("1/x", "1/y"):
        s3.run("fetch", key, tmp_path / "back", OFFSHOOT_S3_COMPRESSION="none").ok()
        assert (tmp_path / "back").read_bytes() == file.read_bytes()
    said = s3.run("list", "1/", OFFSHOOT_S3_COMPRESSION="zip")
    assert said.status == 2 and "reading OFFSHOOT_S3_COMPRESSION: expected gzip or none" in said.err


def test_J5_what_is_there_already_is_not_sent_again_packed_or_not(gateway, tmp_path):
    file = artifact(tmp_path, 3_000_000)
    gateway.run("put", "1/x", file, OFFSHOOT_S3_COMPRESSION="none").ok()
    between = Between(gateway.server)
    gateway.through(between.url).run("put", "1/x", file).ok()
    assert [method for method, _ in between.seen] == ["HEAD"]


def test_J3_a_packed_file_is_sent_in_parts(s3, tmp_path):
    pattern = random.Random(7)
    file = tmp_path / "catalog.json"
    file.write_text("".join(f"{pattern.getrandbits(256):064x}" for _ in range(750_000)))  # packs to a little over half
    s3.run("put", "1/catalog.json", file).ok()
    head, body = kept(s3, "1/catalog.json")
    assert head["ContentEncoding"] == "gzip" and head["ETag"].strip('"').endswith("-2")
    assert 16 << 20 < len(body) < file.stat().st_size and gzip.decompress(body) == file.read_bytes()
    s3.run("fetch", "1/catalog.json", tmp_path / "back").ok()
    assert (tmp_path / "back").read_bytes() == file.read_bytes()


def test_a_server_that_unpacks_by_itself_is_read_as_well(gateway, tmp_path):
    """Google's does, to who does not ask for gzip."""
    file = artifact(tmp_path, 100_000)
    gateway.run("put", "1/x", file).ok()
    head, _ = kept(gateway, "1/x")

    def unpacked(handler, n):
        handler.answer(200, file.read_bytes(), ETag=head["ETag"], x_amz_meta_sha256=head["Metadata"]["sha256"])
        return True

    between = Between(gateway.server, unpacked)
    assert gateway.through(between.url).run("read", "1/x").ok().endswith(file.read_text())
    gateway.through(between.url).run("fetch", "1/x", tmp_path / "back").ok()
    assert (tmp_path / "back").read_bytes() == file.read_bytes()


@pytest.mark.parametrize("harm", ["cut", "longer", "a bomb", "other content"])
def test_J7_a_packed_object_that_is_damaged_is_not_read(gateway, tmp_path, harm):
    file = artifact(tmp_path, 100_000)
    gateway.run("put", "1/x", file).ok()
    head, body = kept(gateway, "1/x")
    body = {"cut": body[:-9], "longer": body + body, "a bomb": body[:-4] + b"\xff\xff\xff\xff",
            "other content": gzip.compress(b"other " * 20_000)}[harm]

    def harmed(handler, n):
        handler.answer(200, body, ETag=head["ETag"], Content_Encoding="gzip",
                       x_amz_meta_sha256=head["Metadata"]["sha256"])
        return True

    between = Between(gateway.server, harmed)
    for verb in (["read", "1/x"], ["fetch", "1/x", tmp_path / "back"]):
        said = gateway.through(between.url).run(*verb)
        assert said.status == 3 and "do not match the checksum" in said.err
    assert list(tmp_path.iterdir()) == [file]


def test_encryption_is_asked_for(gateway, tmp_path):
    headers = []
    between = Between(gateway.server, lambda handler, n: headers.append(dict(handler.headers)) or (
        handler.answer(200, b"", ETag='"x"') or True))
    gateway.through(between.url).run("put", "1/x", written(tmp_path, 10), OFFSHOOT_S3_ENCRYPTION="aws:kms",
                                     OFFSHOOT_S3_KMS_KEY="alias/ci", OFFSHOOT_S3_STORAGE_CLASS="STANDARD_IA").ok()
    sent = {name.lower(): value for name, value in headers[0].items()}
    assert sent["x-amz-server-side-encryption"] == "aws:kms"
    assert sent["x-amz-server-side-encryption-aws-kms-key-id"] == "alias/ci"
    assert sent["x-amz-storage-class"] == "STANDARD_IA"
    assert "x-amz-server-side-encryption" in sent["authorization"]
    said = gateway.run("list", "1/", OFFSHOOT_S3_ENCRYPTION="rot13")
    assert said.status == 2 and "expected AES256, aws:kms or aws:kms:dsse" in said.err


def test_J2_a_write_without_an_etag_is_not_believed(gateway, tmp_path):
    between = Between(gateway.server, lambda handler, n: handler.answer(200) or True)
    said = gateway.through(between.url).run("put", "1/x", written(tmp_path, 10))
    assert said.status == 3 and "did not confirm it with an ETag" in said.err


def test_J7_bytes_that_changed_on_the_way_are_not_read(gateway, tmp_path):
    gateway.run("put", "1/x", written(tmp_path, 10)).ok()

    def tamper(handler, n):
        client = gateway.client().get_object(Bucket=gateway.bucket, Key=f"{gateway.prefix}/1/x")
        handler.answer(200, b"other bytes", ETag=client["ETag"], x_amz_meta_sha256=client["Metadata"]["sha256"])
        return True

    between = Between(gateway.server, tamper)
    for verb in (["read", "1/x"], ["fetch", "1/x", tmp_path / "back"]):
        said = gateway.through(between.url).run(*verb)
        assert said.status == 3 and "do not match the checksum" in said.err
    assert not (tmp_path / "back").exists()


def test_C6_links_work_as_long_as_they_say(s3, tmp_path):
    file = written(tmp_path, 10)
    s3.run("put", "1/x", file).ok()
    link, expires = s3.run("link", "1/x", 2).ok().split()
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", expires)
    assert urllib.request.urlopen(link).read() == file.read_bytes()
    with pytest.raises(urllib.error.HTTPError):
        urllib.request.urlopen(link.replace("X-Amz-Signature=", "X-Amz-Signature=0"))
    time.sleep(3.2)
    with pytest.raises(urllib.error.HTTPError):
        urllib.request.urlopen(link)
    _, expires = s3.run("link", "1/x", 365 * 24 * 3600).ok().split()
    lives = datetime.datetime.fromisoformat(expires.replace("Z", "+00:00")) - datetime.datetime.now(datetime.timezone.utc)
    assert datetime.timedelta(days=6.9) < lives <= datetime.timedelta(days=7)


def test_virtual_hosts(gateway):
    # *.localhost is this machine: the bucket stands in the host's name, as on AWS.
    hosts = []
    between = Between(gateway.server, lambda handler, n: hosts.append((handler.headers["Host"], handler.path)) or (
        handler.answer(200, b"<ListBucketResult><IsTruncated>false</IsTruncated></ListBucketResult>") or True))
    port = between.server.server_port
    gateway.run("list", "1/", AWS_ENDPOINT_URL_S3=f"http://localhost:{port}", OFFSHOOT_S3_ADDRESSING="virtual").ok()
    assert hosts[0][0] == f"{gateway.bucket}.localhost:{port}"
    assert hosts[0][1].startswith("/?")


def test_lists_more_than_a_page(gateway, tmp_path):
    client = gateway.client()
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda i: client.put_object(Bucket=gateway.bucket, Key=f"{gateway.prefix}/1/{i:05}", Body=b""),
                      range(1050)))
    lines = gateway.run("list", "1/").ok().splitlines()
    assert len(lines) == 1050 and lines == sorted(lines)


# --- faults


def test_J4_slow_down_is_waited_for(gateway, tmp_path):
    slow = b"<Error><Code>SlowDown</Code><Message>Please reduce your request rate.</Message></Error>"
    between = Between(gateway.server, lambda handler, n: n % 3 != 0 and (handler.answer(503, slow) or True))
    place = gateway.through(between.url)
    place.run("put", "1/x", written(tmp_path, 10)).ok()
    assert len(between.seen) == 3
    always = Between(gateway.server, lambda handler, n: handler.answer(503, slow) or True)
    said = gateway.through(always.url).run("list", "1/")
    assert said.status == 3 and "slow down" in said.err
    assert len(always.seen) == 5
    denied = b"<Error><Code>AccessDenied</Code><Message>no</Message></Error>"
    once = Between(gateway.server, lambda handler, n: handler.answer(403, denied) or True)
    said = gateway.through(once.url).run("list", "1/")
    assert said.status == 3 and "the environment may not do this (AccessDenied)" in said.err
    assert len(once.seen) == 1, "what is refused is not tried again"


def test_J4_retry_after_is_obeyed(gateway):
    times = []
    between = Between(gateway.server, lambda handler, n: times.append(time.monotonic()) or (
        n == 1 and (handler.answer(429, b"", Retry_After="2") or True)))
    gateway.through(between.url).run("list", "1/").ok()
    assert times[1] - times[0] >= 1.95


@pytest.mark.parametrize("cut", [1, 100, 300, 1_000_000])
def test_I10_an_answer_cut_anywhere_is_no_answer(gateway, toxiproxy, tmp_path, cut):
    """Cut inside the headers or the body of a download: told, and no file is left."""
    file = written(tmp_path, 3 << 20)
    gateway.run("put", "1/x", file).ok()
    proxy = Toxics(toxiproxy, gateway.server)
    proxy.add("limit_data", bytes=cut)
    said = gateway.through(proxy.url).run("fetch", "1/x", tmp_path / "back")
    assert said.status == 3
    assert [path.name for path in tmp_path.iterdir()] == ["file"]
    proxy.remove("limit_data")
    gateway.through(proxy.url).run("fetch", "1/x", tmp_path / "back").ok()
    assert (tmp_path / "back").read_bytes() == file.read_bytes()


@pytest.mark.parametrize("size", [1 << 20, 20 << 20])
def test_J2_an_upload_cut_in_its_middle_leaves_nothing(s3, toxiproxy, tmp_path, size):
    file = written(tmp_path, size)
    proxy = Toxics(toxiproxy, s3.server)
    proxy.add("limit_data", stream="upstream", bytes=size // 2)
    said = s3.through(proxy.url).run("put", "1/x", file)
    assert said.status == 3
    assert s3.run("read", "1/x").ok() == "absent\n"
    proxy.remove("limit_data")
    s3.through(proxy.url).run("put", "1/x", file).ok()
    s3.run("fetch", "1/x", tmp_path / "back").ok()
    assert (tmp_path / "back").read_bytes() == file.read_bytes()


def test_J4_a_connection_reset_now_and_then_does_no_harm(gateway, tmp_path):
    met = collections.Counter()

    def reset_some(handler, n):
        met[handler.command, handler.path] += 1
        # A third of them is let through at once, the others after one reset and after two.
        if met[handler.command, handler.path] > zlib.crc32(handler.path.encode()) % 3:
            return False
        handler.reset()
        return True

    between = Between(gateway.server, reset_some)
    tree = tmp_path / "tree"
    tree.mkdir()
    for i in range(40):
        written(tree, 5000 + i, f"f{i}")
    gateway.through(between.url).run("upload", "1/t", tree).ok()
    assert len(gateway.run("list", "1/t/").ok().splitlines()) == 40
    assert max(met.values()) == 3, "some were reset twice"


def test_J3_an_error_inside_a_200_is_an_error(gateway, tmp_path):
    late = b'<?xml version="1.0"?>\n<Error><Code>InternalError</Code><Message>We failed late.</Message></Error>'

    def fail_completion(handler, n):
        if handler.command == "POST" and "uploadId" in handler.path:
            return handler.answer(200, late) or True

    between = Between(gateway.server, fail_completion)
    said = gateway.through(between.url).run("put", "1/x", written(tmp_path, 17 << 20))
    assert said.status == 3 and "InternalError: We failed late." in said.err
    assert sum(1 for method, path in between.seen if method == "POST" and "uploadId" in path) == 5, "tried again"
    assert gateway.run("read", "1/x").ok() == "absent\n"
    assert not gateway.client().list_multipart_uploads(Bucket=gateway.bucket, Prefix=gateway.prefix).get("Uploads")


def test_J3_an_end_whose_answer_got_lost_is_found_out(gateway, tmp_path):
    def drop_answer(handler, n):
        if handler.command == "POST" and "uploadId" in handler.path and not dropped:
            dropped.append(n)
            import http.client
            server = http.client.HTTPConnection("127.0.0.1", gateway.server.port)
            server.request("POST", handler.path, handler.body, dict(handler.headers))
            assert server.getresponse().status == 200
            handler.close_connection = True
            return True

    dropped = []
    between = Between(gateway.server, drop_answer)
    file = written(tmp_path, 17 << 20)
    gateway.through(between.url).run("put", "1/x", file).ok()
    assert dropped
    gateway.run("fetch", "1/x", tmp_path / "back").ok()
    assert (tmp_path / "back").read_bytes() == file.read_bytes()


def test_J3_kill_9_in_the_middle_leaves_no_object_and_the_rest_is_swept(s3, toxiproxy, tmp_path):
    proxy = Toxics(toxiproxy, s3.server)
    proxy.add("bandwidth", stream="upstream", rate=8000)  # kB/s: 48 MiB take six seconds
    process = s3.through(proxy.url).start("put", "1/big", written(tmp_path, 48 << 20))
    key = f"{s3.prefix}/1/big"
    uploads = lambda: s3.client().list_multipart_uploads(Bucket=s3.bucket, Prefix=key).get("Uploads", [])
    until = time.monotonic() + 20
    while not uploads() and time.monotonic() < until:
        time.sleep(0.1)
    time.sleep(1)
    process.kill()
    process.communicate()
    assert len(uploads()) == 1
    assert s3.run("read", "1/big").ok() == "absent\n"
    assert s3.run("list", "1/").ok() == ""
    assert s3.run("sweep", 86400).ok() == "0\n", "it may be another's, still under way"
    if "minio" in str(s3.server.process.args[0]):
        return  # MinIO lists uploads of an exact key only, and aborts old ones by itself
    assert s3.run("sweep", 0).ok() == "1\n"
    assert uploads() == []


def test_J5_what_is_there_is_not_sent_again(gateway, tmp_path):
    tree = tmp_path / "tree"
    tree.mkdir()
    for size in (100, 2 << 20, 17 << 20):
        written(tree, size, f"f{size}")
    gateway.run("upload", "1/t", tree).ok()
    between = Between(gateway.server)
    gateway.through(between.url).run("upload", "1/t", tree).ok()
    methods = [method for method, path in between.seen]
    assert methods.count("PUT") == 1, "only the small one is offered, on the condition that nothing is there"
    assert methods.count("POST") == 0


def test_J5_an_upload_that_was_killed_goes_on(gateway, toxiproxy, tmp_path):
    tree = tmp_path / "tree"
    tree.mkdir()
    for i in range(30):
        written(tree, (1 << 20) + i, f"f{i:02}")
    proxy = Toxics(toxiproxy, gateway.server)
    proxy.add("bandwidth", stream="upstream", rate=1500)  # per connection; eight at once
    process = gateway.through(proxy.url).start("upload", "1/t", tree)
    time.sleep(1.8)
    process.kill()
    process.communicate()
    there = gateway.run("list", "1/t/").ok().splitlines()
    assert 0 < len(there) < 30
    for line in there:
        key, size = line.split()
        assert int(size) == (tree / key.split("/")[-1]).stat().st_size, "never a part of an object"
    between = Between(gateway.server)
    gateway.through(between.url).run("upload", "1/t", tree).ok()
    sent = sum(1 for method, path in between.seen if method == "PUT")
    assert sent == 30 - len(there)


def test_K6_a_server_that_ignores_conditions_gets_no_lease(gateway):
    """As garage and rclone do: without the guard, two would hold one lease."""
    def ignore(handler, n):
        if handler.headers.get("If-None-Match") and handler.command == "PUT":
            return handler.answer(200, b"", ETag='"x"') or True

    between = Between(gateway.server, ignore)
    said = gateway.through(between.url).run("put-if", "1/locks/x", "a")
    assert said.status == 5
    assert "ignores conditional writes" in said.err


def test_K6_a_lease_whose_answer_got_lost_is_still_ours(gateway):
    """The write arrives, its answer does not, and the repetition is refused: by our own lease."""
    lost = []

    def drop(handler, n):
        if handler.command == "PUT" and len(lost) < 2 and n in (2, 5):
            lost.append(n)
            import http.client
            server = http.client.HTTPConnection("127.0.0.1", gateway.server.port)
            server.request("PUT", handler.path, handler.body, dict(handler.headers))
            assert server.getresponse().status == 200
            handler.close_connection = True
            return True

    between = Between(gateway.server, drop)
    holder = gateway.through(between.url).start("hold", "1/locks/x", "a", "300")
    holder.stdout.readline()
    out, err = holder.communicate("go\nrenew\nrenew\nend\n", timeout=60)
    assert out.split("\n")[:3] == ["held 1", "ok", "ok"], (out, err, between.seen)
    assert lost == [2, 5]


def test_C4_secrets_never_stand_in_a_command_line_or_a_message(gateway, toxiproxy, tmp_path):
    """Every failing answer there is, and what the process shows of itself meanwhile."""
    secrets = [SECRET, "token-canary"]
    codes = ["AccessDenied", "SignatureDoesNotMatch", "InvalidAccessKeyId", "ExpiredToken", "InvalidToken",
             "NoSuchBucket", "InternalError", "SomethingElse"]
    for code in codes:
        body = f"<Error><Code>{code}</Code><Message>said</Message></Error>".encode()
        between = Between(gateway.server, lambda handler, n: handler.answer(400, body) or True)
        said = gateway.through(between.url).run("put", "1/x", written(tmp_path, 10), AWS_SESSION_TOKEN="token-canary")
        assert said.status in (2, 3)
        assert not any(secret in said.err + said.out for secret in secrets)
    process = gateway.start("hold", "1/locks/x", "a", "300")
    process.stdout.readline()
    with open(f"/proc/{process.pid}/cmdline", "rb") as file:
        shown = file.read().decode()
    assert not any(secret in shown for secret in secrets)
    process.communicate("go\nend\n", timeout=30)


def test_no_reader_ever_sees_a_part(s3, tmp_path):
    """Objects are written again and again, in one request and in parts, while readers look."""
    old, new = written(tmp_path, 17 << 20, "old"), written(tmp_path, (17 << 20) + 1, "new")
    s3.run("put", "1/x", old).ok()
    stop = threading.Event()
    seen = set()

    def look():
        client = s3.client()
        while not stop.is_set():
            seen.add(len(client.get_object(Bucket=s3.bucket, Key=f"{s3.prefix}/1/x")["Body"].read()))

    reader = threading.Thread(target=look)
    reader.start()
    for i in range(6 if LONG else 2):
        s3.run("put", "1/x", new if i % 2 == 0 else old).ok()
    stop.set()
    reader.join()
    assert seen <= {17 << 20, (17 << 20) + 1}


# --- a server that hangs


@pytest.mark.parametrize("verb", [("read", "1/x"), ("list", "1/"), ("put",), ("put-if", "1/locks/x", "a"), ("fetch",)])
def test_K2_a_server_that_hangs_is_not_waited_for_without_end(gateway, toxiproxy, tmp_path, verb):
    toxics = Toxics(toxiproxy, gateway.server)
    toxics.add("timeout", timeout=0)  # no byte comes back, and the connection stays
    hanging = gateway.through(toxics.url)
    more = {"put": ["1/x", written(tmp_path, 1000)], "fetch": ["1/x", tmp_path / "back"]}.get(verb[0], [])
    begun = time.monotonic()
    said = hanging.run(*verb, *more, OFFSHOOT_S3_PATIENCE="2")
    took = time.monotonic() - begun
    assert said.status == 3
    assert ("no answer within 2 s" in said.err or "nothing came for 2 s" in said.err), said.err
    assert f"see whether {toxics.url} is reachable from here" in said.err
    assert took < 8, "two tries of two seconds, and what is waited in between"
    assert not (tmp_path / "back").exists()


def test_K2_many_files_to_a_server_that_hangs(gateway, toxiproxy, tmp_path):
    toxics = Toxics(toxiproxy, gateway.server)
    toxics.add("timeout", timeout=0)
    tree = tmp_path / "tree"
    tree.mkdir()
    for i in range(40):
        written(tree, 100 + i, str(i))
    begun = time.monotonic()
    said = gateway.through(toxics.url).run("upload", "1/runs/x", tree, OFFSHOOT_S3_PATIENCE="2")
    assert said.status == 3
    assert time.monotonic() - begun < 10, "not forty times two tries"


def test_a_patience_that_is_no_number_is_refused(gateway):
    for wrong in ("0", "x", "10s", "601"):
        said = gateway.run("list", "1/", OFFSHOOT_S3_PATIENCE=wrong)
        assert said.status == 2 and "OFFSHOOT_S3_PATIENCE" in said.err
