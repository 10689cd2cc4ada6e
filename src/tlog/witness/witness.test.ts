/** Decisions of a witness on a real folder, and crashes while it stores a checkpoint. */
import assert from 'node:assert/strict';
import { appendFileSync, existsSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { writeDurably } from '#server/durable-file.ts';
import { entriesOf, type MemoryLog, memoryLog } from '../../../test/kit/tlog.ts';
import { openCheckpoint } from '../checkpoint.ts';
import { proveConsistency } from '../merkle.ts';
import { formatNote, parseNote, parseSignatureLine, signText, verifyNote } from '../note.ts';
import { createSigningKey } from '../note-key.ts';
import { formatAddCheckpoint, hashOfOrigin } from './add-checkpoint.ts';
import { createWitness } from './witness.ts';
import { openWitnessFolder, type WriteDurably } from './witness-folder.ts';

function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'belfry-witness-'));
  after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** Opens a witness with its folder, as a start of the program does. */
function openWitness(path: string, write: WriteDurably = writeDurably) {
  const forks: string[] = [];
  const folder = openWitnessFolder(path, write);
  const signingKey = folder.signingKey() ?? folder.createKey('w.example/1');
  let now = 1_700_000_000_000;
  const witness = createWitness({ signingKey, folder, now: () => (now += 1_000), onFork: (line) => forks.push(line) });
  return { ...witness, folder, key: signingKey.key, forks };
}

async function logOf(size: number, from = 0, signingKey?: MemoryLog['signingKey']): Promise<MemoryLog> {
  const log = memoryLog(signingKey);
  await log.append(entriesOf(size, from));
  return log;
}

async function bodyOf(log: MemoryLog, oldSize: number, size: number, from = oldSize): Promise<string> {
  return formatAddCheckpoint({ oldSize, proof: await proveConsistency(log.read, from, size), checkpoint: await log.checkpoint(size) });
}

const sizeAt = (witness: ReturnType<typeof openWitness>, log: MemoryLog): number | undefined => {
  const signed = witness.checkpoint(hashOfOrigin(log.signingKey.key.name));
  return signed === undefined ? undefined : openCheckpoint(signed, log.signingKey.key, [witness.key])?.size;
};

test('addCheckpoint: cosigns a first, a larger and an equal tree, and each cosignature is newer', async () => {
  const [log, witness] = [await logOf(10), openWitness(newFolder())];
  witness.folder.addLog(log.signingKey.key);
  const times: (number | undefined)[] = [];
  for (const [oldSize, size] of [
    [0, 3],
    [3, 10],
    [10, 10],
  ] as const) {
    const reply = witness.addCheckpoint(await bodyOf(log, oldSize, size));
    assert.equal(reply.status, 200);
    const cosignature = parseSignatureLine(reply.status === 200 ? reply.cosignature.slice(0, -1) : '');
    const { text } = parseNote(await log.checkpoint(size));
    times.push(verifyNote({ text, signatures: [cosignature] }, [witness.key])?.[0]?.timeSeconds);
    assert.equal(sizeAt(witness, log), size);
  }
  assert.deepEqual(times, [1_700_000_001, 1_700_000_002, 1_700_000_003]);
});

test('addCheckpoint: an empty tree is cosigned only with the empty root, and grows to any tree', async () => {
  const [log, witness] = [await logOf(4), openWitness(newFolder())];
  witness.folder.addLog(log.signingKey.key);
  const wrong = parseNote(await log.checkpoint(0)).text.replace(/\n0\n.*/, `\n0\n${Buffer.alloc(32).toString('base64')}`);
  const signed = formatNote({ text: wrong, signatures: [signText(log.signingKey, wrong, 0)] });
  assert.equal(witness.addCheckpoint(formatAddCheckpoint({ oldSize: 0, proof: [], checkpoint: signed })).status, 422);
  assert.equal(witness.addCheckpoint(await bodyOf(log, 0, 0)).status, 200);
  assert.equal(witness.addCheckpoint(await bodyOf(log, 0, 4)).status, 200);
});

test('addCheckpoint: every refusal has its status, and leaves the cosigned tree unchanged', async () => {
  const [log, witness] = [await logOf(20), openWitness(newFolder())];
  const { signingKey } = log;
  witness.folder.addLog(signingKey.key);
  assert.equal(witness.addCheckpoint(await bodyOf(log, 0, 8)).status, 200);
  const fork = await logOf(20, 500, signingKey);
  const longFork = memoryLog(signingKey);
  await longFork.append([...entriesOf(7), ...entriesOf(13, 900)]);
  const valid = await bodyOf(log, 8, 12);
  const unknown = await logOf(12, 0, createSigningKey('other.example/1', 'log'));
  const impostor = await logOf(12, 0, createSigningKey(signingKey.key.name, 'log'));
  const proof = await proveConsistency(log.read, 8, 12);
  // biome-ignore format: a table
  const rows: readonly [title: string, body: string, status: number][] = [
    ['an empty body',                       '',                                                               400],
    ['no old line',                         valid.replace('old 8\n', ''),                                     400],
    ['a leading zero',                      valid.replace('old 8', 'old 08'),                                 400],
    ['an old size above 2^53',              valid.replace('old 8', 'old 9007199254740993'),                   400],
    ['a malformed hash',                    valid.replace('old 8\n', 'old 8\nAAAA\n'),                        400],
    ['64 hashes',                           formatAddCheckpoint({ oldSize: 8, proof: Array(64).fill(Buffer.alloc(32)), checkpoint: await log.checkpoint(12) }), 400],
    ['a checkpoint without a signature',    formatAddCheckpoint({ oldSize: 8, proof, checkpoint: parseNote(await log.checkpoint(12)).text }), 400],
    ['an unknown log',                      await bodyOf(unknown, 0, 12),                                     404],
    ['another key with the known name',     await bodyOf(impostor, 8, 12),                                    403],
    ['a changed size',                      valid.replace('\n12\n', '\n13\n'),                                403],
    ['an old size above the size',          await bodyOf(log, 9, 8, 8),                                       400],
    ['an old size below the cosigned size', await bodyOf(log, 7, 12),                                         409],
    ['a smaller tree',                      await bodyOf(log, 5, 5),                                          409],
    ['an old size of 0',                    await bodyOf(log, 0, 12),                                         409],
    ['no proof',                            formatAddCheckpoint({ oldSize: 8, proof: [], checkpoint: await log.checkpoint(12) }), 422],
    ['the proof of another size',           await bodyOf(log, 8, 12, 7),                                      422],
    ['hashes for an equal tree',            formatAddCheckpoint({ oldSize: 8, proof, checkpoint: await log.checkpoint(8) }), 422],
    ['a fork of the same size',             await bodyOf(fork, 8, 8),                                         422],
    ['a fork with its own proof',           await bodyOf(fork, 8, 20),                                        422],
    ['a fork in the last cosigned leaf',    await bodyOf(longFork, 8, 20),                                    422],
  ];
  for (const [title, body, status] of rows) {
    const reply = witness.addCheckpoint(body);
    assert.equal(reply.status, status, title);
    if (reply.status === 409) assert.equal(reply.size, 8, title);
    assert.equal(sizeAt(witness, log), 8, title);
  }
  // One report per minute, with the signed checkpoint as evidence.
  assert.equal(witness.forks.length, 1);
  assert.ok(witness.forks[0]?.endsWith(`\n${(await log.checkpoint(12)).trimEnd()}`), witness.forks[0]);
  assert.equal(witness.addCheckpoint(valid).status, 200);
});

test('addCheckpoint: if the checkpoint cannot be stored, the witness does not cosign it', async () => {
  const [log, path] = [await logOf(9), newFolder()];
  const fork = await logOf(9, 500, log.signingKey);
  openWitness(path).folder.addLog(log.signingKey.key);
  assert.equal(openWitness(path).addCheckpoint(await bodyOf(log, 0, 3)).status, 200);
  // A crash before the new file has its name, and one after it.
  for (const [when, sizeAfter] of [
    ['before', 3],
    ['after', 6],
  ] as const) {
    const crashing = openWitness(path, (file, text) => {
      if (when === 'after') writeDurably(file, text);
      throw new Error('crash');
    });
    const body = await bodyOf(log, 3, 6);
    assert.throws(() => crashing.addCheckpoint(body), /crash/);
    assert.equal(sizeAt(crashing, log), 3, when);
    const restarted = openWitness(path);
    assert.equal(sizeAt(restarted, log), sizeAfter, when);
    assert.equal(restarted.addCheckpoint(await bodyOf(fork, sizeAfter, 9)).status, 422, when);
  }
  assert.equal(openWitness(path).addCheckpoint(await bodyOf(log, 6, 9)).status, 200);
});

test('addCheckpoint: a lost or changed state file is an error, and never a fresh start', async () => {
  const [log, path] = [await logOf(9), newFolder()];
  const witness = openWitness(path);
  witness.folder.addLog(log.signingKey.key);
  assert.equal(witness.addCheckpoint(await bodyOf(log, 0, 3)).status, 200);
  const file = join(path, 'logs', `${hashOfOrigin(log.signingKey.key.name)}.checkpoint`);
  const body = await bodyOf(log, 0, 9);
  writeFileSync(file, await log.checkpoint(3));
  assert.throws(() => openWitness(path).addCheckpoint(body), /no valid cosignature of this witness/);
  rmSync(file);
  assert.throws(() => openWitness(path).addCheckpoint(body), /ENOENT/);
  assert.equal(witness.folder.addLog(createSigningKey(log.signingKey.key.name, 'log').key), 'added');
  assert.equal(existsSync(file), false);
});

test('openWitnessFolder: files are private, and the folder of a server or an open folder is refused', () => {
  const path = newFolder();
  const { folder } = openWitness(path);
  assert.equal(statSync(join(path, 'witness.key')).mode & 0o777, 0o600);
  assert.throws(() => folder.addLog(createSigningKey('w', 'witness').key), /key of a witness/);
  appendFileSync(join(path, 'operator.key'), '');
  assert.throws(() => openWitness(path), /data folder of a server/);
});

test('WitnessFolder: a log has at most 8 keys, of which each may sign', async () => {
  const [log, witness] = [await logOf(2), openWitness(newFolder())];
  const { name } = log.signingKey.key;
  for (let i = 0; i < 7; i += 1) witness.folder.addLog(createSigningKey(name, 'log').key);
  assert.deepEqual([witness.folder.addLog(log.signingKey.key), witness.folder.addLog(log.signingKey.key)], ['added', 'exists']);
  assert.throws(() => witness.folder.addLog(createSigningKey(name, 'log').key), /the maximum/);
  assert.deepEqual(
    witness.folder.logs().map(({ origin, keys }) => [origin, keys.length]),
    [[name, 8]],
  );
  assert.equal(witness.addCheckpoint(await bodyOf(log, 0, 2)).status, 200);
});
