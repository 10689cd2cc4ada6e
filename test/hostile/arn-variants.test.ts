/** SEC: a resource has exactly one ARN. No operation accepts another string as the ARN of the resource. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { undeclaredArnInputs } from '#model/arn-inputs.ts';
import { actionOf } from '#model/authorization.ts';
import { loadModel } from '#model/load.ts';
import { actionName, SERVICE_NAMES } from '#model/services.ts';
import { parity } from '../../tools/parity.ts';
import { caller, type Outcome } from '../sdk/every-operation.ts';
import { VARIANTS } from './arn-variants.ts';
import { type Place, startDeniedResources } from './denied-resources.ts';

const AT_ONCE = 8;
/** Services whose implemented operations identify resources by ARN. */
const WITH_ARNS = /^(chime-sdk-.*|iam|sts)$/;

const resources = await startDeniedResources();
/** Implemented operations, with the service. Example: `iam CreateUser`. */
const built = new Set(
  (await parity()).flatMap(({ service, operations }) => operations.flatMap((each) => (each.built ? [`${service} ${each.operation}`] : []))),
);

/**
 * Possible errors for an unknown or invalid ARN. The error of an invalid signature is possible, because a no-break
 * space in a header invalidates the signature.
 */
const REFUSED =
  /^(InvalidSignatureException|SerializationException|MalformedInput|AccessDenied(Exception)?|Validation(Error|Exception)|BadRequest(Exception)?|NotFound(Exception)?|NoSuchEntity(Exception)?|Forbidden(Exception)?|UnauthorizedClient(Exception)?|InvalidInput(Exception)?|InvalidIdentityToken(Exception)?|MalformedPolicyDocument(Exception)?|ResourceNotFoundException|NotYetImplemented(Exception)?|UnprocessableEntityException)$/;

const senders = new Map<string, ReturnType<typeof caller>>();

/**
 * Calls an operation with `text` in an input member that contains an ARN. The member accepts ARNs of type `place.type`,
 * and the caller has a Deny on the test's resource of this type.
 */
function call(place: Place, text: string): Promise<Outcome> {
  const { service, operation, type } = place;
  const key = `${service} ${type}`;
  const send = senders.get(key) ?? caller(service, resources.at(service, resources.deniedOn[type]));
  senders.set(key, send);
  return send(operation.name, resources.inputWith(place, text));
}

/** Runs tasks, a few at a time. */
async function each<Item>(items: readonly Item[], run: (item: Item) => Promise<void>): Promise<void> {
  const left = [...items];
  await Promise.all(
    Array.from({ length: AT_ONCE }, async () => {
      for (let item = left.pop(); item !== undefined; item = left.pop()) await run(item);
    }),
  );
}

for (const service of SERVICE_NAMES.filter((name) => WITH_ARNS.test(name))) {
  test(`ARN variants: ${service} accepts no other string in place of the ARN of a denied resource`, async () => {
    const places = resources.places.filter((place) => place.service === service);
    const before = resources.stateDigest();
    const accepted: string[] = [];
    let refused = 0;
    await each(places, async (place) => {
      for (const [title, variant] of VARIANTS) {
        const text = variant(resources.canonical[place.type] as string);
        const { code, message, status } = await call(place, text);
        if (status === undefined && code !== 'ok') continue;
        // DeleteOpenIDConnectProvider also succeeds if the provider does not exist.
        if (code === 'ok' && place.operation.name === 'DeleteOpenIDConnectProvider' && place.input.isCanonical(text)) continue;
        if (REFUSED.test(code)) refused += 1;
        else accepted.push(`${place.operation.name} ${place.input.path.join('.')}, ${title}: ${code} ${message}`);
      }
    });
    assert.deepEqual(accepted.slice(0, 20), []);
    assert.equal(resources.stateDigest(), before);
    assert.ok(refused >= places.length * 20, `${refused} of ${places.length} places`);
  });
}

test('ARN variants: a Deny on an ARN denies every action that supports resources of its type', async () => {
  const wrong: string[] = [];
  let denied = 0;
  const asked = resources.places.filter(({ service, operation, type }) => {
    const [prefix = '', name = ''] = actionName(service, operation.name).split(':');
    return (
      built.has(`${service} ${operation.name}`) && actionOf(prefix, name)?.resourceTypes.some((each) => type === `${prefix}:${each.type}`)
    );
  });
  await each(asked, async (place) => {
    const { code, message } = await call(place, resources.canonical[place.type] as string);
    if (/^(AccessDenied|InvalidIdentityToken)/.test(code)) denied += 1;
    else wrong.push(`${place.operation.name} ${place.input.path.join('.')}: ${code} ${message}`);
  });
  assert.deepEqual(wrong, []);
  assert.ok(denied > 100, `${denied} denied`);
});

test('ARN inputs: every ARN member in the input of an implemented operation is declared', () => {
  const undeclared = SERVICE_NAMES.flatMap((service) => {
    const model = loadModel(service);
    return Object.values(model.operations)
      .filter(({ name }) => built.has(`${service} ${name}`))
      .flatMap((operation) => undeclaredArnInputs(model, operation).map((member) => `${service} ${operation.name} ${member}`));
  });
  assert.deepEqual(undeclared, []);
  assert.ok(built.size > 300, `${built.size} built`);
});
