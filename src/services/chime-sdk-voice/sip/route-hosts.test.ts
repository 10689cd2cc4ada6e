import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sipPeers } from '../sip-peers.ts';
import { targetsOf } from './route-hosts.ts';

const NAMES: Readonly<Record<string, readonly string[]>> = {
  'public.example.com': ['8.8.8.8', '8.8.4.4'],
  'internal.example.com': ['169.254.169.254'],
  'mixed.example.com': ['8.8.8.8', '127.0.0.1'],
  'pbx.corp.internal': ['10.0.0.5'],
  'office.example.com': ['10.1.0.7'],
};

// biome-ignore format: a table
const HOSTS: readonly (readonly [host: string, isOperators: boolean, nextHop: string | undefined])[] = [
  ['8.8.8.8',              false, '8.8.8.8'],
  ['public.example.com',   false, '8.8.8.8'],
  ['internal.example.com', false, undefined],
  ['mixed.example.com',    false, undefined],
  ['missing.example.com',  false, undefined],
  ['127.0.0.1',            false, undefined],
  ['169.254.169.254',      false, undefined],
  ['2001:4860:4860::8888', false, undefined],
  ['x;lr@8.8.8.8',         false, undefined],
  ['a b.example.com',      false, undefined],
  // The operator allows a name and a network.
  ['pbx.corp.internal',    false, '10.0.0.5'],
  ['office.example.com',   false, '10.1.0.7'],
  ['10.1.0.8',             false, '10.1.0.8'],
  // Gateways are the operator's own.
  ['internal.example.com', true,  '169.254.169.254'],
];

for (const [host, isOperators, nextHop] of HOSTS) {
  test(`Targets: the route to ${host}${isOperators ? ' of the operator' : ''} ${nextHop ? `has the address ${nextHop}` : 'is left out'}`, async () => {
    const peers = sipPeers(['pbx.corp.internal', '10.1.0.0/24']);
    const route = { host, port: 5080, transport: 'tcp' as const, ...(isOperators && { isOperators: true as const }) };
    const targets = await targetsOf('+12065550100', [route], { id: 'vc' }, peers, async (name) => NAMES[name] ?? []);
    assert.deepEqual(targets, nextHop === undefined ? [] : [`sip:+12065550100@${host}:5080|sip:${nextHop}:5080;transport=tcp|vc`]);
  });
}
