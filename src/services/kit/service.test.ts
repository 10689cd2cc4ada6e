import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ServiceName } from '#model/services.ts';
import { checkServices, type Service, sealedKind } from './service.ts';

const operations = async () => ({});
const ROOM = { name: 'room' };
const named = (name: string, more: Partial<Service> = {}): Service => ({ name: name as ServiceName, operations, ...more });

// biome-ignore format: a table
const WRONG: readonly [title: string, services: readonly Service[], message: RegExp][] = [
  ['an unknown service',                          [named('chime-sdk-fax')],                                                       /^Error: unknown service 'chime-sdk-fax' \(services: chime, /],
  ['a service declared twice',                    [named('sts'), named('sts')],                                                   /^Error: service 'sts' is declared twice$/],
  ['a kind declared twice',                       [named('chime', { kinds: [ROOM] }), named('sts', { kinds: [{ name: 'room' }] })], /^Error: resource kind 'room' is declared by 'chime' and 'sts'$/],
  ['a kind declared twice by one service',        [named('chime', { kinds: [ROOM, ROOM] })],                                      /^Error: resource kind 'room' is declared by 'chime' and 'chime'$/],
  ['sealed strings of a kind that is undeclared', [named('chime', { sealed: [sealedKind(ROOM, (record) => record)] })],           /^Error: service 'chime' lists sealed strings of kind 'room', but does not declare this kind$/],
];

for (const [title, services, message] of WRONG) {
  test(`checkServices: ${title} is an error`, () => assert.throws(() => checkServices(services), message));
}

test('checkServices: different services and kinds pass', () => {
  const sealed = [sealedKind(ROOM, (record) => record)];
  checkServices([named('chime', { kinds: [ROOM], sealed }), named('sts', { kinds: [{ name: 'fax' }] })]);
});
