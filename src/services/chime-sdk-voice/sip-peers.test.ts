import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sipPeers } from './sip-peers.ts';

const OPERATOR = ['10.0.0.0/24', 'fd00:1::/64', '192.168.1.10', 'pbx.corp.internal', 'pbx'];

// biome-ignore format: a table
const RANGES: readonly (readonly [range: string, byDefault: boolean, withOperator?: boolean])[] = [
  // Source: AWS provider of Terraform, voice_connector_termination.go: /27 to /32
  ['8.8.8.0/27',           true ],
  ['8.8.8.32/27',          true ],
  ['8.8.8.7/32',           true ],
  ['8.8.8.0/26',           false],
  ['0.0.0.0/0',            false],
  ['8.8.8.0/33',           false],
  ['8.8.8.0/',             false],
  ['8.8.8.7',              false],
  ['8.8.8.7/27',           false],
  ['pbx.example.org/32',   false],
  // Private and reserved IPv4 ranges, and addresses next to them
  ['10.0.0.0/27',          false, true ],
  ['10.0.0.255/32',        false, true ],
  ['10.0.1.0/27',          false],
  ['192.168.1.10/32',      false, true ],
  ['192.168.1.0/27',       false],
  ['172.31.255.255/32',    false],
  ['172.32.0.0/32',        true ],
  ['127.0.0.1/32',         false],
  ['192.0.2.0/27',         false],
  ['169.254.169.254/32',   false],
  ['100.64.0.1/32',        false],
  ['224.0.0.1/32',         false],
  ['255.255.255.255/32',   false],
  ['0.0.0.0/32',           false],
  // IPv6 ranges
  ['2600::/123',           true ],
  ['2600::1/128',          true ],
  ['2600::/122',           false],
  ['2001:db8::/123',       false],
  ['::/0',                 false],
  ['::1/128',              false],
  ['fd00:1::/123',         false, true ],
  ['fe80::1/128',          false],
  ['::ffff:10.0.0.1/128',  false],
  ['2002:a00:1::/128',     false],
];

for (const [range, byDefault, withOperator = byDefault] of RANGES) {
  test(`sipPeers: ${range} is ${byDefault ? 'allowed' : withOperator ? 'allowed only if the operator lists it' : 'refused'}`, () => {
    assert.deepEqual(
      [[], OPERATOR].map((peers) => sipPeers(peers).allowsRange(range)),
      [byDefault, withOperator],
    );
  });
}

// biome-ignore format: a table
const HOSTS: readonly (readonly [host: string, byDefault: boolean, withOperator?: boolean])[] = [
  ['pbx.example.org',         true ],
  ['PBX.Example.org',         true ],
  ['sip-1.a.b.example.org',   true ],
  ['8.8.8.7',                 true ],
  ['2600::1',                 true ],
  ['198.51.100.7',            false],
  ['pbx',                     false, true ],
  ['pbx.corp.internal',       false, true ],
  ['other.corp.internal',     false],
  ['localhost',               false],
  ['pbx.localhost',           false],
  ['pbx.local',               false],
  ['pbx.home.arpa',           false],
  ['10.0.0.5',                false, true ],
  ['10.0.1.5',                false],
  ['127.0.0.1',               false],
  ['169.254.169.254',         false],
  ['::1',                     false],
  ['::ffff:127.0.0.1',        false],
  ['127.1',                   false],
  ['0x7f.0.0.1',              false],
  ['example.org.',            false],
  ['-pbx.example.org',        false],
  ['pbx_1.example.org',       false],
  ['pbx.example.org:5060',    false],
  ['[2600::1]',               false],
  ['sip:pbx@example.org',     false],
  ['pbx.example.org/24',      false],
  [`${'a'.repeat(64)}.org`,   false],
  [`${'a.'.repeat(126)}org`,  false],
];

for (const [host, byDefault, withOperator = byDefault] of HOSTS) {
  test(`sipPeers: host ${host.slice(0, 40)} is ${byDefault ? 'allowed' : withOperator ? 'allowed only if the operator lists it' : 'refused'}`, () => {
    assert.deepEqual(
      [[], OPERATOR].map((peers) => sipPeers(peers).allowsHost(host)),
      [byDefault, withOperator],
    );
  });
}
