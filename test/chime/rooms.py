"""Creates three rooms with one member with boto3, reads them in pages and deletes them. Prints the results."""

import json
import os
import sys

import boto3
from botocore.exceptions import ClientError

account, member = sys.argv[1:]
chime = boto3.client("chime", endpoint_url=os.environ["ENDPOINT"], region_name=os.environ["AWS_REGION"])

rooms = [chime.create_room(AccountId=account, Name=name)["Room"]["RoomId"] for name in ("one", "two", "three")]
added = [chime.create_room_membership(AccountId=account, RoomId=room, MemberId=member) for room in rooms]
first = chime.list_rooms(AccountId=account, MemberId=member, MaxResults=2)
second = chime.list_rooms(AccountId=account, MemberId=member, MaxResults=2, NextToken=first["NextToken"])
deleted = [chime.delete_room(AccountId=account, RoomId=room) for room in rooms]
try:
    chime.get_room(AccountId=account, RoomId=rooms[0])
except ClientError as error:
    unknown = error.response["Error"]["Code"]

print(
    json.dumps(
        {
            "pages": [[room["Name"] for room in page["Rooms"]] for page in (first, second)],
            "statuses": [each[0]["ResponseMetadata"]["HTTPStatusCode"] for each in (added, deleted)],
            "unknown": unknown,
        }
    )
)
