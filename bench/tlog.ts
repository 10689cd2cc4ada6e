/**
 * Measures the transparency log without its storage: leaves that are appended per second in batches, the time of proofs
 * from tiles in memory, and the time in which a witness cosigns a checkpoint and stores it on disk.
 *
 * Prints medians of rounds. The baseline of an append is the hashing alone: one leaf and one inner node per entry.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { encodeTrailLeaf } from '#core/trail-leaf.ts';
import { writeDurably } from '#server/durable-file.ts';
import { appendEntries, EMPTY_TREE, type TreeHead } from '#tlog/append.ts';
import { formatCheckpoint, openCheckpoint } from '#tlog/checkpoint.ts';
import { leafHash, nodeHash } from '#tlog/hash.ts';
import { proveConsistency, proveInclusion, type TileReader, treeRoot } from '#tlog/merkle.ts';
import { formatNote, signText } from '#tlog/note.ts';
import { createSigningKey } from '#tlog/note-key.ts';
import { verifyInclusion } from '#tlog/verify-path.ts';
import { formatAddCheckpoint } from '#tlog/witness/add-checkpoint.ts';
import { createWitness } from '#tlog/witness/witness.ts';
import { openWitnessFolder } from '#tlog/witness/witness-folder.ts';

const LEAVES = 200_000;
/** Records of 10 seconds at 1,000 requests a second. */
const BATCH = 10_000;
const ROUNDS = 5;
const PROOFS = 200;

const writer = '01'.repeat(16);
const recordHash = Buffer.alloc(32, 2);
const entries = Array.from({ length: LEAVES }, (_, number) =>
  encodeTrailLeaf({ writer, number: number + 1, at: 1_764_000_000_000 + number, sha256: recordHash }),
);
const tiles = new Map<string, Uint8Array>();
const read: TileReader = async (level, index) => tiles.get(`${level}/${index}`) as Uint8Array;

const median = (values: readonly number[]): number => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] as number;

async function millisecondsOf(run: () => Promise<void> | void): Promise<number> {
  const start = performance.now();
  await run();
  return performance.now() - start;
}

let head: TreeHead = EMPTY_TREE;
const [appends, hashes]: [number[], number[]] = [[], []];
for (let round = 0; round < ROUNDS; round += 1) {
  hashes.push(
    await millisecondsOf(() => {
      for (const entry of entries) nodeHash(leafHash(entry), recordHash);
    }),
  );
  tiles.clear();
  head = EMPTY_TREE;
  appends.push(
    await millisecondsOf(async () => {
      for (let at = 0; at < LEAVES; at += BATCH) {
        const appended = await appendEntries(head, entries.slice(at, at + BATCH), read);
        for (const { level, index, hashes: tile } of appended.tiles) tiles.set(`${level}/${index}`, tile);
        head = appended;
      }
    }),
  );
}
const perSecond = (milliseconds: number): string => Math.round(LEAVES / (milliseconds / 1_000)).toLocaleString('en');
console.log(`append in batches of ${BATCH}: ${perSecond(median(appends))} leaves/s (hashing alone: ${perSecond(median(hashes))} leaves/s)`);

const indexes = Array.from({ length: PROOFS }, (_, i) => Math.floor((i * LEAVES) / PROOFS));
const each = async (what: string, run: (index: number) => Promise<void> | void): Promise<void> => {
  const rounds: number[] = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    rounds.push(
      await millisecondsOf(async () => {
        for (const index of indexes) await run(index);
      }),
    );
  }
  console.log(`${what}: ${(median(rounds) / PROOFS).toFixed(3)} ms`);
};
await each('proof of inclusion', async (index) => void (await proveInclusion(read, index, LEAVES)));
await each('proof of consistency', async (index) => void (await proveConsistency(read, index + 1, LEAVES)));
const proofs = new Map(await Promise.all(indexes.map(async (index) => [index, await proveInclusion(read, index, LEAVES)] as const)));
await each('verification of inclusion', (index) => {
  const leaf = leafHash(entries[index] as Buffer);
  if (!verifyInclusion({ index, size: LEAVES, leaf, root: head.root }, proofs.get(index) ?? []))
    throw new Error(`leaf ${index} is not proven`);
});

const path = mkdtempSync(join(tmpdir(), 'belfry-bench-witness-'));
const log = createSigningKey('log.example/1', 'log');
const folder = openWitnessFolder(path, writeDurably);
folder.addLog(log.key);
const witness = createWitness({ signingKey: folder.createKey('w.example/1'), folder, now: Date.now, onFork: console.error });
const bodies = await Promise.all(
  Array.from({ length: 50 }, async (_, i) => {
    const [oldSize, size] = [i * 1_000, (i + 1) * 1_000];
    const text = formatCheckpoint({ origin: log.key.name, size, root: await treeRoot(read, size) });
    const checkpoint = formatNote({ text, signatures: [signText(log, text, 0)] });
    if (openCheckpoint(checkpoint, log.key) === undefined) throw new Error('the checkpoint is not signed');
    return formatAddCheckpoint({ oldSize, proof: await proveConsistency(read, oldSize, size), checkpoint });
  }),
);
const times: number[] = [];
for (const body of bodies) {
  times.push(
    await millisecondsOf(() => {
      if (witness.addCheckpoint(body).status !== 200) throw new Error('the witness did not cosign');
    }),
  );
}
console.log(`witness, one checkpoint with its sync to disk: ${median(times).toFixed(2)} ms`);
rmSync(path, { recursive: true, force: true });
