import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { AccountId } from '#core/arn.ts';
import { instant } from '#core/instant.ts';
import { loadModel } from '#model/load.ts';
import type { ServiceModel } from '#model/model.ts';
import { SERVICE_NAMES } from '#model/services.ts';
import { trailRecorder } from './record.ts';

/**
 * Names of secret members. The test LOG-4 creates a record of every operation, with all strings filled. Secret members
 * contain a canary, which is a string that no record may contain. Other members contain a plain string.
 * The pattern is independent of the table in `secret-members.ts`, so the test finds names that the table lacks.
 */
const SECRET_NAMES =
  /password$|^secret(?:accesskey)?$|(?:credential|client)secret|(?:session|security|join|device|tradein)token$|^webidentitytoken$|(?:^|add)privatekey$|pin$|passcode|tokencode|authenticationcode|assertion$|seed$|qrcode|apikeyvalue/i;

const CANARY = 'CANARY-yellow-bird';
const PLAIN = 'in-plain-sight';

test('LOG-4: records of operations contain the plain strings of their parameters, but no secret', () => {
  const record = trailRecorder(loadModel);
  const counts = { operations: 0, canaries: 0, plain: 0 };
  for (const service of SERVICE_NAMES) {
    const model = loadModel(service);
    for (const operation of Object.values(model.operations)) {
      const filled = (shape: string | undefined) => (shape === undefined ? undefined : fill(model, shape, '', 0));
      const input = filled(operation.input);
      const output = filled(operation.output);
      const { document } = record({
        received: {
          requestId: 'r',
          rawHeaders: [],
          sourceIp: '',
        },
        service,
        operation: operation.name,
        eventSource: 'chime.amazonaws.com',
        region: 'us-east-1',
        now: instant(0),
        eventId: 'e',
        recipientAccountId: '111122223333' as AccountId,
        input,
        output,
      });
      assert.ok(!document.includes(CANARY), `${service} ${operation.name}: ${document}`);
      assert.doesNotThrow(() => JSON.parse(document), `${service} ${operation.name}`);
      counts.operations++;
      if (JSON.stringify([input, output]).includes(CANARY)) counts.canaries++;
      if (document.includes(PLAIN)) counts.plain++;
    }
  }
  assert.ok(counts.operations > 600 && counts.canaries > 150 && counts.plain > 400, JSON.stringify(counts));
});

/** Returns a value of a shape with all members. Stops at a maximum depth, because shapes can be recursive. */
function fill(model: ServiceModel, name: string, memberName: string, depth: number): unknown {
  const shape = model.shapes[name];
  if (shape === undefined || depth > 12) return undefined;
  const secret = shape.sensitive === true || SECRET_NAMES.test(memberName);
  switch (shape.type) {
    case 'structure':
      return Object.fromEntries(
        Object.entries(shape.members ?? {}).map(([each, member]) => [each, fill(model, member.shape, each, depth + 1)]),
      );
    case 'list':
      return [fill(model, shape.member?.shape ?? '', memberName, depth + 1)];
    case 'map':
      return { [String(fill(model, shape.key?.shape ?? '', '', depth + 1))]: fill(model, shape.member?.shape ?? '', '', depth + 1) };
    case 'string':
      return secret ? CANARY : PLAIN;
    case 'blob':
      return Buffer.from(secret ? CANARY : PLAIN);
    case 'timestamp':
      return 0;
    case 'boolean':
      return true;
    case 'integer':
    case 'long':
    case 'float':
    case 'double':
      return 1;
  }
}
