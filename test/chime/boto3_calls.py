"""Calls operations with boto3. Reads a call from each line of the input, and writes a line with its outcome."""

import json
import os
import sys

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

# The repeated attempts are for servers that are without a lease for a moment.
CONFIG = Config(retries={"mode": "standard", "max_attempts": 8}, parameter_validation=False)
clients = {}


def client(service):
    if service not in clients:
        clients[service] = boto3.client(
            service,
            endpoint_url=f"{os.environ['ENDPOINT']}/_{service}",
            region_name="us-east-1",
            aws_access_key_id=os.environ["KEY"],
            aws_secret_access_key=os.environ["SECRET"],
            config=CONFIG,
        )
    return clients[service]


def outcome(service, method, members, paged):
    try:
        if paged:
            return {"output": client(service).get_paginator(method).paginate(**members).build_full_result()}
        output = getattr(client(service), method)(**members)
        return {"status": output.pop("ResponseMetadata")["HTTPStatusCode"], "output": output}
    except ClientError as error:
        status = error.response["ResponseMetadata"]["HTTPStatusCode"]
        return {"status": status, "error": error.response["Error"]["Code"], "message": error.response["Error"]["Message"]}


for line in sys.stdin:
    print(json.dumps(outcome(**json.loads(line)), default=lambda time: time.isoformat(timespec="milliseconds")), flush=True)
