import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3';
import { askControl } from '#server/operator/ask-control.ts';
import { startTestServer } from '../kit/server.ts';

/** Manages SIP trunks (Voice Connectors) with Debian's boto3. `trunk.py` makes the calls and prints the results. */

const SCRIPT = fileURLToPath(new URL('trunk.py', import.meta.url));

test('boto3: trunks are created with numbers, configured and grouped, and are deleted in order', async () => {
  const server = await startTestServer();
  const fields = { country: 'US', type: 'Local', products: 'VoiceConnector', area_code: '206', state: 'WA', city: 'Seattle' };
  const rows = ['+12065550101', '+12065550102'].map((number, line) => ({ line, fields: { number, ...fields } }));
  assert.ok((await askControl(server.dataFolder, { command: 'numbers import', rows, isPreview: false })).ok);
  await new S3Client({ ...server.client(), forcePathStyle: true }).send(new CreateBucketCommand({ Bucket: 'call-records' }));
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
    ordered: ['Processing', 'Successful'],
    connectors: ['backup', 'trunk'],
    // No termination, a range that is too wide, no emergency calling, and an origination that emergency calling requires.
    early: ['NotFoundException', 'BadRequestException', 'NotFoundException', 'BadRequestException'],
    numbers: [['NotFound'], ['PhoneNumberAssociationsExist'], []],
    ...{ username: ['pbx'], termination: true, origination: true, emergency: true, items: true, streaming: 1 },
    logging: { EnableSIPLogs: true },
    bucket: { CdrBucket: 'call-records' },
    ...{ trunk: [0], group: [1] },
    rules: ['main'],
    calls: ['ForbiddenException', 'NotFoundException', 'ForbiddenException', 'ForbiddenException', 'ForbiddenException'],
    // A connector in a group, a group with connectors, a number with a connector, an application with a rule; a connector and a group with numbers.
    refusals: [
      ...['ConflictException', 'ConflictException', 'BadRequestException', 'ConflictException'],
      ...['ConflictException', 'ConflictException'],
    ],
    deleted: [],
    left: ['NotFoundException', 'NotFoundException', [], [], ['ReleaseInProgress', 'ReleaseInProgress']],
  });
});
