/** Reads the records that the transparency log does not have yet, in bounded number. Runs on the core thread, or in the thread of the log. */
import type { TrailLog } from '#store/trail/log/trail-log.ts';
import type { Trail } from '#store/trail/trail.ts';
import type { TrailWriter } from '#store/trail/trail-chain.ts';
import { type ChainPlace, START_OF_CHAIN } from '#store/trail/trail-chain-reads.ts';
import type { TreeHead } from '#tlog/append.ts';
import { type AppendJob, type AppendOutcome, type JobChain, readEdge } from './append-job.ts';
import { isOtherTree, type KnownHead } from './known-head.ts';

/** Limits of one step. On the core thread, reading takes some milliseconds. */
const STEP = {
  /** Writers, of which most have no new packs. */
  writers: 16,
  packs: 64,
  /** Length of the documents in UTF-16 code units. The packs of one writer can exceed it. */
  units: 2 ** 20,
  packsAtOnce: 16,
} as const;

/** Position of the appender in its round through the writers. */
export interface WriterTurn {
  /** ID of the last writer that was read. Empty at the begin of a round. */
  readonly after: string;
  /** Whether a writer of the round has more packs. */
  readonly hasMore: boolean;
  /** Writers whose chain has a fault, so that no further record of them is appended. */
  readonly excluded: readonly string[];
  /** Places of writers without packs, behind the packs of other writers. */
  readonly places: ReadonlyMap<string, ChainPlace>;
}

/** State of a round after a step. */
export interface Round {
  /** ID of the last writer that was read. Empty after the last writer. */
  readonly after: string;
  readonly hasMore: boolean;
  /** Places of the writers that had no packs in this step. */
  readonly passed: ReadonlyMap<string, ChainPlace>;
}

/** Log to which an appender appends. */
export interface NextAppend {
  readonly epoch: number;
  readonly fence: number;
  /** Head that the appender knows. */
  readonly known: KnownHead | undefined;
  readonly turn: WriterTurn;
}

/** A read append. Without a job, none of the read writers has new packs. */
export interface ReadAppend {
  readonly job?: AppendJob;
  readonly round: Round;
}

/** A computed append, and the tree before it. */
export interface ComputedAppend {
  readonly append?: { readonly before: TreeHead; readonly outcome: AppendOutcome };
  readonly round: Round;
}

/** Why no append was read: another server is the appender, or the stored tree is not the known one. */
export type NoAppend = 'lost' | 'changed';

/** Reads of one moment of a database. */
export interface AppendSource {
  readonly logs: Pick<TrailLog, 'current' | 'tile' | 'openWriters'>;
  readonly chainSince: Trail['chainSince'];
}

/** Reads the next append. Changes nothing, so that a transaction can run it again. */
export async function readAppend(source: AppendSource, { epoch, fence, known, turn }: NextAppend): Promise<ReadAppend | NoAppend> {
  const { logs } = source;
  const log = await logs.current();
  if (await isOtherTree(known, log, (level, index) => logs.tile(log?.epoch ?? 0, level, index))) return 'changed';
  if (log === undefined || log.epoch !== epoch || log.fence !== fence) return 'lost';
  const { chains, round } = await nextChains(source, turn);
  if (chains.length === 0) return { round };
  const { size, root } = log;
  return { job: { head: { size, root }, edge: await readEdge((level, index) => logs.tile(epoch, level, index), log), chains }, round };
}

/** Reads the next packs of the next writers. */
async function nextChains(
  { logs, chainSince }: AppendSource,
  { after, hasMore, excluded, places }: WriterTurn,
): Promise<{ readonly chains: readonly JobChain[]; readonly round: Round }> {
  const chains: JobChain[] = [];
  const passed = new Map<string, ChainPlace>();
  const left = { packs: STEP.packs as number, units: STEP.units as number };
  const writers = await logs.openWriters(after, STEP.writers);
  let last = after;
  let isMore = hasMore;
  const round = (end: string): Round => ({ after: end, hasMore: isMore, passed });
  for (const { writer, place } of writers) {
    if (left.packs <= 0 || left.units <= 0) return { chains, round: round(last) };
    last = writer.id;
    if (excluded.includes(writer.id)) continue;
    const from = furthest(place ?? startOf(writer), places.get(writer.id));
    const page = await chainSince(writer.id, from, Math.min(left.packs, STEP.packsAtOnce));
    isMore ||= !page.isEnd;
    if (page.packs.length === 0) {
      passed.set(writer.id, page.place);
      continue;
    }
    left.packs -= page.packs.length;
    for (const { content } of page.packs) left.units -= content?.documents.length ?? 0;
    chains.push({ writer, place, packs: page.packs });
  }
  return { chains, round: round(writers.length < STEP.writers ? '' : last) };
}

/** Returns the place before the first pack of a writer, as its row says. An attacker can only cause reads with it, or hide forged records. */
function startOf({ firstPosition }: TrailWriter): ChainPlace {
  return firstPosition === undefined ? START_OF_CHAIN : { ...START_OF_CHAIN, position: firstPosition - 1 };
}

function furthest(logged: ChainPlace, passed: ChainPlace | undefined): ChainPlace {
  return passed === undefined || passed.position <= logged.position ? logged : { ...logged, position: passed.position };
}
