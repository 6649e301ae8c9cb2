"""The IAM policies of the guides: each is enough for what it is for, and allows nothing else."""

import json
import re
from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import boto3
import pytest

from data_ingestion.contract import Contract
from data_ingestion.discovery import discover, plan_again
from data_ingestion.errors import OperatorFault
from data_ingestion.landing import S3Landing
from data_ingestion.ledger import LoadReport, LoadState
from data_ingestion.load import load_drops
from data_ingestion.warehouses.postgres import PostgresWarehouse

GUIDE = Path("docs/guides/deploy.md")
BUCKET = "your-bucket"
KEY = "things/2026-01/a.csv"
REGION = "eu-central-1"

Policy = dict[str, Any]
Enter = Callable[[Policy], S3Landing]


def policy_of_the_guide() -> Policy:
    (text,) = re.findall(r"```json\n(\{\n  \"Version\".*?)```", GUIDE.read_text(), re.DOTALL)
    found: Policy = json.loads(text)
    return found


ACTIONS = [statement["Action"] for statement in policy_of_the_guide()["Statement"]]


def without(action: str) -> Policy:
    policy = policy_of_the_guide()
    rest = [statement for statement in policy["Statement"] if statement["Action"] != action]
    return {**policy, "Statement": rest}


@pytest.fixture
def endpoint(aws_endpoint: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """An S3 with IAM; until somebody enters, it asks nobody who they are."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", aws_endpoint)
    yield aws_endpoint
    questions_from(aws_endpoint, "inf")  # other servers of this process ask nobody
    tell(aws_endpoint, "reset")


@pytest.fixture
def enter(endpoint: str) -> Enter:
    """A drop lies in the bucket; hands back the landing as a user who has one policy and no other rights."""
    nobody = {"region_name": REGION, "aws_access_key_id": "any", "aws_secret_access_key": "any"}
    s3 = boto3.client("s3", **nobody)
    s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION})
    s3.put_object(Bucket=BUCKET, Key=KEY, Body=b"id,amount,note\n1,2.50,first\n2,3.00,second\n")
    iam = boto3.client("iam", **nobody)

    def as_user(policy: Policy) -> S3Landing:
        iam.create_user(UserName="loader")
        iam.put_user_policy(UserName="loader", PolicyName="landing", PolicyDocument=json.dumps(policy))
        key = iam.create_access_key(UserName="loader")["AccessKey"]
        questions_from(endpoint, "0")
        client = boto3.client(
            "s3",
            region_name=REGION,
            aws_access_key_id=key["AccessKeyId"],
            aws_secret_access_key=key["SecretAccessKey"],
        )
        return S3Landing(BUCKET, client=client)

    return as_user


def questions_from(url: str, count: str) -> None:
    """After how many requests the server begins to ask who is there, and what they may do."""
    tell(url, "reset-auth", count)


def tell(url: str, what: str, body: str = "") -> None:
    """A word to the server itself, beside all services."""
    plain = {"Content-Type": "text/plain"}  # a form's body would be taken apart
    urlopen(Request(f"{url}/moto-api/{what}", body.encode(), plain, method="POST")).close()


def loaded(things: Contract, landing: S3Landing, warehouse: PostgresWarehouse) -> list[LoadReport]:
    (plan,) = discover([things], landing, warehouse).plans
    return list(load_drops(things, landing, warehouse, plan.drops))


def test_with_the_policy_of_the_guide_drops_are_found_and_read(
    things: Contract, warehouse: PostgresWarehouse, enter: Enter
) -> None:
    landing = enter(policy_of_the_guide())
    (plan,) = discover([things], landing, warehouse).plans
    (planned,) = plan.drops
    assert plan_again(things, landing, warehouse, planned.object.key) == planned

    (report,) = load_drops(things, landing, warehouse, plan.drops)

    assert report.state is LoadState.LOADED
    assert report.fates.inserted == 2
    assert landing.look("things/2026-01/gone.csv") is None


def test_with_the_policy_of_the_guide_nothing_can_be_written_or_deleted(enter: Enter) -> None:
    landing = enter(policy_of_the_guide())
    with pytest.raises(OperatorFault, match="AccessDenied"):
        landing.write("things/2026-01/b.csv", b"id,amount,note\n")
    with pytest.raises(landing._client.exceptions.ClientError, match="AccessDenied"):
        landing._client.delete_object(Bucket=BUCKET, Key=KEY)
    assert [item.key for item in landing.list_objects()] == [KEY]


def test_with_the_third_statement_the_lake_can_be_written_and_tidied_and_nothing_else(enter: Enter) -> None:
    (text,) = re.findall(r"```json\n(\{\"Sid\": \"Keep\".*?)```", GUIDE.read_text(), re.DOTALL)
    policy = policy_of_the_guide()
    landing = enter({**policy, "Statement": [*policy["Statement"], json.loads(text)]})
    lake = S3Landing(BUCKET, "lake/warehouse", client=landing._client)
    lake.write("dataset=things/date=2026-01-01/a.parquet", b"PAR1")
    assert [item.size for item in lake.list_objects()] == [4]
    lake.delete("dataset=things/date=2026-01-01/a.parquet")
    assert list(lake.list_objects()) == []
    with pytest.raises(OperatorFault, match="AccessDenied"):
        landing.write("things/2026-01/b.csv", b"id,amount,note\n")
    with pytest.raises(OperatorFault, match="AccessDenied"):
        landing.delete(KEY)


def statements_of_redshift(whose: str) -> Policy:
    """A policy of the guide to Redshift: the loader's for the staging folder, or the cluster's."""
    (text,) = re.findall(
        rf'```json\n(\{{"{whose}": .*?)```', Path("docs/guides/redshift.md").read_text(), re.DOTALL
    )
    return {"Version": "2012-10-17", "Statement": json.loads(text)[whose]}


def test_the_loader_stages_and_tidies_in_its_folder_and_can_do_nothing_else(enter: Enter) -> None:
    landing = enter(statements_of_redshift("Loader"))
    staging = S3Landing(BUCKET, "goldworks-staging", client=landing._client)
    staging.write("attempt-1/part.csv.gz", b"rows")
    staging.write("attempt-1/manifest", BytesIO(b"{}"))
    assert {item.key for item in staging.list_objects()} == {"attempt-1/part.csv.gz", "attempt-1/manifest"}
    staging.delete("attempt-1/manifest")
    denied = landing._client.exceptions.ClientError
    for act in (
        lambda: landing.write(KEY, b"id,amount,note\n"),
        lambda: landing.delete(KEY),
        lambda: landing._client.get_object(Bucket=BUCKET, Key="goldworks-staging/attempt-1/part.csv.gz"),
        lambda: landing._client.get_object(Bucket=BUCKET, Key=KEY),
    ):
        with pytest.raises((OperatorFault, denied), match="AccessDenied"):
            act()


def test_the_cluster_reads_what_is_staged_and_can_do_nothing_else(enter: Enter) -> None:
    s3 = boto3.client("s3", region_name=REGION, aws_access_key_id="any", aws_secret_access_key="any")
    s3.put_object(Bucket=BUCKET, Key="goldworks-staging/attempt-1/part.csv.gz", Body=b"rows")
    client = enter(statements_of_redshift("Cluster"))._client
    staged = {"Bucket": BUCKET, "Key": "goldworks-staging/attempt-1/part.csv.gz"}
    assert client.get_object(**staged)["Body"].read() == b"rows"
    assert client.list_objects_v2(Bucket=BUCKET, Prefix="goldworks-staging/attempt-1/")["KeyCount"] == 1
    for act in (
        lambda: client.delete_object(**staged),
        lambda: client.put_object(**staged, Body=b"others"),
        lambda: client.get_object(Bucket=BUCKET, Key=KEY),
    ):
        with pytest.raises(client.exceptions.ClientError, match="AccessDenied"):
            act()


@pytest.mark.parametrize("action", ACTIONS)
def test_without_any_of_its_actions_nothing_is_loaded(
    action: str, things: Contract, warehouse: PostgresWarehouse, enter: Enter
) -> None:
    landing = enter(without(action))
    try:
        reports = loaded(things, landing, warehouse)
    except OperatorFault as fault:
        told = str(fault)
    else:
        (report,) = reports
        assert report.state is LoadState.FAILED
        told = str(report.error)
    assert action in told
