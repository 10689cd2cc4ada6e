import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { startTestServer } from '../kit/server.ts';

/** Configures a SIP trunk (a Voice Connector) with Debian's boto3. `trunk.py` makes the calls and prints the results. */

const SCRIPT = fileURLToPath(new URL('trunk.py', import.meta.url));

test('boto3: a trunk can be configured and grouped, and cannot be deleted while it is in a group', async () => {
  const server = await startTestServer();
  const { stdout } = await promisify(execFile)('/usr/bin/python3', ['-W', 'ignore', SCRIPT], {
    env: {
      ENDPOINT: `${server.endpoint}/_chime-sdk-voice`,
      KEY: server.credentials.accessKeyId,
      SECRET: server.credentials.secretAccessKey,
      AWS_EC2_METADATA_DISABLED: 'true',
      AWS_CONFIG_FILE: '/dev/null',
      AWS_SHARED_CREDENTIALS_FILE: '/dev/null',
    },
  });
  const { id, host, created, ...rest } = JSON.parse(stdout);
  assert.equal(host, `${id}.voiceconnector.chime.aws`);
  assert.match(created, /^2\d{3}-\d\d-\d\dT.*\+00:00$/);
  assert.deepEqual(rest, {
    connectors: ['trunk'],
    usernames: ['pbx'],
    cpsLimit: 1,
    items: [{ VoiceConnectorId: id, Priority: 1 }],
    conflict: 'ConflictException',
    rules: ['main'],
    refusals: ['ForbiddenException', 'NotFoundException', 'ForbiddenException', 'ForbiddenException', 'ForbiddenException'],
    left: [],
  });
});
