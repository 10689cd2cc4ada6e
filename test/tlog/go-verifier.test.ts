/** An independent verifier in Go, which has no code of ours, checks logs, proofs and cosignatures that we write. */
import assert from 'node:assert/strict';
import { appendFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { proveConsistency, proveInclusion, tileLevels, tileWidth, treeRoot } from '#tlog/merkle.ts';
import { formatNote, parseNote, signText } from '#tlog/note.ts';
import { createSigningKey, formatVkey } from '#tlog/note-key.ts';
import { formatProof, PROOF_SUFFIX } from '#tlog/proof.ts';
import { encodeEntryBundle, formatTilePath, type TileAddress } from '#tlog/tile-path.ts';
import { newFolder } from '../kit/folder.ts';
import { buildVerifier } from '../kit/go-verifier.ts';
import { entriesOf, type MemoryLog, memoryLog } from '../kit/tlog.ts';

const verify = buildVerifier(newFolder('witness'));
const WITNESS = createSigningKey('w.example/1', 'witness');
const SIZES = [1, 255, 256, 257, 65_537];

const keysOf = (log: MemoryLog) => [formatVkey(log.signingKey.key), formatVkey(WITNESS.key)] as const;
const encoded = (hashes: readonly Uint8Array[]): string => hashes.map((hash) => `${Buffer.from(hash).toString('base64')}\n`).join('');

async function cosignedCheckpoint(log: MemoryLog, size: number): Promise<string> {
  const { text, signatures } = parseNote(await log.checkpoint(size));
  return formatNote({ text, signatures: [...signatures, signText(WITNESS, text, 1_764_000_000)] });
}

/** Writes a log of `entries` as static files, with proofs for the verifier. Returns the folder. */
async function exportLog(log: MemoryLog, entries: readonly Buffer[]): Promise<string> {
  const [folder, size] = [newFolder('witness'), entries.length];
  const write = (name: string, content: string | Uint8Array): void => {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), content);
  };
  write('checkpoint', await cosignedCheckpoint(log, size));
  for (let level = 0; level < tileLevels(size); level += 1) {
    for (let index = 0, width = tileWidth(level, 0, size); width > 0; width = tileWidth(level, (index += 1), size)) {
      const address: TileAddress = { level, index, width };
      write(formatTilePath(address), (await log.read(level, index, width)).subarray(0, width * 32));
      if (level === 0)
        write(formatTilePath({ ...address, level: 'entries' }), encodeEntryBundle(entries.slice(index * 256, index * 256 + width)));
    }
  }
  for (const index of new Set([0, Math.floor(size / 2), size - 1]))
    write(`inclusion-${index}`, encoded(await proveInclusion(log.read, index, size)));
  for (const old of SIZES.filter((each) => each <= size))
    write(`consistency-${old}`, encoded([await treeRoot(log.read, old), ...(await proveConsistency(log.read, old, size))]));
  return folder;
}

const ENTRIES = entriesOf(65_537);
const LOG = memoryLog();

test('Go verifier: accepts logs of 1, 255, 256, 257 and 65,537 entries with their tiles, bundles and proofs', async () => {
  await LOG.append(ENTRIES.slice(0, 300));
  await LOG.append(ENTRIES.slice(300));
  for (const size of SIZES) {
    const [status, output] = await verify('tree', await exportLog(LOG, ENTRIES.slice(0, size)), ...keysOf(LOG));
    assert.equal(status, 0, `${size}: ${output}`);
    assert.match(output, new RegExp(`^ok ${size} entries$`, 'm'));
    assert.equal(output.match(/^ok consistency of/gm)?.length, SIZES.filter((each) => each <= size).length);
  }
});

test('Go verifier: rejects a changed tile, a changed entry, and a checkpoint of another key', async () => {
  const entries = ENTRIES.slice(0, 257);
  // biome-ignore format: a table
  for (const [title, file, message] of [
    ['tile',       'tile/0/000',             /FAIL tile\/entries\/000.*/],
    ['entry',      'tile/entries/001.p/1',   /FAIL tile\/entries\/001\.p\/1/],
    ['checkpoint', 'checkpoint',             /FAIL signatures/],
  ] as const) {
    const folder = await exportLog(LOG, entries);
    const bytes = readFileSync(join(folder, file));
    const last = bytes.length - 5;
    bytes[last] = (bytes[last] as number) ^ 1;
    writeFileSync(join(folder, file), bytes);
    const [status, output] = await verify('tree', folder, ...keysOf(LOG));
    assert.equal(status, 1, title);
    assert.match(output, message, title);
  }
  const [status] = await verify(
    'tree',
    await exportLog(LOG, entries),
    formatVkey(createSigningKey('log.example/1', 'log').key),
    formatVkey(WITNESS.key),
  );
  assert.equal(status, 1);
});

test('Go verifier: accepts a stored proof, and rejects it for another entry or index', async () => {
  const folder = newFolder('witness');
  const [file, entry] = [join(folder, `entry${PROOF_SUFFIX}`), join(folder, 'entry')];
  const proofOf = async (index: number) =>
    formatProof({ index, hashes: await proveInclusion(LOG.read, 41_234, 65_537), checkpoint: await cosignedCheckpoint(LOG, 65_537) });
  writeFileSync(entry, ENTRIES[41_234] as Buffer);
  writeFileSync(file, await proofOf(41_234));
  const [status, output] = await verify('proof', file, entry, ...keysOf(LOG));
  assert.deepEqual([status, /^ok inclusion$/m.test(output)], [0, true], output);
  writeFileSync(file, await proofOf(41_235));
  assert.equal((await verify('proof', file, entry, ...keysOf(LOG)))[0], 1);
  writeFileSync(file, await proofOf(41_234));
  appendFileSync(entry, 'x');
  assert.equal((await verify('proof', file, entry, ...keysOf(LOG)))[0], 1);
});
