/**
 * Comparison of the stored transparency log with the checkpoints of its witnesses, and with the tree that this server stored last. After a
 * loss, the server refuses all requests until the operator names the loss (Decision 0028).
 */
import type { Instant } from '#core/instant.ts';
import type { Vault } from '#core/vault.ts';
import type { Store } from '#store/store.ts';
import { type TrailLogRow, trailLog } from '#store/trail/log/trail-log.ts';
import { EMPTY_TREE } from '#tlog/append.ts';
import { hasHead } from '#tlog/merkle.ts';
import { parseVkey } from '#tlog/note-key.ts';
import type { WitnessClient, WitnessedOutcome } from '#tlog/witness/witness-client.ts';
import { nextLog, signCheckpoint, signingKeyOf } from '#trail/log/log-key.ts';
import type { Log } from '../log.ts';
import { type AccountParts, operatorEvent } from '../operator/accounts.ts';
import { OPERATOR_ACCOUNT } from './first-start.ts';
import type { TrailLogHead } from './trail-log-head.ts';

/** Proof that the stored log lost leaves or has other leaves: a checkpoint that the log signed and a witness cosigned, or the head in memory. */
interface KnownLoss {
  readonly log: TrailLogRow;
  /** Name of the witness. Absent if this server itself stored the larger or other tree. */
  readonly witness?: string;
  readonly checkpoint: string;
  /** Number of leaves that the witness cosigned, or that this server stored. */
  readonly knownSize: number;
  readonly size: number;
  readonly kind: 'smaller' | 'forked';
}

/** Answer to `belfry trail restored`. */
export type RestoredReply =
  | { readonly ok: true; readonly trailLog: { readonly epoch: number; readonly origin: string; readonly vkey: string } }
  | { readonly ok: false; readonly error: string };

export interface TrailLogGate {
  /** False after a loss. The server then refuses all requests, and writes no records. */
  isOpen(): boolean;
  /**
   * Compares the stored log with the tree that this server stored last, and with the latest checkpoint of each witness. Takes up to 5
   * seconds if a witness is unreachable.
   */
  check(): Promise<void>;
  /**
   * Starts the next log, whose first leaf names the loss, and opens the gate. Refuses if there is no loss.
   *
   * Writes: the log, and the trail event `RestoreTrailLog`.
   */
  restored(reason: unknown): Promise<RestoredReply>;
}

export interface GateParts extends Pick<AccountParts, 'region' | 'now' | 'newId'> {
  readonly store: Store;
  readonly vault: Vault;
  /** Names of the witnesses, in the order of the client. */
  readonly witnesses: readonly string[];
  readonly client: Pick<WitnessClient, 'latest'>;
  /** Head that this server stored last. */
  readonly head: TrailLogHead;
  readonly report: Log;
}

const REASON = { min: 1, max: 1_000 } as const;
/** Control characters, which a log line and a record must not contain. */
const CONTROLS = /[\u0000-\u001f\u007f]/;

/** Creates the gate of a server, which is open before the first check. */
export function trailLogGate(parts: GateParts): TrailLogGate {
  const { store, vault, witnesses, client, head, now, report } = parts;
  let loss: KnownLoss | undefined;

  const current = (): Promise<TrailLogRow | undefined> => store.transaction((tx) => tx.of(trailLog).current());

  /** Returns the loss that a checkpoint of a witness shows. */
  async function lossOf(log: TrailLogRow, witness: string, outcome: WitnessedOutcome): Promise<KnownLoss | undefined> {
    if (outcome.outcome !== 'known') return undefined;
    const { size: knownSize, root, signed: checkpoint } = outcome;
    const found = { log, witness, checkpoint, knownSize, size: log.size };
    if (knownSize > log.size) return { ...found, kind: 'smaller' };
    const read = (level: number, index: number) => store.transaction((tx) => tx.of(trailLog).tile(log.epoch, level, index));
    return (await hasHead(read, { size: knownSize, root })) ? undefined : { ...found, kind: 'forked' };
  }

  /** Returns the loss that the head in memory shows, with a new checkpoint of this head. */
  async function lossOfHead(): Promise<KnownLoss | undefined> {
    const difference = await store.transaction(async (tx) => {
      const stored = await tx.of(trailLog).current();
      return await head.differenceOf(stored, (level, index) => tx.of(trailLog).tile(stored?.epoch ?? 0, level, index));
    });
    if (difference === undefined) return undefined;
    const { log, size, kind } = difference;
    const checkpoint = signCheckpoint(signingKeyOf(log, vault), difference.head);
    return { log, checkpoint, knownSize: difference.head.size, size, kind };
  }

  /** Opens or closes the gate. Stores and reports a change. */
  async function note(found: KnownLoss | undefined): Promise<void> {
    const before = loss;
    loss = found;
    if ((found === undefined) === (before === undefined)) return;
    if (found !== undefined) report(lossLine(found), 'error');
    else report('the trail log has its records again', 'info');
    await putState(found ?? (before as KnownLoss), found !== undefined);
  }

  /** Stores the state for `belfry trail status`, which reads only the database. If that fails, the log of the server still has the line. */
  async function putState({ log, witness, knownSize, kind }: KnownLoss, isLoss: boolean): Promise<void> {
    const subject = witness === undefined ? 'server' : `witness ${witness}`;
    const state = isLoss ? (kind === 'smaller' ? 'ahead' : 'forked') : 'known';
    const detail = isLoss
      ? `it has a tree of ${knownSize} leaves that this database does not have; the server refuses all requests`
      : 'the database has its leaves again';
    const row = { epoch: log.epoch, subject, state, detail, at: now() };
    await store
      .transaction((tx) => tx.of(trailLog).putState(row))
      .catch((error: Error) => report(`could not store the state of the trail log: ${error.message}`));
  }

  async function check(): Promise<void> {
    for (;;) {
      const own = await lossOfHead();
      if (own !== undefined) return await note(own);
      const before = await current();
      if (before === undefined) return;
      if (witnesses.length === 0) return await note(undefined);
      const outcomes = await client.latest([parseVkey(before.vkey)]);
      // Read after the responses: a tree is stored before its checkpoint is cosigned, so it is never smaller.
      const log = await current();
      if (log === undefined || log.epoch !== before.epoch) continue;
      let found: KnownLoss | undefined;
      for (const [i, outcome] of outcomes.entries()) {
        const witness = witnesses[i] as string;
        if (outcome.outcome === 'failed')
          report(`could not read the trail log's checkpoint at the witness '${witness}': ${outcome.reason}`);
        const one = await lossOf(log, witness, outcome);
        if (one !== undefined && one.knownSize >= (found?.knownSize ?? 0)) found = one;
      }
      return await note(found);
    }
  }

  return {
    isOpen: () => loss === undefined,
    check,
    async restored(reason) {
      if (typeof reason !== 'string' || reason.length < REASON.min || reason.length > REASON.max || CONTROLS.test(reason))
        return { ok: false, error: `the reason must have ${REASON.min} to ${REASON.max} characters, without line breaks` };
      const named = loss;
      if (named === undefined)
        return { ok: false, error: 'the trail log has all records that its witnesses and this server saw, so there is no loss to name' };
      const reply = await store.transaction(async (tx): Promise<RestoredReply> => {
        const logs = tx.of(trailLog);
        const stored = await logs.current();
        // If the row of the log was deleted, the next log continues the one that this server stored.
        const { log, witness, knownSize, size } = named;
        const isDeleted = witness === undefined && stored?.epoch !== log.epoch;
        const previous = isDeleted ? { ...log, ...EMPTY_TREE } : stored;
        if (previous === undefined) return { ok: false, error: 'the database has no trail log' };
        const { row, tiles, signed } = await nextLog(previous, { checkpoint: named.checkpoint, reason }, vault, now());
        // A new fencing number, so that no server appends to the log before.
        const isTaken = isDeleted || (await logs.take(previous, '', 0 as Instant)) === 'taken';
        if (!isTaken || (await logs.create(row, tiles, signed)) === 'exists')
          return { ok: false, error: 'another server changed the trail log; try again' };
        const accountId = await tx.meta.get(OPERATOR_ACCOUNT);
        const { epoch, origin, vkey } = row;
        const evidence = witness === undefined ? { serverSize: knownSize } : { witness, witnessSize: knownSize };
        const details = { epoch, origin, previousOrigin: previous.origin, ...evidence, restoredSize: size, reason };
        await tx.trail.append(operatorEvent(parts, accountId as Parameters<typeof operatorEvent>[1], 'RestoreTrailLog', details));
        return { ok: true, trailLog: { epoch, origin, vkey } };
      });
      if (reply.ok) {
        loss = undefined;
        report(`the operator named the loss of the trail log; the log '${reply.trailLog.origin}' starts`, 'warning');
      }
      return reply;
    },
  };
}

function lossLine({ log: { origin }, witness, knownSize, size, kind }: KnownLoss): string {
  const evidence = witness === undefined ? 'this server stored' : `the witness '${witness}' cosigned`;
  const difference =
    kind === 'smaller'
      ? `has ${size} records, but ${evidence} ${knownSize}`
      : `does not continue the ${knownSize} records that ${evidence}`;
  return (
    `the trail log '${origin}' ${difference}. The database was restored from a backup, or it was changed. The server refuses all requests. ` +
    "If you restored a backup, run 'belfry trail restored --reason TEXT'. Otherwise keep the database as evidence"
  );
}
