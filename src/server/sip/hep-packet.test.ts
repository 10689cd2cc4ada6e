import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { parseHep } from './hep-packet.ts';

function chunk(type: number, value: Buffer, vendor = 0): Buffer {
  const head = Buffer.alloc(6);
  head.writeUInt16BE(vendor, 0);
  head.writeUInt16BE(type, 2);
  head.writeUInt16BE(value.length + 6, 4);
  return Buffer.concat([head, value]);
}

function packet(...chunks: readonly Buffer[]): Buffer {
  const body = Buffer.concat(chunks);
  const head = Buffer.from('HEP3\0\0', 'latin1');
  head.writeUInt16BE(body.length + 6, 4);
  return Buffer.concat([head, body]);
}

const number = (value: number) => {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
};
const TIMES = [chunk(9, number(1_700_000_000)), chunk(10, number(123_456))];
const SIP = chunk(11, Buffer.from([1]));
const PAYLOAD = chunk(15, Buffer.from('INVITE sip:a SIP/2.0\r\n'));
const VALID = packet(...TIMES, SIP, chunk(1, Buffer.from([2]), 7), PAYLOAD);

test('parseHep: returns the message and the time of a packet', () => {
  assert.deepEqual(parseHep(VALID), { at: 1_700_000_000_123, text: 'INVITE sip:a SIP/2.0\r\n' });
});

const wrongLength = Buffer.from(VALID);
wrongLength.writeUInt16BE(VALID.length - 1, 4);
const zeroChunk = Buffer.from(VALID);
zeroChunk.writeUInt16BE(0, 10);
const longChunk = Buffer.from(VALID);
longChunk.writeUInt16BE(0xffff, 10);

// biome-ignore format: a table
const HOSTILE: readonly (readonly [title: string, packet: Buffer])[] = [
  ['nothing',                    Buffer.alloc(0)],
  ['only the magic number',      Buffer.from('HEP3')],
  ['another magic number',       Buffer.concat([Buffer.from('EEP1'), VALID.subarray(4)])],
  ['a wrong length',             wrongLength],
  ['bytes after the end',        Buffer.concat([VALID, Buffer.from([0])])],
  ['a chunk of length 0',        zeroChunk],
  ['a chunk beyond the end',     longChunk],
  ['a cut chunk header',         packet(...TIMES, SIP, PAYLOAD, Buffer.from([0, 0, 0]))],
  ['no payload',                 packet(...TIMES, SIP)],
  ['an empty payload',           packet(...TIMES, SIP, chunk(15, Buffer.alloc(0)))],
  ['no time',                    packet(SIP, PAYLOAD)],
  ['a short time',               packet(chunk(9, Buffer.from([1])), chunk(10, number(1)), SIP, PAYLOAD)],
  ['another protocol',           packet(...TIMES, chunk(11, Buffer.from([5])), PAYLOAD)],
  ['two payloads',               packet(...TIMES, SIP, PAYLOAD, PAYLOAD)],
  ['65 chunks',                  packet(...TIMES, SIP, PAYLOAD, ...Array.from({ length: 61 }, (_, index) => chunk(100 + index, Buffer.alloc(1))))],
];

for (const [title, bytes] of HOSTILE) test(`parseHep: ${title} is dropped`, () => assert.equal(parseHep(bytes), undefined));

test('parseHep: never throws, for changed and random packets', () => {
  fc.assert(
    fc.property(fc.nat(VALID.length - 1), fc.nat(255), fc.uint8Array({ maxLength: 64 }), (at, value, random) => {
      const changed = Buffer.from(VALID);
      changed[at] = value;
      parseHep(changed);
      parseHep(packet(Buffer.from(random)));
    }),
  );
});
