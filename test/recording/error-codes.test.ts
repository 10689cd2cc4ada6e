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
  // Assumed: the model of ListTrails has no error for an invalid token, so it returns that of LookupEvents.
  'cloudtrail ListTrails InvalidNextTokenException',
  // Source: CloudWatch API reference, DeleteDashboards, an earlier edition, "Errors".
  'cloudwatch DeleteDashboards DashboardNotFoundError',
  // Assumed: an analyzer that does not exist. The model has no error for it.
  'accessanalyzer GenerateFindingRecommendation ResourceNotFoundException',
  // Assumed: an account or a bot that does not exist. The model has no error for it.
  'chime DeleteEventsConfiguration NotFoundException',
]);

/**
 * Codes that every operation of a service returns for inputs that break a constraint of the model.
 *
 * Recorded: LocalStack, snapshots of CloudWatch Logs. Assumed: the same for operations without a snapshot.
 */
const OF_CONSTRAINTS: Partial<Record<ServiceName, string>> = { logs: 'InvalidParameterException' };

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
    if (!own.includes(code) && !isCommonCode(code) && OF_CONSTRAINTS[service as ServiceName] !== code)
      wrong.add(`${service} ${name} ${code}`);
  }
  assert.deepEqual([...wrong].sort(), [...NOT_IN_MODEL].sort());
});
