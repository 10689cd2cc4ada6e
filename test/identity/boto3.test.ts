import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { startTestServer } from '../kit/server.ts';

/** Chime SDK Identity with Debian's boto3. `identity_job.py` sends the calls and prints the responses. */

const SCRIPT = fileURLToPath(new URL('identity_job.py', import.meta.url));

test('boto3: the client can create, fill, tag and delete an app instance at the endpoint of all services', async () => {
  const server = await startTestServer();
  const { stdout } = await promisify(execFile)('/usr/bin/python3', ['-W', 'ignore', SCRIPT], {
    env: {
      ENDPOINT: server.endpoint,
      ADMIN_KEY: server.credentials.accessKeyId,
      ADMIN_SECRET: server.credentials.secretAccessKey,
      AWS_EC2_METADATA_DISABLED: 'true',
      AWS_CONFIG_FILE: '/dev/null',
      AWS_SHARED_CREDENTIALS_FILE: '/dev/null',
    },
  });
  assert.deepEqual(JSON.parse(stdout), {
    name: 'Ada',
    instances: ['chat'],
    users: ['Ada'],
    admins: ['Ada'],
    tags: [[{ Key: 'team', Value: 'blue' }], [{ Key: 'team', Value: 'red' }]],
    deleted: 'ForbiddenException 403',
    'no ARN': 'ValidationException 400',
  });
});
