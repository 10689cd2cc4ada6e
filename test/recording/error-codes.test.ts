/** Error codes in the recording. The TypeScript types check the codes of a service. This test checks the codes of each operation. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { loadModel } from '#model/load.ts';
import { SERVICE_NAMES, type ServiceName } from '#model/services.ts';
import { isCommonCode } from '#wire/errors.ts';
import { recorded } from './record.ts';

/** Codes that an operation returns although the model does not list them for the operation. */
const NOT_IN_MODEL: ReadonlySet<string> = new Set([
  // Source: IAM API reference, GetAccessKeyLastUsed, an earlier edition, "Errors": NoSuchEntity, HTTP 404.
  'iam GetAccessKeyLastUsed NoSuchEntity',
  // Source: localstack/localstack, tests/aws/services/sts, recorded on 2025-04-10: the three messages about session tags.
  'sts AssumeRole InvalidParameterValue',
]);

test('Recording: an operation returns only error codes that its model lists, and common codes', () => {
  const wrong = new Set<string>();
  for (const { title, response } of recorded()) {
    const [service = '', name = ''] = title.split(' ');
    const [status = '', ...lines] = response.split('\n');
    if (status.startsWith('2') || !SERVICE_NAMES.some((known) => known === service)) continue;
    const model = loadModel(service as ServiceName);
    const operation = model.operations[name];
    const header = lines.find((line) => line.startsWith('x-amzn-errortype: '))?.slice('x-amzn-errortype: '.length);
    const code = header ?? /<Code>([^<]*)</.exec(response)?.[1];
    if (operation === undefined || code === undefined) continue;
    const own = operation.errors.flatMap((error) => [error, model.shapes[error]?.error?.code]);
    if (!own.includes(code) && !isCommonCode(code)) wrong.add(`${service} ${name} ${code}`);
  }
  assert.deepEqual([...wrong].sort(), [...NOT_IN_MODEL].sort());
});
