import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseProxyHeader } from './proxy-protocol.ts';

const SIGNATURE = '0d0a0d0a000d0a515549540a';
const IPV4 = 'c0000205c00002010fa001bb';
const IPV6 = '20010db8000000000000000000000005200108b80000000000000000000000010fa001bb';
const hex = (...parts: readonly string[]) => Buffer.from(parts.join(''), 'hex');
const length = (bytes: string) => (bytes.length / 2).toString(16).padStart(4, '0');
const framed = (command: string, family: string, variable: string) => hex(SIGNATURE, command, family, length(variable), variable);
const tlv = (type: string, value: string) => `${type}${length(value)}${value}`;
const text = (value: string) => Buffer.from(value).toString('hex');
const ssl = (client: string, ...inner: readonly string[]) => tlv('20', `${client}00000000${inner.join('')}`);
const VERSION = tlv('21', text('TLSv1.3'));
const CIPHER = tlv('23', text('TLS_AES_128_GCM_SHA256'));
const AUTHORITY = tlv('02', text('belfry.example'));

// biome-ignore format: a table
const CASES: readonly (readonly [what: string, bytes: Buffer, header: object | 'more' | 'refused'])[] = [
  ['TCP over IPv4',                                framed('21', '11', IPV4),                                   { address: '192.0.2.5' }],
  ['TCP over IPv6',                                framed('21', '21', IPV6),                                   { address: '2001:db8::5' }],
  ['an IPv4-mapped address',                       framed('21', '21', `${'0'.repeat(20)}ffffc0000205${IPV6.slice(32)}`), { address: '192.0.2.5' }],
  ['a connection of the proxy itself',             framed('20', '00', ''),                                     {}],
  ['a LOCAL header with addresses',                framed('20', '11', IPV4),                                   {}],
  ['a header with unknown TLVs',                   framed('21', '11', IPV4 + AUTHORITY),                       { address: '192.0.2.5' }],
  ['a client with TLS',                            framed('21', '11', IPV4 + AUTHORITY + ssl('01', VERSION, CIPHER)), { address: '192.0.2.5', ssl: { secure: true, version: 'TLSv1.3', cipherSuite: 'TLS_AES_128_GCM_SHA256' } }],
  ['a client with TLS of unknown parameters',      framed('21', '11', IPV4 + ssl('07')),                       { address: '192.0.2.5', ssl: { secure: true } }],
  ['a client without TLS',                         framed('21', '11', IPV4 + ssl('00', VERSION)),              { address: '192.0.2.5', ssl: { secure: false } }],
  ['a TLS version that is not a name',             framed('21', '11', IPV4 + ssl('01', tlv('21', text('"x"')))), { address: '192.0.2.5', ssl: { secure: true } }],
  ['no bytes',                                     hex(),                                                      'more'],
  ['half of the signature',                        hex(SIGNATURE.slice(0, 10)),                                'more'],
  ['a header without its addresses',               framed('21', '11', IPV4).subarray(0, 20),                   'more'],
  ['HTTP',                                         Buffer.from('GET / HTTP/1.1\r\n'),                          'refused'],
  ['version 1',                                    Buffer.from('PROXY TCP4 192.0.2.5 192.0.2.1 1 2\r\n'),      'refused'],
  ['another version',                              framed('31', '11', IPV4),                                   'refused'],
  ['an unknown command',                           framed('22', '11', IPV4),                                   'refused'],
  ['an unknown address family',                    framed('21', '00', ''),                                     'refused'],
  ['UDP',                                          framed('21', '12', IPV4),                                   'refused'],
  ['a Unix socket',                                framed('21', '31', '00'.repeat(216)),                       'refused'],
  ['addresses that are too short',                 framed('21', '11', IPV4.slice(2)),                          'refused'],
  ['more than 4,096 bytes, before they arrive',    hex(SIGNATURE, '2111', '1001'),                             'refused'],
  ['a TLV that is longer than the header',         framed('21', '11', `${IPV4}0200ff00`),                      'refused'],
  ['half of a TLV',                                framed('21', '11', `${IPV4}0200`),                          'refused'],
  ['two TLVs of TLS',                              framed('21', '11', IPV4 + ssl('00') + ssl('01')),           'refused'],
  ['a TLV of TLS that is too short',               framed('21', '11', IPV4 + tlv('20', '0100')),               'refused'],
];

for (const [what, bytes, expected] of CASES) {
  test(`parseProxyHeader: returns ${typeof expected === 'string' ? expected : 'the header'} for ${what}`, () => {
    const parsed = parseProxyHeader(bytes);
    assert.deepEqual(typeof parsed === 'string' ? parsed : parsed.header, expected);
  });
}

test('parseProxyHeader: the returned length excludes the bytes after the header', () => {
  const header = framed('21', '11', IPV4 + AUTHORITY);
  const parsed = parseProxyHeader(Buffer.concat([header, Buffer.from('GET /')]));
  assert.equal(typeof parsed === 'object' && parsed.length, header.length);
});

test('parseProxyHeader: returns `more` for every incomplete header', () => {
  const header = framed('21', '11', IPV4 + ssl('01', VERSION, CIPHER));
  for (let end = 0; end < header.length; end++) assert.equal(parseProxyHeader(header.subarray(0, end)), 'more', `${end} bytes`);
});
