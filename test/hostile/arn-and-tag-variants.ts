/**
 * Random requests of two kinds. Some have a random string in place of the ARN of a resource that a Deny protects.
 * Others have random tags whose keys are equal ignoring case.
 */

import assert from 'node:assert/strict';
import { performance } from 'node:perf_hooks';
import {
  ChimeSDKIdentityClient,
  CreateAppInstanceCommand,
  ListTagsForResourceCommand,
  type Tag,
  TagResourceCommand,
  UntagResourceCommand,
} from '@aws-sdk/client-chime-sdk-identity';
import { type Dice, diceOf } from '../reference/generate-policies.ts';
import { caller, type Outcome } from '../sdk/every-operation.ts';
import { VARIANTS } from './arn-variants.ts';
import { type DeniedResources, type Place, startDeniedResources } from './denied-resources.ts';
import type { Figure, Workload, WorkloadOptions } from './workload.ts';

/** Maximum number of concurrent requests. */
const AT_ONCE = 8;
const HOSTILE_TEXTS = [
  ':',
  '/',
  '//',
  '*',
  '?',
  '%',
  '%2F',
  '%00',
  ' ',
  '\u00a0',
  '\u0130',
  '\u212a',
  '\ufeff',
  '..',
  'arn:',
  'aws',
  'ARN:',
  ':::',
  `\${x}`,
];

const pick = <Item>(dice: Dice, items: readonly Item[]): Item => items[dice(items.length)] as Item;

/** Returns a copy of `arn` with one to three random changes. The result may be a valid ARN, but never equals `arn`. */
function mutated(dice: Dice, arn: string): string {
  let text = arn;
  for (let left = 1 + dice(3); left > 0; left--) text = pick(dice, MUTATIONS)(dice, text);
  return text === arn ? `${arn}${pick(dice, HOSTILE_TEXTS)}` : text;
}

const MUTATIONS: readonly ((dice: Dice, text: string) => string)[] = [
  (dice, text) => pick(dice, VARIANTS)[1](text),
  (dice, text) => splice(text, dice(text.length), 0, pick(dice, HOSTILE_TEXTS)),
  (dice, text) => splice(text, dice(text.length), 1, ''),
  (dice, text) => splice(text, dice(text.length), 1, pick(dice, HOSTILE_TEXTS)),
  (dice, text) => {
    const at = dice(text.length);
    const letter = text.charAt(at);
    return splice(text, at, 1, letter === letter.toLowerCase() ? letter.toUpperCase() : letter.toLowerCase());
  },
  (dice, text) => {
    const parts = text.split(':');
    const [from, to] = [dice(parts.length), dice(parts.length)];
    return parts.toSpliced(from, 1, parts[to] as string).join(':');
  },
];

function splice(text: string, at: number, remove: number, insert: string): string {
  return text.slice(0, at) + insert + text.slice(at + remove);
}

async function run({ seconds, seed }: WorkloadOptions): Promise<readonly Figure[]> {
  const dice = diceOf(seed);
  const resources = await startDeniedResources();
  const arns = await attackArns(resources, dice, performance.now() + seconds * 700);
  const tags = await attackTags(resources, dice, performance.now() + seconds * 300);
  return [
    { what: 'strings sent in place of a denied ARN, all refused', value: arns, unit: 'count' },
    { what: 'changes of tags with colliding keys, none stored twice', value: tags, unit: 'count' },
  ];
}

/** Calls random operations with changed ARNs of denied resources. Throws if a call succeeds, or if the calls change the stored state. */
async function attackArns(resources: DeniedResources, dice: Dice, until: number): Promise<number> {
  const before = resources.stateDigest();
  const senders = new Map<string, ReturnType<typeof caller>>();
  let count = 0;
  const send = (place: Place, text: string): Promise<Outcome> => {
    const key = `${place.service} ${place.type}`;
    const sender = senders.get(key) ?? caller(place.service, resources.at(place.service, resources.deniedOn[place.type]));
    senders.set(key, sender);
    return sender(place.operation.name, resources.inputWith(place, text));
  };
  async function worker(): Promise<void> {
    do {
      const place = pick(dice, resources.places);
      const text = mutated(dice, resources.canonical[place.type] as string);
      const { code, message, status } = await send(place, text);
      count += 1;
      // DeleteOpenIDConnectProvider also succeeds if the provider does not exist.
      const idempotent = place.operation.name === 'DeleteOpenIDConnectProvider' && place.input.isCanonical(text);
      assert.ok(code !== 'ok' || idempotent, `${place.operation.name} accepts ${JSON.stringify(text)}`);
      assert.ok(status === undefined || status < 500, `${place.operation.name} with ${JSON.stringify(text)}: ${code} ${message}`);
    } while (performance.now() < until);
  }
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
  assert.equal(resources.stateDigest(), before);
  return count;
}

const KEYS = ['team', 'Team', 'TEAM', 'stage', 'Stage', 'ı', 'İ', 'i̇', 'k', '\u212a', 'K'];

/** Adds and removes tags with colliding keys, and lists them after each change. Throws if two keys are equal ignoring case. */
async function attackTags(resources: DeniedResources, dice: Dice, until: number): Promise<number> {
  const identity = new ChimeSDKIdentityClient(resources.at('chime-sdk-identity'));
  const { AppInstanceArn: ResourceARN } = await identity.send(new CreateAppInstanceCommand({ Name: 'tagged' }));
  let count = 0;
  do {
    const Tags = Array.from({ length: 1 + dice(3) }, (): Tag => ({ Key: pick(dice, KEYS), Value: String(count) }));
    const change =
      dice(3) === 0
        ? new UntagResourceCommand({ ResourceARN, TagKeys: Tags.map(({ Key = '' }) => Key) })
        : new TagResourceCommand({ ResourceARN, Tags });
    await identity
      .send(change as TagResourceCommand)
      .catch((error: Error) => assert.equal(error.name, 'BadRequestException', error.message));
    const listed = await identity.send(new ListTagsForResourceCommand({ ResourceARN }));
    const keys = (listed.Tags ?? []).map(({ Key = '' }) => Key.toLowerCase());
    assert.equal(new Set(keys).size, keys.length, keys.join());
    count += 1;
  } while (performance.now() < until);
  return count;
}

export const arnAndTagVariants: Workload = { name: 'ARN and tag variants', run };
