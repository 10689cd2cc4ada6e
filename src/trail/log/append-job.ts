/**
 * Computes an append to the transparency log from packs of trail records. This module is pure, so that it runs in a thread: it hashes
 * records, leaves and tiles, and checks the links of the packs.
 */
import { encodeTrailLeaf } from '#core/trail-leaf.ts';
import type { LoggedPlace, OpenWriter, TrailLogRange } from '#store/trail/log/trail-log.ts';
import type { TrailWriter } from '#store/trail/trail-chain.ts';
import { type ChainFault, chainCheck } from '#store/trail/trail-chain-check.ts';
import { type ChainedPack, chainedRecords, hashOf } from '#store/trail/trail-chain-reads.ts';
import { appendEntries, type ChangedTile, type TreeHead } from '#tlog/append.ts';
import { TILE_WIDTH, type TileReader, tileLevels, tileWidth } from '#tlog/merkle.ts';

/** Packs to append. The content of a message to the thread. */
export interface AppendJob {
  readonly head: TreeHead;
  /** Incomplete last tile of each level, as `readEdge` returns them. */
  readonly edge: readonly ChangedTile[];
  readonly chains: readonly JobChain[];
}

/** Next packs of one writer. */
export interface JobChain extends OpenWriter {
  readonly packs: readonly ChainedPack[];
}

/** A computed append. */
export interface AppendOutcome extends TreeHead {
  readonly tiles: readonly ChangedTile[];
  readonly ranges: readonly Omit<TrailLogRange, 'epoch'>[];
  readonly places: readonly LoggedPlace[];
  /** First fault of each chain that has one. The append has only the packs before it. */
  readonly faults: readonly ChainFault[];
}

/** Reads the incomplete last tiles of a tree, which `appendJob` needs. */
export async function readEdge(read: TileReader, { size }: TreeHead): Promise<readonly ChangedTile[]> {
  const edge: ChangedTile[] = [];
  for (let level = 0; level < tileLevels(size); level++) {
    const index = Math.floor(size / TILE_WIDTH ** (level + 1));
    const width = tileWidth(level, index, size);
    if (width > 0) edge.push({ level, index, hashes: await read(level, index, width) });
  }
  return edge;
}

/** Returns the leaves of a pack of a writer, in the order of their numbers. */
export function leavesOf(pack: ChainedPack, writer: Pick<TrailWriter, 'id'>): readonly Uint8Array[] {
  return chainedRecords(pack).map((record) =>
    encodeTrailLeaf({ writer: writer.id, number: record.number, at: record.at, sha256: hashOf(record) }),
  );
}

/**
 * Computes the tree after an append of all records of the packs.
 *
 * @throws Error  the tiles do not have the root of the head
 */
export async function appendJob({ head, edge, chains }: AppendJob): Promise<AppendOutcome> {
  const entries: Uint8Array[] = [];
  const ranges: Omit<TrailLogRange, 'epoch'>[] = [];
  const places: LoggedPlace[] = [];
  const faults: ChainFault[] = [];
  for (const { writer, place, packs } of chains) {
    const check = chainCheck(writer, place);
    let position: number | undefined;
    const firstIndex = head.size + entries.length;
    for (const pack of packs) {
      const fault = check.add(pack);
      if (fault !== undefined) {
        faults.push(fault);
        break;
      }
      ({ position } = pack);
      entries.push(...leavesOf(pack, writer));
    }
    if (position === undefined) continue;
    const { number, link } = check.state();
    places.push({ writer: writer.id, number, position, link });
    const firstNumber = (place?.number ?? 0) + 1;
    if (number >= firstNumber) ranges.push({ firstIndex, writer: writer.id, firstNumber, count: number - firstNumber + 1 });
  }
  const tiles = new Map(edge.map((tile) => [`${tile.level}/${tile.index}`, tile.hashes]));
  const appended = await appendEntries(head, entries, async (level, index) => tiles.get(`${level}/${index}`) ?? new Uint8Array());
  return { ...appended, ranges, places, faults };
}
