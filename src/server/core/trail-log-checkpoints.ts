/** Signed checkpoints of the transparency log: storage, and cosignatures of witnesses. */
import type { LeaseClock } from '#access/lease-parts.ts';
import type { Vault } from '#core/vault.ts';
import type { Store } from '#store/store.ts';
import { type CheckpointKind, type TrailLogRow, trailLog } from '#store/trail/log/trail-log.ts';
import type { CosignOutcome, WitnessClient } from '#tlog/witness/witness-client.ts';
import { signCheckpoint, signingKeyOf } from '#trail/log/log-key.ts';
import type { Log } from '../log.ts';
import type { TrailHeadNote, TrailLogHead } from './trail-log-head.ts';

/** Interval between two stored cosignatures of an unchanged tree. */
const RENEWED_EVERY_MS = 60_000;

export interface CheckpointParts {
  readonly store: Store;
  readonly vault: Vault;
  readonly clock: LeaseClock;
  /** Names of the witnesses, in the order of the client. */
  readonly witnesses: readonly string[];
  readonly client: Pick<WitnessClient, 'cosign'>;
  /** Head that this server stored last. */
  readonly head: TrailLogHead;
  /** Note of the head, for the next start. Absent if the server has no place for it. */
  readonly note?: TrailHeadNote | undefined;
  /** Called when a witness has a larger or another tree, or when the stored tree is not the one that this server stored. */
  readonly onContradiction: () => Promise<void>;
  readonly report: Log;
}

export interface TrailLogCheckpoints {
  /**
   * Signs the current tree, stores the checkpoint, and sends it to the witnesses. `log` is the log of which this server is
   * the appender. Does nothing if another server is the appender now, or if the tree has no leaves. A witness that does
   * not cosign is reported, and the checkpoint stays valid without it.
   */
  checkpoint(log: TrailLogRow): Promise<void>;
}

/** Creates the checkpoints of one server. */
export function trailLogCheckpoints({ store, vault, clock, witnesses, client, head, ...parts }: CheckpointParts): TrailLogCheckpoints {
  /** Last reported state of each witness. */
  const states = new Map<string, string>();
  let signed: { readonly vkey: string; readonly size: number; readonly note: string } | undefined;
  /** Last stored cosigned checkpoint: its size, the number of cosignatures, and when it was stored. */
  let stored = { size: 0, count: 0, at: Number.NEGATIVE_INFINITY };

  let noted: TrailLogRow | undefined;
  let noteFailed = false;

  /** Signs the tree, which is committed and durable. */
  function signOf(log: TrailLogRow): string {
    if (signed?.vkey === log.vkey && signed.size === log.size) return signed.note;
    const note = signCheckpoint(signingKeyOf(log, vault), log);
    signed = { vkey: log.vkey, size: log.size, note };
    return note;
  }

  /** Signs the current tree, stores the checkpoint, and sends it to the witnesses. */
  async function checkpoint({ epoch, fence }: TrailLogRow): Promise<void> {
    const { log, isChanged } = await store.transaction(async (tx) => {
      const current = await tx.of(trailLog).current();
      const difference = await head.differenceOf(current, (level, index) => tx.of(trailLog).tile(epoch, level, index));
      return { log: current, isChanged: difference !== undefined };
    });
    if (isChanged) return await parts.onContradiction();
    if (log === undefined || log.epoch !== epoch || log.fence !== fence || log.size === 0) return;
    const isNew = signed?.vkey !== log.vkey || signed.size !== log.size;
    const note = signOf(log);
    if (isNew) await putCheckpoints(log, note, ['signed']);
    await noteHead(log);
    if (witnesses.length === 0) return;
    const { checkpoint: cosigned, outcomes } = await client.cosign(note, (level, index) =>
      store.transaction((tx) => tx.of(trailLog).tile(epoch, level, index)),
    );
    const count = outcomes.filter(({ outcome }) => outcome === 'cosigned').length;
    const isBetter = stored.size !== log.size || count > stored.count || clock.monotonic() - stored.at >= RENEWED_EVERY_MS;
    if (count > 0 && isBetter) {
      await putCheckpoints(log, cosigned, count === witnesses.length ? ['cosigned', 'cosigned-by-all'] : ['cosigned']);
      stored = { size: log.size, count, at: clock.monotonic() };
    }
    for (const [i, outcome] of outcomes.entries()) await noteOutcome(epoch, witnesses[i] as string, outcome);
    if (outcomes.some(({ outcome }) => outcome === 'ahead' || outcome === 'forked')) await parts.onContradiction();
  }

  /** Notes the signed head outside the database. If that fails, only the next start knows less. */
  async function noteHead(log: TrailLogRow): Promise<void> {
    if (parts.note === undefined || (noted?.size === log.size && noted.sealedKey === log.sealedKey)) return;
    try {
      await parts.note.write(log);
      noted = log;
    } catch (error) {
      if (!noteFailed) parts.report(`could not note the head of the trail log in the data folder: ${(error as Error).message}`, 'warning');
      noteFailed = true;
    }
  }

  function putCheckpoints({ epoch, fence, size }: TrailLogRow, note: string, kinds: readonly CheckpointKind[]): Promise<void> {
    return store.transaction(async (tx) => {
      const logs = tx.of(trailLog);
      // If another server has become the appender, this one must not replace a later checkpoint.
      if ((await logs.current())?.fence !== fence) return;
      for (const kind of kinds) await logs.putCheckpoint({ epoch, kind, size, signed: note, at: clock.wall() });
    });
  }

  /** Reports and stores the state of a witness if it has changed. */
  async function noteOutcome(epoch: number, witness: string, outcome: CosignOutcome): Promise<void> {
    const detail = detailOf(outcome);
    const state = outcome.outcome;
    if (states.get(witness) === state) return;
    states.set(witness, state);
    if (state !== 'cosigned')
      parts.report(`the witness '${witness}' did not cosign the trail log: ${detail}`, state === 'failed' ? 'warning' : 'error');
    await store.transaction((tx) => tx.of(trailLog).putState({ epoch, subject: `witness ${witness}`, state, detail, at: clock.wall() }));
  }

  return { checkpoint };
}

function detailOf(outcome: CosignOutcome): string {
  switch (outcome.outcome) {
    case 'cosigned':
      return '';
    case 'ahead':
      return `it cosigned a larger tree of ${outcome.witnessSize} leaves, so the database was rolled back`;
    case 'forked':
      return `it cosigned a tree of ${outcome.witnessSize} leaves that this tree does not continue, so the database was changed`;
    case 'refused':
      return `${outcome.reason}. If it does not know the log, run 'belfry witness add-log' there with the vkey that 'belfry trail status' prints`;
    case 'failed':
      return outcome.reason;
  }
}
